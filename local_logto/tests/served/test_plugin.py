"""The pytest plugin: what it creates for tests of a program that uses Logto."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from local_logto.testing import Person, Provider, RequestRefused
from local_logto.testing.transport import Reply, send

README = Path(__file__).parents[2] / "README.md"
CALLBACK = "http://localhost:3000/callback"


def authorization_url(local_logto: Provider, client_id: str, **more: str) -> str:
    query = {
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid profile email offline_access urn:logto:scope:organizations",
        "prompt": "consent",
        "state": "a-state",
        **more,
    }
    return f"{local_logto.endpoint}/oidc/auth?{urlencode(query)}"


def token(local_logto: Provider, client: tuple[str, str], **form: str) -> Reply:
    credentials = {"client_id": client[0], "client_secret": client[1]}
    return send("POST", f"{local_logto.endpoint}/oidc/token", form={**credentials, **form})


def members_of(local_logto: Provider, organization_id: str) -> dict[str, list[str]]:
    members = local_logto.management.call("GET", f"/organizations/{organization_id}/users")
    return {member["id"]: [role["name"] for role in member["organizationRoles"]] for member in members}


@pytest.fixture(scope="module", autouse=True)
def _roles(local_logto: Provider) -> None:
    local_logto.role("plugin-owner", "plugin:read", "plugin:write")
    local_logto.role("plugin-reader", "plugin:read")
    local_logto.role("plugin-robot", "plugin:read", for_machines=True)


def test_organization_has_the_members_and_roles_it_was_created_with(local_logto: Provider) -> None:
    alice, bob, carol = (local_logto.person(name) for name in ("Alice", "Bob", "Carol"))

    acme = local_logto.organization("Acme", **{"plugin-owner": alice, "plugin-reader": [bob, carol]})

    assert members_of(local_logto, acme.id) == {
        alice.id: ["plugin-owner"],
        bob.id: ["plugin-reader"],
        carol.id: ["plugin-reader"],
    }
    local_logto.leave(acme, bob)
    assert bob.id not in members_of(local_logto, acme.id)


def test_names_are_unique(local_logto: Provider) -> None:
    first, second = local_logto.person("Alice"), local_logto.person("Alice")

    assert first.username != second.username
    assert local_logto.organization().name != local_logto.organization().name


def test_refusal_of_an_unknown_role_shows_the_providers_reply(local_logto: Provider) -> None:
    with pytest.raises(RequestRefused, match=r"PUT .*/roles: 422"):
        local_logto.organization("Acme", wizard=local_logto.person())


def test_person_signs_in_to_an_application(local_logto: Provider) -> None:
    alice, web = local_logto.person("Alice"), local_logto.application(CALLBACK)
    acme = local_logto.organization("Acme", **{"plugin-owner": alice})

    callback = local_logto.sign_in(authorization_url(local_logto, web.id), alice)

    returned = {name: values[0] for name, values in parse_qs(urlsplit(callback).query).items()}
    assert callback.startswith(CALLBACK)
    assert returned["state"] == "a-state"
    exchange = {"grant_type": "authorization_code", "code": returned["code"], "redirect_uri": CALLBACK}
    tokens = token(local_logto, (web.id, web.secret), **exchange)
    assert tokens.status == 200, tokens.text
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens.json["refresh_token"]}
    in_acme = token(local_logto, (web.id, web.secret), **refresh, organization_id=acme.id)
    assert in_acme.status == 200, in_acme.text


def test_wrong_password_is_refused(local_logto: Provider) -> None:
    alice, web = local_logto.person("Alice"), local_logto.application(CALLBACK)
    impostor = Person(alice.id, alice.username, "a-wrong-password")

    with pytest.raises(RequestRefused, match="verification/password: 422"):
        local_logto.sign_in(authorization_url(local_logto, web.id), impostor)


def test_error_at_the_callback_is_returned(local_logto: Provider) -> None:
    web = local_logto.application(CALLBACK)
    url = authorization_url(local_logto, web.id, prompt="none")

    assert "error=login_required" in local_logto.sign_in(url, local_logto.person())


def test_machine_gets_a_token_of_its_organization(local_logto: Provider) -> None:
    acme, globex = local_logto.organization("Acme"), local_logto.organization("Globex")
    robot = local_logto.machine(acme, "plugin-robot")

    def ask(organization_id: str) -> Reply:
        asked = {"grant_type": "client_credentials", "organization_id": organization_id}
        return token(local_logto, (robot.id, robot.secret), **asked, scope="plugin:read")

    assert ask(acme.id).json["scope"] == "plugin:read"
    assert ask(globex.id).status == 403


def test_messages_are_read_by_recipient(local_logto: Provider) -> None:
    alice, bob = local_logto.person("Alice"), local_logto.person("Bob")
    for person in (alice, bob):
        local_logto.management.call("POST", "/verification-codes", {"email": person.email})

    (message,) = local_logto.messages(alice.email)

    assert message.recipient == alice.email
    assert re.fullmatch(r"\d{6}", message.code or "")


def test_environment_names_the_provider_and_hides_the_secret(local_logto: Provider) -> None:
    assert local_logto.environment["LOGTO_ENDPOINT"] == local_logto.endpoint
    assert local_logto.management_app_secret not in repr(local_logto)


def test_examples_in_the_readme_run(tmp_path: Path) -> None:
    examples = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "test_examples.py").write_text("\n\n".join(examples), encoding="utf-8")

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout
    assert f"{len(examples)} passed" in run.stdout

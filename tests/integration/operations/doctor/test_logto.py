"""``saas-app doctor`` asks Logto, and checks what was provisioned there."""

from __future__ import annotations

import json

import pytest

from saas_app.logto import ManagementClient
from tests.integration.operations.doctor.installation import Installation, answering
from tests.processes import free_port


def test_a_logto_that_is_down_or_another_server_is_reported(installation: Installation) -> None:
    nowhere = installation.doctor(LOGTO_ENDPOINT=f"http://localhost:{free_port()}")
    assert "does not respond" in nowhere.failed["endpoint"]
    assert "Management API" not in nowhere.output  # no further check is possible

    other = installation.doctor(LOGTO_ENDPOINT=installation.url)
    assert "responds, but not like a Logto" in other.failed["endpoint"]
    assert "correct LOGTO_ENDPOINT" in other.failed["endpoint"]


def test_a_logto_reached_under_another_name_is_reported(installation: Installation) -> None:
    report = installation.doctor(
        LOGTO_ENDPOINT=installation.provider.endpoint.replace("localhost", "127.0.0.1")
    )

    assert f"→ set LOGTO_ENDPOINT to {installation.provider.endpoint}" in report.failed["issuer"]


@pytest.mark.parametrize(("ahead", "words"), [(120, "ahead of"), (-120, "behind")])
def test_clocks_that_differ_are_reported(installation: Installation, ahead: float, words: str) -> None:
    answers = {"/api/status": (204, "")}
    with answering(answers, clock_ahead=ahead) as endpoint:
        issuer = json.dumps({"issuer": f"{endpoint}/oidc"})
        answers["/oidc/.well-known/openid-configuration"] = (200, issuer)
        report = installation.doctor(LOGTO_ENDPOINT=endpoint)

    assert words in report.failed["clock"]
    assert "NTP" in report.failed["clock"]
    assert "issuer" not in report.failed


def test_missing_or_wrong_management_credentials_are_reported(installation: Installation) -> None:
    missing = installation.doctor(LOGTO_MANAGEMENT_APP_SECRET="").failed["Management API"]
    assert "LOGTO_MANAGEMENT_APP_SECRET is not set" in missing

    wrong = installation.doctor(LOGTO_MANAGEMENT_APP_SECRET="guessed").failed["Management API"]
    assert "→ correct LOGTO_MANAGEMENT_APP_ID and LOGTO_MANAGEMENT_APP_SECRET" in wrong

    elsewhere = installation.doctor(LOGTO_MANAGEMENT_RESOURCE="https://other.logto.app/api").failed[
        "Management API"
    ]
    assert "→ correct LOGTO_MANAGEMENT_RESOURCE" in elsewhere


def test_management_credentials_without_the_role_are_reported(installation: Installation) -> None:
    async def make(client: ManagementClient) -> dict[str, str]:
        body = {"name": "No role", "type": "MachineToMachine"}
        app_id = (await client._body("POST", "/applications", body))["id"]
        (secret,) = await client.list_secrets(app_id)
        return {"LOGTO_MANAGEMENT_APP_ID": app_id, "LOGTO_MANAGEMENT_APP_SECRET": secret.value}

    machine = installation.ask(make)
    report = installation.doctor(**machine).failed["Management API"]

    assert f"→ assign {machine['LOGTO_MANAGEMENT_APP_ID']} the role 'Logto Management API access'" in report


def test_a_changed_organization_template_is_reported(installation: Installation) -> None:
    async def change(client: ManagementClient, scope_ids: list[str] | None = None) -> list[str]:
        role = next(role for role in await client.list_organization_roles() if role.name == "viewer")
        await client.replace_role_scopes(role.id, scope_ids or [])
        return sorted(role.scope_ids)

    before = installation.ask(change)
    try:
        report = installation.doctor()
    finally:
        installation.ask(lambda client: change(client, before))

    assert list(report.failed) == ["template"]
    assert "organization role viewer: +members:read" in report.failed["template"]

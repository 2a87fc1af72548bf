"""Surprising behavior of Logto 1.42, and changes in its next release: the application handles both."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest
from quart import Quart
from structlog.testing import capture_logs

from saas_app.config import Settings
from saas_app.errors import LogtoUnavailable
from saas_app.identity.logto_client import LogtoCore
from saas_app.logto import LogtoUser, ManagementClient, ManagementError, MemberInfo, explained
from saas_app.observability import redact_secrets
from saas_app.rbac.permissions import Carrier
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.bearer import ApiClient, Mint
from tests.integration.webhooks.webhook_sender import Sender, event
from tests.tokens import tenant_of, token_of


@pytest.mark.parametrize("scope", [{"scope": ""}, {"scope": None}], ids=["empty", "absent"])
async def test_a_token_without_a_scope_grants_nothing(
    make: Factory, mint: Mint, runtime: Runtime, scope: dict[str, Any]
) -> None:
    organization_id = await make.organization()
    tenant = await tenant_of(runtime, mint(organization_id, **scope), organization_id)
    assert tenant.granted == frozenset()


def test_fields_of_a_later_release_are_ignored() -> None:
    entry = {
        "id": "u1",
        "username": "una",
        "primaryEmail": None,
        "name": None,
        "cimdClientId": "c1",
        "new": {},
    }
    assert LogtoUser.read(entry).username == "una"
    assert MemberInfo.read(
        {**entry, "organizationRoles": [{"id": "r", "name": "admin", "x": 1}]}
    ).role_names == {"admin"}


@pytest.mark.parametrize("says_its_issuer", [True, False])
async def test_an_error_at_sign_in_may_omit_its_issuer(
    open_browser: OpenBrowser, settings: Settings, says_its_issuer: bool
) -> None:
    page = await _callback(
        open_browser, settings, f"{settings.logto_endpoint}/oidc" if says_its_issuer else None
    )
    assert "denied access" in page


async def test_an_error_of_another_issuer_is_rejected(open_browser: OpenBrowser, settings: Settings) -> None:
    assert "unexpected sign-in provider" in await _callback(
        open_browser, settings, "https://evil.example/oidc"
    )


async def _callback(open_browser: OpenBrowser, settings: Settings, issuer: str | None) -> str:
    browser = await open_browser()
    started = await browser.get("/sign-in", 303)
    query = {
        "error": "access_denied",
        "state": dict(parse_qsl(urlsplit(started.headers["Location"]).query))["state"],
    }
    if issuer is not None:
        query["iss"] = issuer
    answer = await browser.get(f"/callback?{urlencode(query)}", 400)
    return str(await answer.get_data(as_text=True))


def test_the_data_of_a_refusal_is_neither_shown_nor_logged() -> None:
    data = {"ssoConnectors": [{"config": {"clientSecret": "s3cret-of-the-connector"}}]}
    refusal = ManagementError(422, "session.sso_enabled", "Single sign-on is enabled.", data)
    with capture_logs() as lines:
        shown = explained(refusal)
    told = f"{refusal} {refusal!r} {shown} {shown.detail} {lines}"
    assert "s3cret-of-the-connector" not in told
    assert "session.sso_enabled" in str(lines)
    line = redact_secrets(None, "warning", {"event": "x", "data": data})
    assert "s3cret-of-the-connector" not in str(line)


async def test_the_code_of_a_refusal_is_logged_and_an_authorization_code_is_not() -> None:
    with capture_logs() as lines:
        explained(ManagementError(501, "connector.general", "?"))
    (line,) = lines
    assert redact_secrets(None, "warning", dict(line))["logto_code"] == "connector.general"
    assert redact_secrets(None, "info", {"event": "x", "code": "abc"})["code"] == "[redacted]"


async def test_an_id_token_is_no_bearer_token_and_token_exchange_is_off(
    make: Factory,
    open_browser: OpenBrowser,
    runtime: Runtime,
    management: ManagementClient,
    settings: Settings,
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", admin=person)
    browser = await open_browser(person)
    (session_id,) = await runtime.sessions.list_session_ids(person.id)
    id_token = await runtime.session_tokens.get_id_token(session_id)
    await ApiClient(browser.app.app, organization_id, id_token).call("GET", "/projects", 401)
    application = await management.find_application(settings.logto_app_id)
    assert application is not None
    assert application.custom_metadata["allowTokenExchange"] is False


async def test_a_new_token_of_a_suspended_person_is_rejected_until_they_are_readmitted(
    app: Quart, make: Factory, mint: Mint, logto: Sender
) -> None:
    """One scenario: the token from after the readmission must work, although the suspension is on record."""
    person = await make.person()
    organization_id = await make.organization("Acme", editor=person)

    async def suspend(is_suspended: bool) -> None:
        body = {"isSuspended": is_suspended}
        path = f"/users/{person.id}/is-suspended"
        await make.management._transport.call("PATCH", path, body=body)
        data = {"id": person.id, **body}
        await logto.accepted(event("User.SuspensionStatus.Updated", params={"userId": person.id}, data=data))

    def exchanged(after: int) -> ApiClient:
        issued_at = int(time.time()) + after
        token = mint(organization_id, sub=person.id, iat=issued_at, jti=str(after))
        return ApiClient(app, organization_id, token)

    await suspend(True)
    await exchanged(20).call("GET", "/projects", 401)
    await suspend(False)
    await exchanged(21).call("GET", "/projects")


async def test_a_token_whose_organization_a_custom_claim_replaced_is_rejected_by_both(
    app: Quart, make: Factory, mint: Mint
) -> None:
    acme, globex = await make.organization("Acme"), await make.organization("Globex")
    api_token = mint(globex)  # requested for Acme; a script for custom claims wrote Globex
    await ApiClient(app, acme, api_token).call("GET", "/projects", 404)
    organization_token = mint(globex, aud=f"urn:logto:organization:{acme}", scope="members:read")
    for organization_id in (acme, globex):
        await ApiClient(app, organization_id, organization_token).call("GET", "/members", 401)


async def test_a_session_rejects_a_token_whose_organization_was_replaced(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    person: Person = await make.person()
    acme, globex = [await make.organization(name, admin=person) for name in ("Acme", "Globex")]
    browser = await open_browser(person)
    token = await token_of(runtime, browser, globex, Carrier.API_TOKEN)
    assert jwt.decode(token, options={"verify_signature": False})["organization_id"] == globex
    fetch = LogtoCore.fetch_token

    async def replaced(self: LogtoCore, form: dict[str, str]) -> object:
        return await fetch(self, {**form, "organization_id": globex})

    monkeypatch.setattr(LogtoCore, "fetch_token", replaced)
    await browser.get(f"/o/{acme}/projects", 503)


def test_a_refusal_that_our_configuration_caused_is_shown_as_unavailable() -> None:
    assert isinstance(explained(ManagementError(401, "auth.unauthorized", "x")), LogtoUnavailable)

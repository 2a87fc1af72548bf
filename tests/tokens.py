"""Genuine tokens for tests that call the API: a person's from their session, or an API client's."""

from __future__ import annotations

import aiohttp

from saas_app.config import Settings
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Carrier, Role, permissions_carried_by
from saas_app.runtime import Runtime
from tests.clients import Browser, Machine

SCOPES = {
    carrier: " ".join(permission.value for permission in permissions_carried_by(carrier))
    for carrier in Carrier
}


def scopes_of(role: Role, carrier: Carrier = Carrier.API_TOKEN) -> list[str]:
    """Return the scopes that Logto grants a role in one kind of token, in the registry's order."""
    bundled = ROLE_PERMISSIONS[role]
    return [permission.value for permission in permissions_carried_by(carrier) if permission in bundled]


async def token_of(runtime: Runtime, browser: Browser, organization_id: str, carrier: Carrier) -> str:
    """Return the token that the session of a signed-in browser holds for an organization."""
    caller = await runtime.browser_sessions.prove(browser.session_cookie, organization_id)
    await caller.get_tenant(organization_id, (carrier,))
    api = f"{runtime.settings.api_resource}#{organization_id}"
    audience = api if carrier is Carrier.API_TOKEN else f"urn:logto:organization:{organization_id}"
    token = await runtime.session_tokens.find_token(caller.principal.session_id, audience)
    assert token
    return token


async def tenant_of(runtime: Runtime, token: str, organization_id: str) -> Tenant:
    """Return the tenant that a bearer token opens, found like a guard does it."""
    caller = await runtime.bearer_tokens.prove(await runtime.verified_tokens.verify(token))
    return await caller.get_tenant(organization_id)


async def machine_token(
    settings: Settings, machine: Machine, organization_id: str, carrier: Carrier = Carrier.API_TOKEN
) -> str:
    """Return an API client's token for the organization, by client credentials."""
    form = {"grant_type": "client_credentials", "organization_id": organization_id, "scope": SCOPES[carrier]}
    if carrier is Carrier.API_TOKEN:
        form["resource"] = settings.api_resource
    headers = {"Authorization": aiohttp.encode_basic_auth(machine.id, machine.secret)}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{settings.logto_endpoint}/oidc/token", data=form, headers=headers) as answer,
    ):
        body = await answer.json()
        assert answer.status == 200, body
        return str(body["access_token"])

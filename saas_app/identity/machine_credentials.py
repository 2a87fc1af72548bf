"""Fetches an access token with the credentials of a machine application (RFC 6749 §4.4)."""

from __future__ import annotations

from collections.abc import Collection

from saas_app.identity.logto_client import LogtoProvider
from saas_app.identity.logto_messages import GrantedTokens


async def fetch_machine_token(
    provider: LogtoProvider,
    client_id: str,
    secret: str,
    *,
    organization_id: str,
    resource: str | None,
    scopes: Collection[str],
) -> GrantedTokens:
    """Fetch a token of a machine for an organization, or for an API resource in it.

    Logto 1.42 grants only those scopes that are named and that the machine's roles have. Raises
    :class:`LogtoRefusal` and :class:`LogtoUnavailable`.
    """
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": secret,
        "organization_id": organization_id,
        "scope": " ".join(scopes),
    }
    if resource:
        form["resource"] = resource
    response = await (await provider.core()).fetch_token(form)
    return GrantedTokens(
        access_token=response.access_token,
        scopes=frozenset(response.scope.split()),
        expires_in=response.expires_in,
        id_token=None,
        id_claims=None,
        refresh_token=None,
    )

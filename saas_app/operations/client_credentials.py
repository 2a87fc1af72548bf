"""Fetches an access token with the credentials of an API client (RFC 6749 §4.4), for one organization."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote_plus

import aiohttp

from saas_app.errors import ConfigurationError, LogtoUnavailable
from saas_app.text.translation import Sentence, _


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """The ID and secret of an API client. The secret is not part of its representation."""

    client_id: str
    secret: str = field(repr=False)

    @property
    def as_basic(self) -> str:
        """The Basic credentials, each half form-encoded before they are joined (RFC 6749 §2.3.1)."""
        return aiohttp.encode_basic_auth(quote_plus(self.client_id), quote_plus(self.secret))


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What to request a token for. Logto grants only those scopes that the client's roles have."""

    resource: str
    organization_id: str
    scopes: Iterable[str]


async def fetch_token(
    http: aiohttp.ClientSession, endpoint: str, credentials: ClientCredentials, wanted: TokenRequest
) -> str:
    """Return an access token. Raises :class:`ConfigurationError` with the reason if Logto refuses."""
    form = {
        "grant_type": "client_credentials",
        "resource": wanted.resource,
        "organization_id": wanted.organization_id,
        "scope": " ".join(wanted.scopes),
    }
    headers = {"Authorization": credentials.as_basic}
    try:
        async with http.post(f"{endpoint}/oidc/token", data=form, headers=headers) as response:
            body = json.loads(await response.text())
    except (aiohttp.ClientError, TimeoutError, ValueError):
        raise LogtoUnavailable(_("Logto did not respond.")) from None
    if not isinstance(body, dict) or response.status >= 500:
        raise LogtoUnavailable(_("Logto returned status %(status)s.", status=str(response.status)))
    if response.status != 200:
        raise ConfigurationError(_explain(body, credentials.client_id, wanted))
    return str(body["access_token"])


def _explain(refusal: dict[str, object], client_id: str, wanted: TokenRequest) -> Sentence:
    error = str(refusal.get("error") or refusal.get("code"))
    told = str(refusal.get("error_description") or refusal.get("message") or "")
    remedy = {
        "invalid_client": _("its secret or ID is wrong"),
        "access_denied": _(
            "it does not belong to the organization %(organization_id)s",
            organization_id=wanted.organization_id,
        ),
        "invalid_target": _(
            "the API resource %(resource)s does not exist ('saas-app provision' creates it)",
            resource=wanted.resource,
        ),
    }.get(error, told)
    return _(
        "Logto did not issue a token for the API client %(client_id)s (%(error)s): %(remedy)s.",
        client_id=client_id,
        error=error,
        remedy=remedy,
    )

"""Types of the messages between Workroom and Logto's OpenID Connect endpoints, including errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import aiohttp

from saas_app.errors import LogtoUnavailable
from saas_app.identity.token_verifier import Claims
from saas_app.text.cleaning import clean_json
from saas_app.text.translation import _


class LogtoRefusal(Exception):
    """An OAuth error response from Logto (RFC 6749 §5.2): status, error and description.

    ``answer`` is the whole response.
    """

    def __init__(
        self, status: int, error: str, description: str, answer: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        super().__init__(f"{status} {error}: {description}")
        self.status = status
        self.error = error
        self.description = description
        self.answer = answer


@dataclass(frozen=True, slots=True)
class SignInOptions:
    """Optional parameters of the authorization request. Empty ones are not sent (Logto 1.42).

    ``organization_id`` gives Logto's pages the organization's logo and color. It also narrows the
    API-resource scopes of the grant to that organization, and leaves none if the person is not a member. So a
    silent round trip without it follows (:mod:`.sign_in`).
    """

    first_screen: str = ""
    direct_sign_in: str = ""
    identifier: str = ""
    login_hint: str = ""
    ui_locales: str = ""
    organization_id: str = ""
    prompt: str = "consent"
    one_time_token: str = field(default="", repr=False)  # proves once that login_hint is the person's address

    def as_query(self) -> dict[str, str]:
        """Return the parameters that are set, by their names in the request."""
        named = {
            "first_screen": self.first_screen,
            "direct_sign_in": self.direct_sign_in,
            "identifier": self.identifier,
            "login_hint": self.login_hint,
            "ui_locales": self.ui_locales,
            "organization_id": self.organization_id,
            "prompt": self.prompt,
            "one_time_token": self.one_time_token,
        }
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class StartedSignIn:
    """An authorization request: where to send the browser, and what its callback must match."""

    url: str
    state: str
    nonce: str
    sdk_session: str = field(repr=False)  # redirect URI, code verifier and state, as the SDK stores them


@dataclass(frozen=True, slots=True)
class GrantedTokens:
    """A verified response of the token endpoint."""

    access_token: str = field(repr=False)
    scopes: frozenset[str]
    expires_in: int  # seconds
    id_token: str | None = field(repr=False)
    id_claims: Claims | None = field(repr=False)
    refresh_token: str | None = field(repr=False)


async def fetch_json(request: AbstractAsyncContextManager[aiohttp.ClientResponse]) -> Any:
    """Send a request and return the JSON of a successful response, cleaned. Empty responses are ``{}``.

    Raises :class:`LogtoRefusal` for a rejected request. Raises :class:`LogtoUnavailable` if Logto does not
    respond, has a problem, limits the rate, or returns something unreadable.
    """
    try:
        async with request as response:
            text = await _read_text(response)
    except (aiohttp.ClientError, TimeoutError):
        raise LogtoUnavailable(_("Logto did not respond.")) from None
    if response.status >= 500 or response.status == 429:
        raise LogtoUnavailable(_("Logto returned status %(status)s.", status=response.status))
    try:
        body = clean_json(json.loads(text)) if text else {}
    except (ValueError, RecursionError):
        raise LogtoUnavailable(_("Logto returned a response that could not be read.")) from None
    if response.status >= 400:
        raise _refusal(response.status, body)
    return body


async def _read_text(response: aiohttp.ClientResponse) -> str:
    try:
        return await response.text()
    except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError):
        raise LogtoUnavailable(_("Logto’s response was incomplete.")) from None


def _refusal(status: int, body: Any) -> LogtoRefusal:
    error = body if isinstance(body, dict) else {}
    return LogtoRefusal(
        status,
        str(error.get("error") or error.get("code") or "unknown"),
        str(error.get("error_description") or error.get("message") or ""),
        error,
    )

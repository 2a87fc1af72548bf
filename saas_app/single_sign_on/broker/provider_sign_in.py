"""Workroom as the OpenID Connect client of a company's identity provider.

An admin of the company chose the provider, so nothing that it says is believed without a check, and it can
lead no request of this server astray: see :mod:`saas_app.single_sign_on.visits`. What its verified claims
are worth, the caller decides.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from saas_app.models import SsoFailure
from saas_app.single_sign_on.broker.id_tokens import PROTOCOL_CLAIMS, verify_id_token
from saas_app.single_sign_on.broker.provider_errors import (
    ProviderRefused,
    client_error,
    other_person,
    other_provider,
    token_error,
    unreadable,
)
from saas_app.single_sign_on.checked_hosts import IssuerRefused
from saas_app.single_sign_on.fetching import send
from saas_app.single_sign_on.provider_addresses import Endpoint
from saas_app.single_sign_on.visits import ProviderMetadata, ProviderVisits, Visit

__all__ = [
    "SIGN_IN_TIMEOUT",
    "Departure",
    "IssuerRefused",
    "ProviderClient",
    "ProviderRefused",
    "ProviderSignIn",
    "Redemption",
    "client_error",
]

SIGN_IN_TIMEOUT: Final = 10.0  # seconds. Up to four requests, and a person waits
_SENDABLE: Final = re.compile(r"[!-~]+")  # what an access token may contain (RFC 6749, appendix A)


@dataclass(frozen=True, slots=True)
class ProviderClient:
    """Our client at a provider. ``scopes`` are separated by spaces."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: str


@dataclass(frozen=True, slots=True)
class Departure:
    """Where to send the browser, and what must be known when it comes back."""

    url: str
    nonce: str
    code_verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Redemption:
    """What a code is redeemed with: the provider's answer, and what :class:`Departure` kept for it.

    ``issuer`` is the parameter ``iss`` (RFC 9207), if there is one. ``redirect_uri`` is the same as at the
    departure.
    """

    code: str = field(repr=False)
    issuer: str | None
    redirect_uri: str
    nonce: str
    code_verifier: str = field(repr=False)


class ProviderSignIn:
    """Signs people in at the providers of companies."""

    def __init__(self, visits: ProviderVisits) -> None:
        """Each of the two steps is a visit. ``SIGN_IN_TIMEOUT`` is a good time limit for it."""
        self._visits = visits

    async def depart(
        self, client: ProviderClient, *, redirect_uri: str, state: str, prompt: str = ""
    ) -> Departure:
        """Return where the browser has to go. The caller keeps ``state`` and binds it to the browser.

        Raises :class:`IssuerRefused`. The request in which this runs keeps no database connection.
        """
        async with self._visits.visit(client.issuer) as visit:
            address = visit.metadata.authorization_endpoint.address
        nonce, code_verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        query = {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": redirect_uri,
            "scope": client.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge_of(code_verifier),
            "code_challenge_method": "S256",
        }
        if prompt:
            query["prompt"] = prompt
        url = f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"
        return Departure(url, nonce, code_verifier)

    async def come_back(self, client: ProviderClient, redemption: Redemption) -> dict[str, Any]:
        """Redeem the code, and return what the provider says about the person, with its texts cleaned.

        The ID token is verified. The claims of the userinfo endpoint replace those of the ID token that are
        about the person. Raises :class:`IssuerRefused` or :class:`ProviderRefused`. The request in which this
        runs keeps no database connection.
        """
        is_code_sent = False
        try:
            async with self._visits.visit(client.issuer) as visit:
                _check_sender(visit.metadata, redemption.issuer)
                keys = await visit.fetch_keys()
                is_code_sent = True
                tokens = await _redeem(visit, client, redemption)
                claims = verify_id_token(
                    _text(tokens, "id_token", None),
                    keys,
                    issuer=visit.metadata.issuer,
                    client_id=client.client_id,
                    nonce=redemption.nonce,
                )
                if visit.metadata.userinfo_endpoint is None:
                    return claims
                userinfo = await _fetch_userinfo(visit, visit.metadata.userinfo_endpoint, tokens)
        except IssuerRefused as refused:
            refused.is_after_code = is_code_sent
            raise
        return _merged(claims, userinfo)


def _check_sender(metadata: ProviderMetadata, issuer: str | None) -> None:
    """Check which provider the answer says it is from (RFC 9207 §2.4)."""
    if issuer is None and not metadata.names_itself:
        return
    if issuer != metadata.issuer:
        raise other_provider()


async def _redeem(visit: Visit, client: ProviderClient, redemption: Redemption) -> dict[str, Any]:
    """Exchange the code for tokens."""
    form = {
        "grant_type": "authorization_code",
        "code": redemption.code,
        "redirect_uri": redemption.redirect_uri,
        "code_verifier": redemption.code_verifier,
    }
    authorization = None
    methods = visit.metadata.token_auth_methods
    if methods and "client_secret_basic" not in methods:
        form |= {"client_id": client.client_id, "client_secret": client.client_secret}
    else:
        authorization = _basic(client)
    answer = await send(visit.http, visit.metadata.token_endpoint, form=form, authorization=authorization)
    tokens = answer.read_object()
    if answer.status != 200 or (tokens and "error" in tokens):
        raise token_error((tokens or {}).get("error"), answer.status)
    if tokens is None:
        raise unreadable("tokens", None)
    return tokens


async def _fetch_userinfo(
    visit: Visit, endpoint: Endpoint, tokens: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return what the userinfo endpoint says, or None if it sends a JWT, which is not supported."""
    access_token = _text(tokens, "access_token")
    if _text(tokens, "token_type").lower() != "bearer" or not _SENDABLE.fullmatch(access_token):
        raise unreadable("access token")
    answer = await send(visit.http, endpoint, authorization=f"Bearer {access_token}")
    if answer.status != 200:
        raise unreadable("userinfo")
    if answer.content_type == "application/jwt":
        return None
    userinfo = answer.read_object()
    if userinfo is None:
        raise unreadable("userinfo")
    return userinfo


def _text(tokens: Mapping[str, Any], member: str, failure: SsoFailure | None = SsoFailure.TOKENS) -> str:
    """Return a text of the answer. ``failure`` is what its absence says of the provider."""
    value = tokens.get(member)
    if not isinstance(value, str):
        raise unreadable(member, failure)
    return value


def _merged(claims: Mapping[str, Any], userinfo: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the claims of an ID token, with those of the userinfo endpoint over them.

    ``email_verified`` belongs to the address beside it: it never passes from one to another.
    """
    if userinfo is None:
        return dict(claims)
    if userinfo.get("sub") != claims["sub"]:
        raise other_person()
    about_person = {name: value for name, value in userinfo.items() if name not in PROTOCOL_CLAIMS}
    if "email" not in userinfo:
        about_person.pop("email_verified", None)
    elif userinfo["email"] != claims.get("email"):
        about_person.setdefault("email_verified", False)
    return {**claims, **about_person}


def _basic(client: ProviderClient) -> str:
    """Return the header of HTTP Basic authentication, with both parts encoded first (RFC 6749 §2.3.1)."""
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _challenge_of(code_verifier: str) -> str:
    """Return the PKCE challenge of a verifier (RFC 7636, S256)."""
    digest = hashlib.sha256(code_verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

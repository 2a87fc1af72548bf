"""Fetches the public documents of an identity provider, from hosts that were checked.

A request follows no redirect, uses no proxy and no credential of this machine, and neither sends nor keeps
cookies.
"""

from __future__ import annotations

import json
from ssl import SSLContext
from typing import Any, Final

import aiohttp
from yarl import URL

from saas_app.single_sign_on.checked_hosts import CheckedHosts, IssuerRefused, Refusal
from saas_app.single_sign_on.provider_addresses import Endpoint
from saas_app.text.cleaning import clean_json
from saas_app.text.translation import _
from saas_app.text.visible import isolated

_LARGEST: Final = 256 * 1024  # bytes. Metadata and keys of the large providers have less than ten thousand
_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "Workroom"}


def open_session(hosts: CheckedHosts, tls: SSLContext | None) -> aiohttp.ClientSession:
    """Open a session that connects to the checked addresses only. It has no time limit of its own.

    Compressed bodies stay compressed, because a small one could become huge. Without ``tls``, the authorities
    that this machine trusts are trusted.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            resolver=hosts, use_dns_cache=False, force_close=True, ssl=True if tls is None else tls
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=_HEADERS,
        timeout=aiohttp.ClientTimeout(total=None),
        trust_env=False,
        auto_decompress=False,
    )


async def fetch_json(http: aiohttp.ClientSession, endpoint: Endpoint) -> dict[str, Any]:
    """Return the JSON object at an endpoint whose host was admitted. Raises :class:`IssuerRefused`."""
    host = endpoint.host
    try:
        async with http.get(URL(endpoint.address, encoded=True), allow_redirects=False) as response:
            _check_status(response.status)
            body = await _read(response)
    except aiohttp.ClientSSLError:
        raise IssuerRefused(
            Refusal.CERTIFICATE,
            _(
                "%(host)s has no valid TLS certificate. It needs a current one from a public authority, for "
                "this name.",
                host=isolated(host),
            ),
        ) from None
    except aiohttp.ClientConnectionError:
        raise IssuerRefused(
            Refusal.UNREACHABLE,
            _(
                "%(host)s could not be reached. Check the issuer, and that the provider is running.",
                host=isolated(host),
            ),
        ) from None
    except aiohttp.ClientError:
        raise _unreadable() from None
    try:
        document = clean_json(json.loads(body))
    except (ValueError, RecursionError):
        raise _unreadable() from None
    if not isinstance(document, dict):
        raise _unreadable()
    return document


def _check_status(status: int) -> None:
    if 300 <= status < 400:
        raise IssuerRefused(
            Refusal.REDIRECT,
            _(
                "The provider redirects to another address. Enter the issuer that the provider’s console "
                "shows."
            ),
        )
    if status == 404:
        raise IssuerRefused(
            Refusal.STATUS,
            _(
                "The provider publishes no OpenID Connect metadata at this address. Enter the issuer that "
                "the provider’s console shows, with its path."
            ),
        )
    if status != 200:
        raise IssuerRefused(
            Refusal.STATUS,
            _(
                "The provider returned status %(status)s. Check the issuer, or try again later.",
                status=status,
            ),
        )


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > _LARGEST:
            raise IssuerRefused(
                Refusal.TOO_LARGE,
                _("The provider’s response is too large to be OpenID Connect metadata. Check the issuer."),
            )
    return bytes(body)


def _unreadable() -> IssuerRefused:
    return IssuerRefused(
        Refusal.UNREADABLE,
        _(
            "The provider’s response is not OpenID Connect metadata. Enter the issuer that the provider’s "
            "console shows, not the address of a sign-in page."
        ),
    )

"""Sends requests to an identity provider, at hosts that were checked.

A request follows no redirect, uses no proxy and no credential of this machine, and neither sends nor keeps
cookies.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any, Final

import aiohttp
from yarl import URL

from saas_app.single_sign_on.checked_hosts import CheckedHosts, IssuerFault, IssuerRefused
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


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status. ``content_type`` is in lower case and has no parameters."""

    status: int
    content_type: str
    body: bytes = field(repr=False)

    def read_object(self) -> dict[str, Any] | None:
        """Return the JSON object in the body with its texts cleaned, or None if there is none."""
        try:
            document = clean_json(json.loads(self.body))
        except (ValueError, RecursionError):
            return None
        return document if isinstance(document, dict) else None


async def send(
    http: aiohttp.ClientSession,
    endpoint: Endpoint,
    *,
    form: Mapping[str, str] | None = None,
    authorization: str | None = None,
) -> Answer:
    """Return the answer of an endpoint whose host was admitted: to a GET, or with a ``form`` to a POST.

    ``authorization`` is the value of the header with this name. Raises :class:`IssuerRefused` if no complete
    answer of a reasonable size comes back.
    """
    host = endpoint.host
    try:
        async with http.request(
            "GET" if form is None else "POST",
            URL(endpoint.address, encoded=True),
            data=form,
            headers={} if authorization is None else {"Authorization": authorization},
            allow_redirects=False,
        ) as response:
            return Answer(response.status, response.content_type.lower(), await _read(response))
    except aiohttp.ClientSSLError:
        raise IssuerRefused(
            IssuerFault.CERTIFICATE,
            _(
                "%(host)s has no valid TLS certificate. It needs a current one from a public authority, for "
                "this name.",
                host=isolated(host),
            ),
        ) from None
    except aiohttp.ClientConnectionError:
        raise IssuerRefused(
            IssuerFault.UNREACHABLE,
            _(
                "%(host)s could not be reached. Check the issuer, and that the provider is running.",
                host=isolated(host),
            ),
        ) from None
    except aiohttp.ClientError:
        raise IssuerRefused(
            IssuerFault.UNREADABLE,
            _("The provider’s response could not be read. Check the issuer, or try again later."),
        ) from None


async def fetch_json(http: aiohttp.ClientSession, endpoint: Endpoint) -> dict[str, Any]:
    """Return the published JSON object at an endpoint. Raises :class:`IssuerRefused`."""
    answer = await send(http, endpoint)
    _check_status(answer.status)
    document = answer.read_object()
    if document is None:
        raise IssuerRefused(
            IssuerFault.UNREADABLE,
            _(
                "The provider’s response is not OpenID Connect metadata. Enter the issuer that the "
                "provider’s console shows, not the address of a sign-in page."
            ),
        )
    return document


def _check_status(status: int) -> None:
    if 300 <= status < 400:
        raise IssuerRefused(
            IssuerFault.REDIRECT,
            _(
                "The provider redirects to another address. Enter the issuer that the provider’s console "
                "shows."
            ),
        )
    if status == 404:
        raise IssuerRefused(
            IssuerFault.STATUS,
            _(
                "The provider publishes no OpenID Connect metadata at this address. Enter the issuer that "
                "the provider’s console shows, with its path."
            ),
        )
    if status != 200:
        raise IssuerRefused(
            IssuerFault.STATUS,
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
                IssuerFault.TOO_LARGE, _("The provider’s response is too large. Check the issuer.")
            )
    return bytes(body)

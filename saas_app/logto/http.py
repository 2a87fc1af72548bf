"""The HTTP session for calls to Logto, for the application and the commands."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import aiohttp

from saas_app.db.kept_connection import release_kept

_KEEP_ALIVE: Final = 4.0
"""Seconds until an idle connection is closed. Node, and so Logto, closes it after five, and a call that
cannot be repeated must not be sent on a connection that is about to close."""


class CallKind(StrEnum):
    """What a call to Logto is for. A call carries it as its ``trace_request_ctx``, for those that watch."""

    DISCOVERY = "discovery"
    KEYS = "jwks"
    SIGN_IN = "sign-in"
    REFRESH = "token refresh"
    ORGANIZATION = "organization token"
    API_RESOURCE = "API token"
    REVOCATION = "revocation"
    USERINFO = "userinfo"
    ACCOUNT = "own account"
    MACHINE = "machine token"
    EXCHANGE = "token exchange"
    MANAGEMENT = "management"
    OTHER = "other"


def open_http(timeout: float, trace_configs: Sequence[aiohttp.TraceConfig] = ()) -> aiohttp.ClientSession:
    """Open a session whose calls take ``timeout`` seconds at most. It stores no cookies.

    ``trace_configs`` are aiohttp's hooks that watch its calls. A request that calls Logto releases the
    database connection that it keeps.
    """
    return aiohttp.ClientSession(
        trace_configs=[_releasing_connections(), *trace_configs],
        connector=aiohttp.TCPConnector(keepalive_timeout=_KEEP_ALIVE),
        # otherwise aiohttp rounds timeouts of more than five seconds up to whole seconds
        timeout=aiohttp.ClientTimeout(total=timeout, ceil_threshold=timeout + 1),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def _releasing_connections() -> aiohttp.TraceConfig:
    async def release(*_call: object) -> None:
        await release_kept()

    config = aiohttp.TraceConfig()
    config.on_request_start.append(release)
    return config

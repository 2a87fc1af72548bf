"""The HTTP session for calls to Logto, for the application and the commands."""

from __future__ import annotations

from typing import Final

import aiohttp

_KEEP_ALIVE: Final = 4.0
"""Seconds until an idle connection is closed. Node, and so Logto, closes it after five, and a call that
cannot be repeated must not be sent on a connection that is about to close."""


def open_http(timeout: float) -> aiohttp.ClientSession:
    """Open a session whose calls take ``timeout`` seconds at most. It stores no cookies."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(keepalive_timeout=_KEEP_ALIVE),
        # otherwise aiohttp rounds timeouts of more than five seconds up to whole seconds
        timeout=aiohttp.ClientTimeout(total=timeout, ceil_threshold=timeout + 1),
        cookie_jar=aiohttp.DummyCookieJar(),
    )

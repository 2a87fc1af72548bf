"""How we speak HTTP to Logto: one way to open a session, for the application and for the commands."""

from __future__ import annotations

from typing import Final

import aiohttp

_KEEP_ALIVE: Final = 4.0
"""Seconds an idle connection is kept. Node, and so Logto, closes one after five; a call that cannot be
repeated must not be sent into a connection that is about to close."""


def open_http(timeout: float) -> aiohttp.ClientSession:
    """A session whose calls take ``timeout`` seconds at most, without cookies: it speaks for many people."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(keepalive_timeout=_KEEP_ALIVE),
        # aiohttp would round timeouts of more than five seconds up, to whole seconds
        timeout=aiohttp.ClientTimeout(total=timeout, ceil_threshold=timeout + 1),
        cookie_jar=aiohttp.DummyCookieJar(),
    )

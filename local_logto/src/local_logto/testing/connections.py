"""Connections of tests to a local server."""

from __future__ import annotations

import aiohttp


def brief_connector() -> aiohttp.TCPConnector:
    """Return a connector that closes idle connections well before the server does.

    Node and Uvicorn close them after five seconds, and a request on a closing connection is lost.
    """
    return aiohttp.TCPConnector(keepalive_timeout=2)

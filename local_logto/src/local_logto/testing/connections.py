"""How tests hold connections to a server of their own."""

from __future__ import annotations

import aiohttp


def brief_connector() -> aiohttp.TCPConnector:
    """Lets go of an idle connection well before the server does.

    Node and uvicorn close one after five seconds, and what is sent into one that is being closed is lost.
    """
    return aiohttp.TCPConnector(keepalive_timeout=2)

"""How the application is served: Uvicorn with uvloop and the bounds of :mod:`saas_app.http_server`."""

from __future__ import annotations

import os
import sys
from typing import Final

import uvicorn

from saas_app.config import Settings
from saas_app.http_server import Bounds, bounded

_GRACE: Final = 10  # seconds running requests get at shutdown
_RESERVED_FILES: Final = 100  # databases, Logto, log files and listeners


def run_server(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve until a signal ends it."""
    trusted = os.environ.get("FORWARDED_ALLOW_IPS", "")
    uvicorn.run(
        "saas_app.asgi:app",
        host=host,
        port=port,
        workers=workers,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http=bounded(bounds_of(settings)),
        ws="none",
        access_log=False,  # the addresses of sign-in callbacks carry codes
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted or None,
        server_header=False,
        timeout_keep_alive=settings.keep_alive_timeout,
        timeout_graceful_shutdown=_GRACE,
        log_config=None,
    )


def bounds_of(settings: Settings) -> Bounds:
    """Return the bounds of one worker. It never accepts more connections than it may open files."""
    return Bounds(
        head_timeout=settings.header_timeout,
        body_timeout=settings.body_timeout,
        connections=min(settings.max_connections, max(1, _most_files() - _RESERVED_FILES)),
    )


def _most_files() -> int:
    """How many files this process may open."""
    if sys.platform == "win32":
        return sys.maxsize
    import resource  # not on Windows

    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft

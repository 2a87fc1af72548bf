"""Runs the application in Uvicorn, with uvloop and the limits of :mod:`saas_app.http_server`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Final

import uvicorn

import saas_app
from saas_app.config import TEMPLATES, Settings
from saas_app.http_server import Bounds, bounded

_GRACE: Final = 10  # seconds for running requests at shutdown
_WATCHED: Final = ("*.html", "*.css", "*.js", "*.toml")  # besides *.py
_RESERVED_FILES: Final = 100  # file descriptors for databases, Logto, logs and listeners


def run_server(settings: Settings, host: str, port: int, workers: int, *, reload: bool = False) -> None:
    """Serve until a signal stops it.

    With ``reload``, the only worker is replaced when a file of the application changes. The socket stays
    open: requests wait for the new worker.
    """
    trusted = os.environ.get("FORWARDED_ALLOW_IPS", "")
    uvicorn.run(
        "saas_app.asgi:app",
        host=host,
        port=port,
        workers=workers,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http=bounded(bounds_of(settings)),
        ws="none",
        access_log=False,  # URLs of sign-in callbacks contain codes
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted or None,
        server_header=False,
        timeout_keep_alive=settings.keep_alive_timeout,
        timeout_graceful_shutdown=_GRACE,
        log_config=None,
        **(_reloading() if reload else {}),
    )


def _reloading() -> dict[str, Any]:
    package = Path(saas_app.__file__).parent
    return {"reload": True, "reload_dirs": [str(package), str(TEMPLATES)], "reload_includes": list(_WATCHED)}


def bounds_of(settings: Settings) -> Bounds:
    """Return the limits of one worker. It accepts no more connections than it may open files."""
    return Bounds(
        head_timeout=settings.header_timeout,
        body_timeout=settings.body_timeout,
        connections=min(settings.max_connections, max(1, _most_files() - _RESERVED_FILES)),
    )


def _most_files() -> int:
    """Return how many files this process may open."""
    if sys.platform == "win32":
        return sys.maxsize
    import resource  # not on Windows

    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft

"""Runs the application in Uvicorn, with uvloop and the limits of :mod:`saas_app.http_server`.

The application is imported once. On Linux, several workers are forks of the process that imported it: they
start at once and share its memory. What was imported is exempt from garbage collection, so collections stay
short and write to none of the shared pages.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import uvicorn

import saas_app
from saas_app.config import TEMPLATES, Settings
from saas_app.http_server import Bounds
from saas_app.http_server.protocol import bounded
from saas_app.operations.imports import without_collections
from saas_app.telemetry.shared_folder import folder_for_workers

_APPLICATION: Final = "saas_app.operations.server:load_application"
_GRACE: Final = 10  # seconds for running requests at shutdown
_WATCHED: Final = ("*.html", "*.css", "*.js", "*.toml")  # besides *.py
_RESERVED_FILES: Final = 100  # file descriptors for databases, Logto, logs and listeners


def run_server(settings: Settings, host: str, port: int, workers: int, *, reload: bool = False) -> None:
    """Serve until a signal stops it.

    With ``reload``, the only worker is replaced when a file of the application changes. The socket stays
    open: requests wait for the new worker.
    """
    shares_metrics = settings.metrics_port is not None and workers > 1
    with folder_for_workers() if shares_metrics else nullcontext():
        _run(settings, host, port, workers, reload=reload)


def _run(settings: Settings, host: str, port: int, workers: int, *, reload: bool) -> None:
    options = _options(settings, host, port)
    if not reload:
        load_application()
    if reload or sys.platform != "linux":
        uvicorn.run(_APPLICATION, workers=workers, **options, **(_reloading() if reload else {}))
        return
    from saas_app.operations.workers import serve  # there is no fork on Windows

    serve(uvicorn.Config(_APPLICATION, workers=workers, **options), settings.drain_seconds)


def _options(settings: Settings, host: str, port: int) -> dict[str, Any]:
    trusted = os.environ.get("FORWARDED_ALLOW_IPS", "")
    return {
        "factory": True,
        "host": host,
        "port": port,
        "loop": "uvloop" if sys.platform != "win32" else "asyncio",
        "http": bounded(bounds_of(settings)),
        "ws": "none",
        "access_log": False,  # URLs of sign-in callbacks contain codes
        "proxy_headers": bool(trusted),
        "forwarded_allow_ips": trusted or None,
        "server_header": False,
        "timeout_keep_alive": settings.keep_alive_timeout,
        "timeout_graceful_shutdown": _GRACE,
        "log_config": None,
    }


def load_application() -> Any:
    """Return the application, imported once in this process. Exits if it cannot be created."""
    with without_collections():
        app = import_module("saas_app.asgi").app
    gc.freeze()
    return app


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

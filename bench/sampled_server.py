"""Runs ``saas-app`` and looks, after every millisecond of CPU time, at what its main thread is doing.

``python -m bench.sampled_server FILE serve …`` is ``saas-app serve …``. SIGUSR1 forgets all samples. SIGUSR2
writes them to FILE, as JSON: how often each layer was at work itself, and how often each concern was, with
everything it called.
"""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Final

from saas_app.cli import main as saas_app

_INTERVAL: Final = 0.001  # CPU seconds

LOOP: Final = "event loop, and threads of the driver"

LAYERS: Final = {
    "/sqlalchemy/orm/": "SQLAlchemy: ORM",
    "/sqlalchemy/ext/asyncio/": "SQLAlchemy: sessions and connections",
    "/sqlalchemy/pool/": "SQLAlchemy: pool and events",
    "/sqlalchemy/event/": "SQLAlchemy: pool and events",
    "/sqlalchemy/sql/": "SQLAlchemy: statements and their cache keys",
    "/sqlalchemy/": "SQLAlchemy: engine and results",
    "/aiosqlite/": "database driver",
    "/asyncpg/": "database driver",
    "/jinja2/": "Jinja and templates",
    "/markupsafe/": "Jinja and templates",
    "/templates/": "Jinja and templates",
    "/quart_schema/": "quart-schema and pydantic",
    "/pydantic": "quart-schema and pydantic",
    "/quart/": "Quart, Werkzeug",
    "/flask/": "Quart, Werkzeug",
    "/werkzeug/": "Quart, Werkzeug",
    "/uvicorn/protocols/": "Uvicorn",
    "/saas_app/http_server/": "Uvicorn",
    "/uvicorn/": LOOP,  # at the bottom of each stack
    "/structlog/": "log line",
    "/saas_app/observability": "log line",
    "/aiohttp/": "calls to Logto",
    "/saas_app/logto/": "calls to Logto",
    "/saas_app/db/": "Workroom: db",
    "/saas_app/identity/": "Workroom: identity",
    "/saas_app/web/": "Workroom: web",
    "/saas_app/limits/": "Workroom: limits",
    "/saas_app/models/": "Workroom: models",
    "/saas_app/rbac/": "Workroom: rbac",
    "/saas_app/": "Workroom: features",
}
"""The layer of a file, by the first part of its path that matches. Other files belong to their callers."""

CONCERNS: Final = {
    "/saas_app/web/limits": "rate limits",
    "/saas_app/limits/": "rate limits",
    "/saas_app/observability": "log line and request id",
    "/saas_app/web/security_headers": "security headers",
    "/saas_app/web/csrf": "CSRF",
    "/saas_app/web/hosts": "host names",
    "/saas_app/web/clean_request": "cleaning of path and query",
    "/saas_app/web/repeated_parameters": "cleaning of path and query",
    "/quart/sessions": "cookie of notices",
    "/saas_app/web/notices": "cookie of notices",
    "/saas_app/web/proof": "proof of the caller",
    "/saas_app/web/json_api/": "JSON: checks, validation and responses, with the view",
}
"""What is measured with everything it calls, except SQL statements, which run on stacks of their own."""


class Samples:
    """What was seen since the last reset."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._layers: Counter[str] = Counter()
        self._concerns: Counter[str] = Counter()

    def take(self, _number: int, frame: FrameType | None) -> None:
        """Add a sample."""
        paths = list(_paths(frame))
        self._layers[next(filter(None, map(_layer_of, paths)), LOOP)] += 1
        self._concerns.update(set(filter(None, map(_concern_of, paths))))

    def reset(self, _number: int, _frame: FrameType | None) -> None:
        """Forget all samples."""
        self._layers.clear()
        self._concerns.clear()

    def write(self, _number: int, _frame: FrameType | None) -> None:
        """Write the file. It appears when it is complete."""
        draft = self._file.with_suffix(".draft")
        draft.write_text(json.dumps({"layers": self._layers, "concerns": self._concerns}), encoding="utf-8")
        draft.rename(self._file)


def _paths(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back


@cache
def _layer_of(path: str) -> str | None:
    return next((layer for part, layer in LAYERS.items() if part in path), None)


@cache
def _concern_of(path: str) -> str | None:
    return next((concern for part, concern in CONCERNS.items() if part in path), None)


def main(file: str, *arguments: str) -> None:
    """Sample this process while it runs the command."""
    samples = Samples(Path(file))
    signal.signal(signal.SIGPROF, samples.take)
    signal.signal(signal.SIGUSR1, samples.reset)
    signal.signal(signal.SIGUSR2, samples.write)
    signal.setitimer(signal.ITIMER_PROF, _INTERVAL, _INTERVAL)
    saas_app(list(arguments), prog_name="saas-app")


if __name__ == "__main__":
    main(*sys.argv[1:])

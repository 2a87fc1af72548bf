"""Counts the SQL statements and the calls to Logto of a warm request, for each subject of the measurements.

Run it with ``python -m bench.statements``. It sends the requests to an application in this process, with the
settings and the database of one that is served.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import structlog
from quart import Quart
from sqlalchemy import event
from sqlalchemy.engine import Engine

from bench.client import Request
from bench.furnished import furnish
from bench.site import Site, running_site
from bench.subjects import SUBJECTS
from bench.table import as_table
from saas_app.app import create_app
from saas_app.config import load_settings

_WARM_UP = 3  # requests of each subject before one is counted


async def send(app: Quart, request: Request) -> None:
    """Send a request in this process. Fail on any status but the expected one."""
    parts = urlsplit(request.url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    method = "GET" if request.body is None else "POST"
    client = app.test_client(use_cookies=False)
    response = await client.open(path, method=method, headers=dict(request.headers), json=request.body)
    assert response.status_code == request.status, await response.get_data(as_text=True)


async def count(requests: Mapping[str, Request]) -> list[list[str]]:
    """Return a row for each subject: its title, SQL statements, calls to Logto."""
    statements: list[str] = []
    calls: list[str] = []

    async def note_call(_session: object, _context: object, params: aiohttp.TraceRequestStartParams) -> None:
        calls.append(str(params.url))

    event.listen(Engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    _trace_all_calls(note_call)
    app, rows = create_app(load_settings()), []
    async with app.test_app():
        for subject in SUBJECTS:
            for _ in range(_WARM_UP):
                await send(app, requests[subject.key])
            statements.clear()
            calls.clear()
            await send(app, requests[subject.key])
            rows.append([subject.title, str(len(statements)), str(len(calls))])
    return rows


def _trace_all_calls(note_call: Any) -> None:
    """Make each HTTP session that is opened from now on report the requests that it sends."""
    tracing, initialize = aiohttp.TraceConfig(), aiohttp.ClientSession.__init__
    tracing.on_request_start.append(note_call)

    def initialize_with_tracing(self: aiohttp.ClientSession, *arguments: Any, **named: Any) -> None:
        initialize(self, *arguments, **{**named, "trace_configs": [tracing]})

    aiohttp.ClientSession.__init__ = initialize_with_tracing  # type: ignore[method-assign]


def main() -> None:
    """Start everything, count, stop everything."""
    with running_site() as site:
        os.environ.update(site.environment)
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
        rows = asyncio.run(_count_at(site))
    print(as_table(["subject", "SQL statements", "calls to Logto"], rows))  # noqa: T201


async def _count_at(site: Site) -> list[list[str]]:
    return await count(await furnish(site))


if __name__ == "__main__":
    main()

"""Watches calls to Logto through aiohttp's hooks: kind, result and duration of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace

import aiohttp

from saas_app.logto.http import CallKind

Report = Callable[[str, str, float], None]
"""Receives the kind of a call, its result, and the seconds until Logto's response began."""


def reporting(report: Report) -> aiohttp.TraceConfig:
    """Return a configuration that reports each call when its response begins, or when it fails."""

    async def start(_session: aiohttp.ClientSession, call: SimpleNamespace, _params: object) -> None:
        call.began = time.perf_counter()

    async def end(
        _session: aiohttp.ClientSession, call: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        tell(call, result_of_status(params.response.status))

    async def fail(
        _session: aiohttp.ClientSession, call: SimpleNamespace, params: aiohttp.TraceRequestExceptionParams
    ) -> None:
        tell(call, result_of_failure(params.exception))

    def tell(call: SimpleNamespace, result: str) -> None:
        kind = call.trace_request_ctx or CallKind.OTHER
        report(str(kind), result, time.perf_counter() - call.began)

    config = aiohttp.TraceConfig()
    config.on_request_start.append(start)
    config.on_request_end.append(end)
    config.on_request_exception.append(fail)
    return config


def result_of_status(status: int) -> str:
    """Return ``ok``, ``refused`` for 400 to 499, or ``unavailable``."""
    if status < 400:
        return "ok"
    return "refused" if status < 500 else "unavailable"


def result_of_failure(failure: BaseException) -> str:
    """Return ``timeout``, ``canceled`` if we stopped waiting, or ``unavailable``."""
    if isinstance(failure, TimeoutError):
        return "timeout"
    return "canceled" if isinstance(failure, asyncio.CancelledError) else "unavailable"

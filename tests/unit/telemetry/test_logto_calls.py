"""How the result of a call to Logto is named."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from saas_app.telemetry.logto_calls import result_of_failure, result_of_status


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, "ok"),
        (303, "ok"),
        (400, "refused"),
        (429, "refused"),
        (500, "unavailable"),
        (503, "unavailable"),
    ],
)
def test_a_status_is_a_success_a_refusal_or_an_outage(status: int, result: str) -> None:
    assert result_of_status(status) == result


@pytest.mark.parametrize(
    ("failure", "result"),
    [
        (TimeoutError(), "timeout"),
        (aiohttp.ServerTimeoutError(), "timeout"),
        (aiohttp.ServerDisconnectedError(), "unavailable"),
        (asyncio.CancelledError(), "canceled"),
    ],
    ids=["our time limit", "aiohttp's time limit", "a lost connection", "a caller who leaves"],
)
def test_a_failure_is_a_timeout_an_outage_or_a_caller_who_leaves(failure: BaseException, result: str) -> None:
    assert result_of_failure(failure) == result

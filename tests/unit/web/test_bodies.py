"""Queries are checked before any model validates them."""

from __future__ import annotations

import pytest
from quart import Quart

from saas_app.errors import BadRequest
from saas_app.web.json_api import ListQuery, validate_querystring
from saas_app.web.json_api.bodies import MAX_QUERY_LENGTH, check_sent


@validate_querystring(ListQuery)
async def takes_a_query() -> str:
    return ""


async def takes_nothing() -> str:
    return ""


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("x=%00", "NUL"),
        ("%00=x", "NUL"),
        ("x=%FF", "UTF-8"),
        ("x=%C0%80", "UTF-8"),
        ("x=%ED%A0%80", "UTF-8"),
        ("x=" + "y" * MAX_QUERY_LENGTH, "longer"),
    ],
)
async def test_a_malformed_query_is_rejected_by_a_view_that_takes_one(query: str, message: str) -> None:
    async with Quart(__name__).test_request_context(f"/api/v1/things?{query}"):
        with pytest.raises(BadRequest, match=message):
            await check_sent(takes_a_query)
        await check_sent(takes_nothing)


@pytest.mark.parametrize("query", ["", "x", "x=%F0%9F%9A%80", "x=%2500", "x=" + "y" * (MAX_QUERY_LENGTH - 2)])
async def test_any_other_query_is_left_to_the_model(query: str) -> None:
    async with Quart(__name__).test_request_context(f"/api/v1/things?{query}"):
        await check_sent(takes_a_query)

"""The models of the API: what a view gets from a query or a body, and what a client gets from a view."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError
from quart import Quart, Response

from saas_app.errors import BadRequest, Invalid
from saas_app.web.json_api import (
    ApiModel,
    ListQuery,
    validate_querystring,
    validate_request,
    validate_response,
)


class Thing(ApiModel):
    """A response with every kind of value that ours have."""

    name: str
    id: uuid.UUID
    at: datetime
    more: dict[str, Any] | None


THING = Thing(
    name="Zoë 🚀 </script>",
    id=uuid.UUID(int=7),
    at=datetime(2027, 1, 31, 9, 30, 0, 120, tzinfo=UTC),
    more={"b": [1, 2.5, None, True], "a": "\u2028"},
)


class Limits(ApiModel):
    """A request with many fields that may be missing."""

    first: int


@validate_querystring(ListQuery)
async def read_query(query_args: ListQuery) -> ListQuery:
    return query_args


@validate_request(Limits)
async def read_body(data: Limits) -> Limits:
    return data


async def _answer(result: Any, status: int = 200) -> Response:
    @validate_response(Thing, status)
    async def view() -> Any:
        return result

    async with Quart(__name__).test_request_context("/"):
        response: Response = await view()
    return response


async def test_a_model_is_sent_as_json_in_ascii() -> None:
    response = await _answer(THING)
    assert response.status_code == 200
    assert response.content_type == "application/json"
    text = await response.get_data(as_text=True)
    assert text.isascii()
    assert text.endswith("}\n")
    assert json.loads(text) == {
        "name": "Zoë 🚀 </script>",
        "id": "00000000-0000-0000-0000-000000000007",
        "at": "2027-01-31T09:30:00.000120Z",
        "more": {"b": [1, 2.5, None, True], "a": "\u2028"},
    }


def test_a_model_is_read_from_a_value_with_its_attributes_and_no_others() -> None:
    @dataclass(frozen=True)
    class Row:
        name: str
        id: uuid.UUID
        at: datetime
        more: dict[str, Any] | None
        internal: str = "not for clients"

    @dataclass(frozen=True)
    class Page:
        items: tuple[Row, ...]

    class Things(ApiModel):
        items: list[Thing]

    row = Row(THING.name, THING.id, THING.at, THING.more)
    assert Thing.of(row) == THING
    assert Things.of(Page((row, row))) == Things.of({"items": [row, row]}) == Things(items=[THING, THING])
    with pytest.raises(ValidationError):
        Thing.of(Page(()))


async def test_a_view_may_add_a_status_and_headers() -> None:
    response = await _answer((THING, 201, {"ETag": '"1"'}), 201)
    assert response.status_code == 201
    assert response.headers["ETag"] == '"1"'
    assert (await _answer((THING, 201), 201)).status_code == 201


@pytest.mark.parametrize("result", [{"name": "no model"}, (THING, 202), Limits(first=1), Response("text")])
async def test_a_view_that_returns_anything_undeclared_fails(result: Any) -> None:
    with pytest.raises(TypeError, match="must return Thing with status 200"):
        await _answer(result)


async def test_an_unknown_or_wrong_parameter_is_named() -> None:
    async with Quart(__name__).test_request_context("/?limit=5&cursor=x"):
        assert await read_query() == ListQuery(limit=5, cursor="x")
    async with Quart(__name__).test_request_context("/?limit=many&unknown=1"):
        with pytest.raises(BadRequest, match=r"limit: .*; unknown: ") as refused:
            await read_query()
    assert "many" not in refused.value.detail


@pytest.mark.parametrize("body", [None, [], "text", 7])
async def test_a_body_must_be_an_object(body: object) -> None:
    async with Quart(__name__).test_request_context("/", method="POST", json=body):
        with pytest.raises(Invalid) as refused:
            await read_body()
    assert set(refused.value.fields) == {"body"}


async def test_at_most_twenty_fields_are_named() -> None:
    body = {f"unknown{number}": number for number in range(100)}
    async with Quart(__name__).test_request_context("/", method="POST", json=body):
        with pytest.raises(Invalid) as refused:
            await read_body()
    assert len(refused.value.fields) == 20

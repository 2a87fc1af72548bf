"""The cookie of flashed notices: signed, read once, and not even mentioned to requests that have none."""

from __future__ import annotations

import pytest
from quart import Quart, flash, get_flashed_messages

from saas_app.web.notices import Notices


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "only for these tests"
    app.session_interface = Notices()

    @app.post("/")
    async def change() -> str:
        await flash("Project created.")
        return ""

    @app.get("/")
    async def show() -> list[str]:
        return list(get_flashed_messages())

    @app.get("/plain")
    async def plain() -> str:
        return ""

    return app


async def test_a_notice_is_shown_once(app: Quart) -> None:
    client = app.test_client()
    await client.post("/")
    assert await (await client.get("/plain")).get_data() == b""
    assert await (await client.get("/")).get_json() == ["Project created."]
    assert await (await client.get("/")).get_json() == []


async def test_a_forged_notice_is_not_shown(app: Quart) -> None:
    client = app.test_client()
    changed = await client.post("/")
    value = changed.headers["Set-Cookie"].partition("session=")[2].partition(";")[0]
    payload, _, signature = value.rpartition(".")
    forged = f"{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    client.set_cookie("localhost", "session", forged)
    assert await (await client.get("/")).get_json() == []


async def test_a_response_depends_on_the_cookie_only_if_its_view_read_it(app: Quart) -> None:
    client = app.test_client()
    await client.post("/")
    assert (await client.get("/")).headers["Vary"] == "Cookie"
    plain = await client.get("/plain")
    assert "Vary" not in plain.headers
    assert "Set-Cookie" not in plain.headers

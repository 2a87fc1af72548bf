"""Changing requests are accepted from our own pages only."""

import pytest
from quart import Quart

from saas_app.config import Settings
from saas_app.errors import CrossSiteRequest
from saas_app.web import csrf, rules
from saas_app.web.guards import public, public_webhook


@pytest.fixture(name="app")
def _app(web_settings: Settings) -> Quart:
    app = Quart(__name__)
    rules.init(app, checks=[csrf.cross_site_refused(web_settings)])

    @app.route("/", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
    async def view() -> str:
        return "done"

    @app.post("/page")
    @public
    async def page() -> str:
        return "done"

    @app.post("/webhook")
    @public_webhook
    async def webhook() -> str:
        return "done"

    @app.errorhandler(CrossSiteRequest)
    async def refused(error: CrossSiteRequest) -> tuple[str, int]:
        return error.code, error.status

    return app


async def _status(app: Quart, method: str, headers: dict[str, str]) -> int:
    response = await app.test_client().open("/", method=method, headers=headers)
    return response.status_code


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://work.example"}, 403),
        ({"Origin": "https://work.example"}, 200),
        ({"Origin": "https://WORK.example:443"}, 200),
        ({"Origin": "https://work.example:8443"}, 403),
        ({"Origin": "http://work.example"}, 403),
        ({"Origin": "https://work.example.evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Referer": "https://work.example/o"}, 403),
        ({}, 403),
    ],
)
async def test_a_changing_request_needs_our_own_origin(
    app: Quart, method: str, headers: dict[str, str], status: int
) -> None:
    assert await _status(app, method, headers) == status


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_reading_request_may_come_from_another_site(app: Quart, method: str) -> None:
    assert await _status(app, method, {"Sec-Fetch-Site": "cross-site"}) == 200


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.test"}])
async def test_only_a_route_declared_for_programs_is_exempt(app: Quart, headers: dict[str, str]) -> None:
    client = app.test_client()

    assert (await client.post("/webhook", headers=headers)).status_code == 200
    assert (await client.post("/page", headers=headers)).status_code == 403
    assert (await client.post("/nowhere", headers=headers)).status_code == 403

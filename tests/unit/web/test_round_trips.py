"""What a browser, a form and a program are told when only a round trip to Logto helps."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from quart import Quart, g
from quart.typing import ResponseReturnValue

from saas_app.config import TEMPLATES
from saas_app.identity.principal import Principal
from saas_app.identity.renewal import RenewalRequired, StepUpRequired
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Permission
from saas_app.rbac.policy import decide
from saas_app.web import error_pages, round_trips, templating


@pytest.fixture(name="app")
def _app(carol: Principal, carol_at_acme: Tenant) -> Quart:
    app = Quart(__name__, static_folder=None, template_folder=str(TEMPLATES))
    app.secret_key = "only for flashed messages"
    app.extensions["workroom"] = SimpleNamespace(
        settings=SimpleNamespace(app_url="https://workroom.test", fresh_sign_in_max_age=600),
        kept_forms=SimpleNamespace(mark=lambda subject: f"mark of {subject}"),
    )
    templating.init(app)
    error_pages.init(app)
    round_trips.init(app)
    decision = decide(carol_at_acme.facts, Permission.PROJECTS_WRITE)
    raised: dict[str, Exception] = {
        "renew": RenewalRequired("acme projects:write", decision),
        "fresh": StepUpRequired("acme fresh", just_made=False, max_age=600),
        "in-vain": StepUpRequired("acme fresh", just_made=True, max_age=600),
    }

    @app.before_request
    async def know_the_caller() -> None:
        g.request_id, g.principal, g.tenant = "request-17", carol, carol_at_acme

    @app.route("/o/<which>", methods=["GET", "POST"])
    @app.route("/api/<which>", methods=["GET", "POST"])
    async def refuse(which: str) -> ResponseReturnValue:
        raise raised[which]

    return app


async def send(app: Quart, method: str, path: str, status: int, **options: Any) -> Any:
    response = await app.test_client().open(path, method=method, **options)
    assert response.status_code == status
    return response


async def test_a_page_goes_through_a_silent_round_trip_and_back(app: Quart) -> None:
    answer = await send(app, "GET", "/o/renew?status=all", 303)
    assert answer.headers["Location"] == (
        "/sign-in/renew?next=%2Fo%2Frenew%3Fstatus%3Dall&for=acme+projects%3Awrite"
    )


async def test_a_form_is_kept_on_a_page_with_one_button(app: Quart) -> None:
    answer = await send(app, "POST", "/o/renew", 403, form={"name": "Moon & back"})
    page = await answer.get_data(as_text=True)
    assert 'action="/sign-in/renew"' in page
    assert 'value="acme projects:write"' in page
    assert 'value="Moon &amp; back"' in page


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_program_is_told_to_sign_in_again(app: Quart, method: str) -> None:
    answer = await send(app, method, "/api/renew", 401)
    assert (await answer.get_json(force=True))["code"] == "sign-in-required"


async def test_a_page_that_wants_a_fresh_sign_in_goes_through_one_and_back(app: Quart) -> None:
    answer = await send(app, "GET", "/o/fresh", 303)
    assert answer.headers["Location"] == "/sign-in/fresh?next=%2Fo%2Ffresh&for=acme+fresh"


@pytest.mark.parametrize(
    ("method", "path", "says"),
    [
        ("GET", "/o/in-vain", "did not confirm"),
        ("POST", "/o/fresh", "Nothing was changed"),
        ("GET", "/api/fresh", "Nothing was changed"),
    ],
    ids=["a page that just did", "a form", "a program"],
)
async def test_everybody_else_is_told_that_the_sign_in_is_too_old(
    app: Quart, method: str, path: str, says: str
) -> None:
    answer = await send(app, method, path, 401)
    assert says in await answer.get_data(as_text=True)
    assert 'error="insufficient_user_authentication", max_age="600"' in answer.headers["WWW-Authenticate"]

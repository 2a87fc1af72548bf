"""Responses to a page, a form and a program if only a round trip to Logto helps."""

from __future__ import annotations

from typing import Any

import pytest
from quart import Quart

from saas_app.identity.renewal import RenewalRequired, StepUpRequired
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Permission
from saas_app.rbac.policy import decide
from saas_app.web import round_trips
from tests.unit.web.conftest import RaisingApp


@pytest.fixture(name="app")
def _app(raising_app: RaisingApp, carol_at_acme: Tenant) -> Quart:
    decision = decide(carol_at_acme.facts, Permission.PROJECTS_WRITE)
    raised: dict[str, Exception] = {
        "renew": RenewalRequired("acme projects:write", decision),
        "fresh": StepUpRequired("acme fresh", just_made=False, max_age=600),
        "in-vain": StepUpRequired("acme fresh", just_made=True, max_age=600),
    }
    app = raising_app(raised, "/o", "/api")
    round_trips.init(app)
    return app


async def send(app: Quart, method: str, path: str, status: int, **options: Any) -> Any:
    response = await app.test_client().open(path, method=method, **options)
    assert response.status_code == status
    return response


async def test_a_page_is_renewed_by_a_silent_round_trip(app: Quart) -> None:
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
async def test_the_api_answers_401_if_access_must_be_renewed(app: Quart, method: str) -> None:
    answer = await send(app, method, "/api/renew", 401)
    assert (await answer.get_json(force=True))["code"] == "sign-in-required"


async def test_a_page_that_requires_a_fresh_sign_in_redirects_to_one_and_back(app: Quart) -> None:
    answer = await send(app, "GET", "/o/fresh", 303)
    assert answer.headers["Location"] == "/sign-in/fresh?next=%2Fo%2Ffresh&for=acme+fresh"


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("GET", "/o/in-vain", "did not confirm"),
        ("POST", "/o/fresh", "Nothing was changed"),
        ("GET", "/api/fresh", "Nothing was changed"),
    ],
    ids=["a page after a failed attempt", "a form", "the API"],
)
async def test_a_form_the_api_and_a_failed_attempt_get_401_for_an_old_sign_in(
    app: Quart, method: str, path: str, message: str
) -> None:
    answer = await send(app, method, path, 401)
    assert message in await answer.get_data(as_text=True)
    assert 'error="insufficient_user_authentication", max_age="600"' in answer.headers["WWW-Authenticate"]

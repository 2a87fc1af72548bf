"""Errors become pages for people and problem documents for programs."""

from typing import Any

import pytest
from quart import Quart, g, redirect
from quart.typing import ResponseReturnValue

from saas_app.errors import (
    AppError,
    BadRequest,
    DatabaseUnavailable,
    Invalid,
    LogtoUnavailable,
    NotFound,
    PermissionDenied,
    SignInFailed,
    SignInRequired,
)
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Permission, roles_granting
from saas_app.rbac.policy import decide
from saas_app.web import error_pages
from tests.unit.web.conftest import RaisingApp

JSON = {"Accept": "application/json"}


@pytest.fixture(name="app")
def _app(raising_app: RaisingApp, carol_at_acme: Tenant) -> Quart:
    errors: dict[str, Exception] = {
        "bad": BadRequest("The <color> is missing."),
        "signed-out": SignInRequired(),
        "denied": PermissionDenied(decide(carol_at_acme.facts, Permission.PROJECTS_WRITE)),
        "missing": NotFound("This organization does not exist, or you are not a member."),
        "invalid": Invalid("Check it.", fields={"name": "Too long."}),
        "logto": LogtoUnavailable(retry_after=7),
        "database": DatabaseUnavailable("The database did not respond."),
        "sign-in": SignInFailed("Logto denied access for this account."),
        "crash": RuntimeError("password=hunter2"),
    }
    app = raising_app(errors, "/fail", "/api/fail")

    @app.get("/moved/")
    async def moved() -> ResponseReturnValue:
        return redirect("/elsewhere")

    return app


async def _page(app: Quart, path: str, status: int, **options: Any) -> str:
    response = await app.test_client().get(path, **options)
    assert response.status_code == status
    assert response.content_type.startswith("text/html")
    return str(await response.get_data(as_text=True))


async def _problem(app: Quart, path: str, status: int, **options: Any) -> dict[str, Any]:
    response = await app.test_client().get(path, **options)
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    document: dict[str, Any] = await response.get_json(force=True)
    assert document["status"] == status
    assert document["request_id"] == "request-17"
    return document


async def test_an_error_page_says_what_went_wrong_and_escapes_it(app: Quart) -> None:
    page = await _page(app, "/fail/bad", 400)
    assert "The &lt;color&gt; is missing." in page
    assert "Carol &lt;b&gt;Diaz&lt;/b&gt;" in page


async def test_an_api_client_gets_a_problem_document(app: Quart) -> None:
    assert await _problem(app, "/api/fail/missing", 404) == {
        "type": "urn:workroom:problem:not-found",
        "title": "Not found",
        "status": 404,
        "detail": "This organization does not exist, or you are not a member.",
        "code": "not-found",
        "request_id": "request-17",
    }


async def test_a_caller_that_prefers_json_gets_it_outside_the_api_too(app: Quart) -> None:
    assert (await _problem(app, "/fail/bad", 400, headers=JSON))["code"] == "bad-request"


async def test_a_denial_carries_the_whole_decision(app: Quart) -> None:
    decision = (await _problem(app, "/api/fail/denied", 403))["decision"]
    assert decision["allowed"] is False
    assert decision["permission"] == "projects:write"
    assert [(step["step"], step["passed"]) for step in decision["steps"]] == [
        ("authenticated", True),
        ("member", True),
        ("audience", True),
        ("permission", False),
    ]
    assert decision["roles_that_grant"] == [role.value for role in roles_granting(Permission.PROJECTS_WRITE)]


async def test_the_denial_page_explains_the_decision(app: Quart) -> None:
    page = await _page(app, "/fail/denied", 403)
    for text in (
        "projects:write",
        "does not include",
        "admin",
        "editor",
        "Acme &amp; Sons",
        "/o/acme/access",
    ):
        assert text in page
    assert "integration" not in page


async def test_invalid_fields_are_named(app: Quart) -> None:
    assert (await _problem(app, "/api/fail/invalid", 422))["errors"] == {"name": "Too long."}


async def test_a_page_redirects_to_sign_in_and_back(app: Quart) -> None:
    response = await app.test_client().get("/fail/signed-out?q=a%26b")
    assert response.status_code == 303
    assert response.headers["Location"] == "/sign-in?next=%2Ffail%2Fsigned-out%3Fq%3Da%2526b"


@pytest.mark.parametrize(
    ("referrer", "way_back"),
    [
        ("http://localhost/o/acme/projects?q=a", "%2Fo%2Facme%2Fprojects%3Fq%3Da"),
        ("https://evil.test/o", "%2F"),
        ("http://localhost//evil.test", "%2F"),
        ("http://[", "%2F"),
        ("", "%2F"),
    ],
)
async def test_a_form_leads_back_to_its_own_page(app: Quart, referrer: str, way_back: str) -> None:
    response = await app.test_client().post("/fail/signed-out", headers={"Referer": referrer})
    assert response.status_code == 303
    assert response.headers["Location"] == f"/sign-in?next={way_back}"


async def test_the_api_answers_401_and_how_to_authenticate(app: Quart) -> None:
    response = await app.test_client().get("/api/fail/signed-out")
    assert response.status_code == 401
    metadata = "https://workroom.test/.well-known/oauth-protected-resource"
    assert response.headers["WWW-Authenticate"] == f'Bearer resource_metadata="{metadata}"'


def assert_hides_the_cause(text: str) -> None:
    for part in ("hunter2", "Traceback", "RuntimeError"):
        assert part not in text


async def test_the_page_for_a_failure_shows_the_request_id_but_not_the_cause(app: Quart) -> None:
    page = await _page(app, "/fail/crash", 500)
    assert "request-17" in page
    assert_hides_the_cause(page)


async def test_the_problem_document_for_a_failure_hides_the_cause(app: Quart) -> None:
    assert_hides_the_cause(str(await _problem(app, "/api/fail/crash", 500)))


async def test_the_page_for_an_unavailable_logto_offers_to_try_again(app: Quart) -> None:
    page = await _page(app, "/fail/logto?x=1", 503)
    assert 'href="/fail/logto?x=1">Try again' in page


async def test_the_response_for_an_unavailable_logto_says_when_to_retry(app: Quart) -> None:
    response = await app.test_client().get("/fail/logto")
    assert response.headers["Retry-After"] == "7"


async def test_the_page_for_an_unavailable_database_does_not_wait_for_it_again(
    app: Quart, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def ask() -> None:
        asked.append("who is signed in")

    @app.before_request
    async def nobody_is_known_yet() -> None:
        g.principal = None

    monkeypatch.setattr(error_pages, "find_principal", ask)

    await _page(app, "/fail/database", 503)
    assert asked == []


async def test_a_failed_sign_in_offers_to_sign_in_again(app: Quart) -> None:
    page = await _page(app, "/fail/sign-in", 400)
    assert "Logto denied access for this account." in page
    assert 'href="/sign-in"' in page


async def test_an_unknown_path_is_not_found(app: Quart) -> None:
    assert "Not found" in await _page(app, "/nowhere", 404)


async def test_an_unknown_path_of_the_api_is_not_found(app: Quart) -> None:
    assert (await _problem(app, "/api/nowhere", 404))["code"] == "not-found"


async def test_a_method_that_is_not_allowed_names_those_that_are(app: Quart) -> None:
    response = await app.test_client().delete("/fail/bad")
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


async def test_redirects_of_the_router_stay_redirects(app: Quart) -> None:
    response = await app.test_client().get("/moved")
    assert response.status_code == 308


def test_every_application_error_has_a_status_a_code_and_a_title() -> None:
    for error in AppError.__subclasses__():
        assert 400 <= error.status < 600
        assert error.code
        assert error.title

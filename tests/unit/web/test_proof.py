"""Which credential counts if a request has one or both."""

from __future__ import annotations

import pytest
from quart import Quart, request

from saas_app.web import proof

BEARER = {"Authorization": "Bearer some-token"}
COOKIE = {"Cookie": "workroom_session=some-session"}
SUPPORT = {"Cookie": "workroom_session=some-session; workroom_support=some-access"}


@pytest.fixture
def proved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The credentials that proved the callers of this test."""
    by: list[str] = []

    async def prove_session(organization_id: str | None = None) -> None:
        by.append("session")

    async def prove_token(token: str, organization_id: str | None) -> None:
        by.append(token)

    async def prove_support(organization_id: str | None) -> str | None:
        if "workroom_support" not in request.cookies:
            return None
        by.append("support")
        return "somebody"

    monkeypatch.setattr(proof, "prove_support", prove_support)
    monkeypatch.setattr(proof, "prove_session", prove_session)
    monkeypatch.setattr(proof, "prove_token", prove_token)
    return by


@pytest.mark.parametrize(
    ("path", "headers", "by"),
    [
        ("/api/v1/me", {}, "session"),
        ("/api/v1/me", COOKIE, "session"),
        ("/api/v1/me", BEARER, "some-token"),
        ("/api/v1/me", BEARER | COOKIE, "some-token"),
        ("/o/acme/projects", BEARER | COOKIE, "session"),
        ("/o/acme/projects", SUPPORT, "support"),
        ("/api/v1/me", BEARER | SUPPORT, "some-token"),
    ],
    ids=["neither", "cookie", "token", "both", "a page", "support", "token and support"],
)
async def test_the_api_ignores_the_cookie_if_there_is_a_bearer_token(
    proved: list[str], path: str, headers: dict[str, str], by: str
) -> None:
    async with Quart(__name__).test_request_context(path, headers=headers):
        await proof.prove("acme")
    assert proved == [by]

"""The lesson of this project on one route: the response to each kind of caller, step by step.

The route lists the audit log of an organization and requires ``audit:read``. Read this file next to
``docs/rbac-guide.md``. Step 4, a fresh sign-in, is not required here: see
``tests/integration/identity/test_step_up.py``. ``tests/README.md`` introduces the fixtures.
"""

from __future__ import annotations

from typing import Any

import pytest
from quart.wrappers import Response

from saas_app.rbac.permissions import Permission, Role, RoleType, roles_granting
from tests.clients import Browser
from tests.conftest import OpenBrowser
from tests.factories import Factory

PERMISSION = Permission.AUDIT_READ
GRANTING = roles_granting(PERMISSION)[0]
NOT_GRANTING = next(
    role for role in Role if role.type is RoleType.USER and role not in roles_granting(PERMISSION)
)
UNKNOWN = "doesnotexist"


def route(organization_id: str) -> str:
    return f"/api/v1/organizations/{organization_id}/audit-events"


def page(organization_id: str) -> str:
    return f"/o/{organization_id}/audit"


async def body(response: Response) -> dict[str, Any]:
    """Return the JSON of a response without the id of the request, which always differs."""
    answer: dict[str, Any] = await response.get_json(force=True)
    answer.pop("request_id", None)
    return answer


@pytest.fixture
async def acme(make: Factory) -> str:
    return await make.organization("Acme")


@pytest.fixture
async def nobody(open_browser: OpenBrowser) -> Browser:
    """A browser without a session."""
    return await open_browser()


@pytest.fixture
async def stranger(make: Factory, open_browser: OpenBrowser) -> Browser:
    """A person who has the permission in another organization."""
    gail = await make.person("Gail")
    await make.organization("Globex", **{GRANTING.value: gail})
    return await open_browser(gail)


@pytest.fixture
async def member(make: Factory, open_browser: OpenBrowser, acme: str) -> Browser:
    """A member of Acme whose role does not grant the permission."""
    return await open_browser(await make.member(acme, "Vera", NOT_GRANTING))


@pytest.fixture
async def auditor(make: Factory, open_browser: OpenBrowser, acme: str) -> Browser:
    """A member of Acme whose role grants the permission."""
    return await open_browser(await make.member(acme, "Alice", GRANTING))


async def test_step_1_without_a_credential_the_api_answers_401(nobody: Browser, acme: str) -> None:
    answer = await nobody.get(route(acme), 401)
    assert (await body(answer))["code"] == "sign-in-required"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


async def test_step_1_without_a_credential_a_page_redirects_to_sign_in_and_back(
    nobody: Browser, acme: str
) -> None:
    answer = await nobody.get(page(acme), 303)
    assert answer.headers["Location"] == f"/sign-in?next=%2Fo%2F{acme}%2Faudit"


async def test_step_2_an_organization_that_does_not_exist_answers_404(stranger: Browser) -> None:
    answer = await stranger.get(route(UNKNOWN), 404)
    assert (await body(answer))["code"] == "not-found"


async def test_step_2_an_organization_of_others_answers_404(stranger: Browser, acme: str) -> None:
    answer = await stranger.get(route(acme), 404)
    assert (await body(answer))["code"] == "not-found"


async def test_step_2_a_stranger_cannot_tell_the_two_apart(stranger: Browser, acme: str) -> None:
    unknown, of_others = await stranger.get(route(UNKNOWN), 404), await stranger.get(route(acme), 404)
    assert await body(unknown) == await body(of_others)
    assert set(unknown.headers.keys()) == set(of_others.headers.keys())


async def test_step_3_a_member_without_the_permission_gets_403_with_the_reason(
    member: Browser, acme: str
) -> None:
    decision = (await body(await member.get(route(acme), 403)))["decision"]
    assert [(step["step"], step["passed"]) for step in decision["steps"]] == [
        ("authenticated", True),
        ("member", True),
        ("audience", True),
        ("permission", False),
    ]
    assert decision["permission"] == PERMISSION.value
    assert GRANTING.value in decision["roles_that_grant"]


async def test_step_5_a_member_with_the_permission_gets_200(auditor: Browser, acme: str) -> None:
    answer = await auditor.get(route(acme), 200)
    assert "items" in await body(answer)

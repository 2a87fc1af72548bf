"""Clocks that differ: Logto's and ours by up to 29 s, and those of two of our hosts.

Logto is a separate process with the real time. The tests move our clock.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from saas_app.identity.membership_changes import note_change
from saas_app.logto import ManagementClient
from saas_app.models import MembershipChange
from saas_app.rbac.permissions import Carrier, Role
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.bearer import ApiClient, Mint, PersonClient

PROJECT = {"name": "Made by a program"}


@contextmanager
def our_clock_moved_by(seconds: float) -> Iterator[None]:
    """Move the clock of this process."""
    with time_machine.travel(time.time() + seconds, tick=True):
        time.time()  # a moved clock starts at the first reading
        yield


@pytest.fixture(params=[-29, -5, 20, 29])
def ahead(request: pytest.FixtureRequest) -> Iterator[int]:
    """The seconds by which Logto's clock is ahead of ours."""
    seconds: int = request.param
    with our_clock_moved_by(-seconds):
        yield seconds


@pytest.fixture
async def editor(make: Factory) -> Person:
    return await make.person("Eve")


@pytest.fixture
async def organization_id(make: Factory, editor: Person) -> str:
    return await make.organization("Acme", editor=editor, admin=await make.person("Ada"))


@pytest.fixture
async def admin(make: Factory, as_person: PersonClient, organization_id: str, ahead: int) -> ApiClient:
    """A client of an admin who changes the roles of others, with a token of the organization."""
    ada = await make.member(organization_id, "Ada", Role.ADMIN)
    return await as_person(ada, organization_id, Carrier.ORGANIZATION_TOKEN)


async def give_role(admin: ApiClient, person: Person, role: Role) -> None:
    """Change a member's role through the API."""
    path = f"/members/{person.id}"
    seen = (await admin.call("GET", path)).headers["ETag"]
    await admin.call("PUT", f"{path}/roles", json={"roles": [role.value]}, headers={"If-Match": seen})


async def test_a_removed_members_tokens_stay_rejected_and_a_new_one_works(
    ahead: int,
    make: Factory,
    admin: ApiClient,
    editor: Person,
    organization_id: str,
    as_person: PersonClient,
) -> None:
    """One scenario: the old tokens must not work again when the person rejoins."""
    used, unused = [await as_person(editor, organization_id) for _ in range(2)]
    await used.call("POST", "/projects", 201, json=PROJECT)

    await admin.call("DELETE", f"/members/{editor.id}", 204)

    for old in (used, unused):
        assert (await old.json("GET", "/projects", 401))["code"] == "invalid-token"
        await old.call("POST", "/projects", 401, json=PROJECT)
    await make.join(organization_id, editor, Role.EDITOR)
    new = await as_person(editor, organization_id)
    await new.call("POST", "/projects", 201, json=PROJECT)
    for old in (used, unused):
        await old.call("GET", "/projects", 401)


async def test_a_demoted_members_tokens_are_rejected_and_a_new_one_works(
    ahead: int, admin: ApiClient, editor: Person, organization_id: str, as_person: PersonClient
) -> None:
    used, unused = [await as_person(editor, organization_id) for _ in range(2)]
    await used.call("GET", "/projects")

    await give_role(admin, editor, Role.VIEWER)

    for old in (used, unused):
        await old.call("GET", "/projects", 401)
        await old.call("POST", "/projects", 401, json=PROJECT)
    new = await as_person(editor, organization_id)
    await new.call("GET", "/projects")
    await new.call("POST", "/projects", 403, json=PROJECT)


async def test_a_token_from_before_a_promotion_is_rejected_too(
    ahead: int, make: Factory, admin: ApiClient, organization_id: str, mint: Mint, as_person: PersonClient
) -> None:
    viewer = await make.member(organization_id, "Vera", Role.VIEWER)
    at_logto = int(time.time()) + ahead
    scope = "projects:read"
    old = mint(organization_id, sub=viewer.id, iat=at_logto - 10, exp=at_logto + 600, scope=scope)

    await give_role(admin, viewer, Role.EDITOR)

    await ApiClient(admin.app, organization_id, old).call("GET", "/projects", 401)
    new = await as_person(viewer, organization_id)
    await new.call("POST", "/projects", 201, json=PROJECT)


async def test_a_new_token_stays_valid_when_the_change_is_reported_again(
    ahead: int,
    runtime: Runtime,
    editor: Person,
    organization_id: str,
    as_person: PersonClient,
) -> None:
    await note_change(runtime.work, organization_id, editor.id)
    new = await as_person(editor, organization_id)
    await new.call("GET", "/projects")

    await note_change(runtime.work, organization_id, editor.id)

    await new.call("GET", "/projects")


async def test_a_token_from_before_a_suspension_is_rejected(
    ahead: int,
    runtime: Runtime,
    management: ManagementClient,
    editor: Person,
    organization_id: str,
    as_person: PersonClient,
) -> None:
    unused = await as_person(editor, organization_id)
    await management._transport.call("PATCH", f"/users/{editor.id}/is-suspended", body={"isSuspended": True})

    await note_change(runtime.work, organization_id, editor.id)

    await unused.call("GET", "/projects", 401)


@pytest.mark.parametrize("other_host_is_ahead", [-29, 29])
async def test_a_change_noted_by_another_host_makes_a_session_fetch_its_token_again(
    other_host_is_ahead: int,
    make: Factory,
    runtime: Runtime,
    open_browser: OpenBrowser,
    editor: Person,
    organization_id: str,
) -> None:
    browser = await open_browser(editor)
    page = f"/o/{organization_id}/projects/new"
    await browser.get(page)
    await make.give_roles(organization_id, editor, Role.VIEWER)

    with our_clock_moved_by(other_host_is_ahead):
        await note_change(runtime.work, organization_id, editor.id)

    await browser.get(page, 403)
    async with runtime.jobs.reading() as db:
        noted = await db.scalar(
            sa.select(MembershipChange.changed_at).where(MembershipChange.subject == editor.id)
        )
    assert noted is not None
    assert abs(noted.timestamp() - time.time() - other_host_is_ahead) < timedelta(seconds=20).total_seconds()
    await browser.get(f"/o/{organization_id}/projects")

"""The ends of roles go with the membership, however it ends, and never with one that began since."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from saas_app.audit.recorder import SYSTEM, Action, AuditEntry, Target
from saas_app.changes.notes import write_note
from saas_app.db.base import utc_now
from saas_app.identity.membership_changes import note_change
from saas_app.models import RoleEnd, SessionRow, SessionToken
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from saas_app.webhooks.changes.deliveries import receive
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.bearer import ApiClient, PersonClient
from tests.integration.ending import FUTURE, ends_of, set_end
from tests.integration.members.conftest import Acme
from tests.integration.members.test_former_members import removal_of
from tests.integration.reconciling import reconciler_of, repairs_of

AN_HOUR_AGO = timedelta(hours=-1)


@pytest.fixture
async def bob(acme: Acme, make: Factory, runtime: Runtime) -> Person:
    """A member with a role that was given an hour ago, and ends in an hour."""
    person = await make.member(acme.id, "Bob", Role.EDITOR)
    await set_end(runtime, acme.id, person, Role.EDITOR, FUTURE)
    await was_given(runtime, acme.id, utc_now() + AN_HOUR_AGO)
    return person


async def was_given(runtime: Runtime, organization_id: str, moment: datetime) -> None:
    """Let the ends in an organization be as old as that."""
    async with runtime.work.writing(organization_id) as db:
        rows = sa.update(RoleEnd).where(RoleEnd.organization_id == organization_id)
        await db.execute(rows.values(given_at=moment))


async def test_a_removed_member_keeps_no_end(acme: Acme, bob: Person, runtime: Runtime) -> None:
    await acme.browser.post(acme.removal_of(bob), {"confirm": "yes"})

    assert await acme.roles_at_logto(bob) is None
    assert await ends_of(runtime, acme.id, bob) == {}


async def test_a_member_who_leaves_keeps_no_end(
    acme: Acme, bob: Person, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    browser = await open_browser(bob)

    await browser.post(f"{acme.root}/leave", {"confirm": "yes"})

    assert await ends_of(runtime, acme.id, bob) == {}


async def test_a_role_of_a_new_membership_does_not_end(
    acme: Acme, bob: Person, make: Factory, runtime: Runtime
) -> None:
    await acme.browser.post(acme.removal_of(bob), {"confirm": "yes"})
    await make.join(acme.id, bob, Role.EDITOR)

    assert await ends_of(runtime, acme.id, bob) == {}


async def test_a_removal_that_a_webhook_reports_ends_no_role_later(
    acme: Acme, bob: Person, runtime: Runtime
) -> None:
    await receive(runtime.work, removal_of(acme.id, bob.id))

    assert await ends_of(runtime, acme.id, bob) == {}


async def test_a_late_webhook_about_a_removal_leaves_an_end_that_was_set_since(
    acme: Acme, bob: Person, make: Factory, runtime: Runtime
) -> None:
    """Otherwise the role that the person has now would last."""
    late = removal_of(acme.id, bob.id)
    await set_end(runtime, acme.id, bob, Role.EDITOR, FUTURE)

    await receive(runtime.work, late)

    assert await ends_of(runtime, acme.id, bob) != {}


async def test_a_membership_that_logto_refuses_keeps_no_end(
    acme: Acme, bob: Person, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    browser = await open_browser(bob)
    await browser.follow(f"{acme.root}/projects")
    await acme.management.remove_member(acme.id, bob.id)
    await note_change(runtime.work, acme.id, bob.id)

    await browser.get(f"{acme.root}/projects", 404)

    assert await ends_of(runtime, acme.id, bob) == {}


async def test_reconciling_deletes_the_ends_of_former_members(
    acme: Acme, bob: Person, make: Factory, runtime: Runtime
) -> None:
    await acme.management.remove_member(acme.id, bob.id)

    await repairs_of(reconciler_of(runtime.jobs, make), acme.id)

    assert await ends_of(runtime, acme.id, bob) == {}


async def test_reconciling_deletes_the_end_of_a_role_that_was_taken_away_in_logto(
    acme: Acme, bob: Person, make: Factory, runtime: Runtime
) -> None:
    await make.give_roles(acme.id, bob, Role.VIEWER)

    repairs = await repairs_of(reconciler_of(runtime.jobs, make), acme.id)

    assert f"ends of roles that were taken away in Logto: {bob.id}" in repairs
    assert await ends_of(runtime, acme.id, bob) == {}


async def test_reconciling_leaves_the_end_of_a_role_that_may_have_another_name_now(
    acme: Acme, bob: Person, make: Factory, runtime: Runtime
) -> None:
    role = await make.role(f"helper {acme.id}")
    await make.give_roles(acme.id, bob, role)
    ends_at = await set_end(runtime, acme.id, bob, role, FUTURE)
    await was_given(runtime, acme.id, utc_now() + AN_HOUR_AGO)
    await make.rename_role(role, f"{role} renamed")

    await repairs_of(reconciler_of(runtime.jobs, make), acme.id)

    assert await ends_of(runtime, acme.id, bob) == {role: ends_at}


@pytest.fixture
async def program(bob: Person, acme: Acme, as_person: PersonClient, runtime: Runtime) -> ApiClient:
    """A program with a token that carries the role. Its owner has signed out, so nothing is cached here."""
    client = await as_person(bob, acme.id)
    async with runtime.jobs.writing() as db:
        await db.execute(sa.delete(SessionRow).where(SessionRow.subject == bob.id))
    return client


async def test_a_token_outlives_no_end_that_reconciling_deletes_with_the_role(
    acme: Acme, bob: Person, program: ApiClient, make: Factory, runtime: Runtime
) -> None:
    await make.give_roles(acme.id, bob, Role.VIEWER)
    await repairs_of(reconciler_of(runtime.jobs, make), acme.id)
    assert await ends_of(runtime, acme.id, bob) == {}

    await program.call("GET", "/projects", 401)


async def test_a_token_outlives_no_end_that_reconciling_deletes_with_the_membership(
    acme: Acme, bob: Person, program: ApiClient, make: Factory, runtime: Runtime
) -> None:
    await acme.management.remove_member(acme.id, bob.id)
    await repairs_of(reconciler_of(runtime.jobs, make), acme.id)
    assert await ends_of(runtime, acme.id, bob) == {}

    await program.call("GET", "/projects", 401)


async def test_a_token_outlives_no_end_that_is_deleted_when_logto_refuses_the_membership(
    acme: Acme, bob: Person, program: ApiClient, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    browser = await open_browser(bob)
    await browser.follow(f"{acme.root}/projects")
    await acme.management.remove_member(acme.id, bob.id)
    async with runtime.jobs.writing() as db:
        cached = sa.update(SessionToken).where(SessionToken.organization_id == acme.id)
        await db.execute(cached.values(fetched_at=utc_now() + AN_HOUR_AGO))
    await browser.get(f"{acme.root}/projects", 404)
    assert await ends_of(runtime, acme.id, bob) == {}

    await program.call("GET", "/projects", 401)


async def test_reconciling_leaves_an_end_whose_role_is_about_to_be_given(
    acme: Acme, bob: Person, make: Factory, runtime: Runtime
) -> None:
    await make.give_roles(acme.id, bob, Role.VIEWER)
    await was_given(runtime, acme.id, utc_now())

    await repairs_of(reconciler_of(runtime.jobs, make), acme.id)

    assert await ends_of(runtime, acme.id, bob) != {}


async def test_reconciling_leaves_an_end_while_the_result_of_a_change_is_unknown(
    acme: Acme, bob: Person, make: Factory, runtime: Runtime
) -> None:
    await make.give_roles(acme.id, bob, Role.VIEWER)
    given = AuditEntry(SYSTEM, Action.MEMBER_CHANGE_ROLES, Target("member", bob.id, "Bob"))
    async with runtime.work.writing(acme.id) as db:
        write_note(db, given, [bob.id])

    await repairs_of(reconciler_of(runtime.jobs, make), acme.id)

    assert await ends_of(runtime, acme.id, bob) != {}


async def test_reconciling_leaves_the_end_of_a_role_that_is_held(
    acme: Acme, bob: Person, make: Factory, runtime: Runtime
) -> None:
    await repairs_of(reconciler_of(runtime.jobs, make), acme.id)

    assert await ends_of(runtime, acme.id, bob) != {}
    assert await acme.roles_at_logto(bob) == {Role.EDITOR}


async def test_reconciling_takes_away_what_has_ended_and_says_so(
    acme: Acme, bob: Person, make: Factory, runtime: Runtime
) -> None:
    await set_end(runtime, acme.id, bob, Role.EDITOR, AN_HOUR_AGO)

    repairs = await repairs_of(reconciler_of(runtime.jobs, make), acme.id)

    assert any(f"the {Role.EDITOR} role of {bob.id} ended at" in repair for repair in repairs)
    assert await acme.roles_at_logto(bob) == set()
    assert await repairs_of(reconciler_of(runtime.jobs, make), acme.id) == []

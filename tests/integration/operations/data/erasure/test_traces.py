"""Nothing of an erased person is left but a pseudonym, and other people stay as they are."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from saas_app.audit.recorder import Action
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.models import Project, RoleEnd, SsoPerson
from saas_app.operations.data.erasure import erase_person
from saas_app.runtime import Runtime
from saas_app.single_sign_on.queries import find_connection
from tests.integration.operations.data.erasure.zoe import Zoe, find_texts, let_a_day_pass
from tests.integration.records import events_of


async def test_before_the_erasure_the_person_is_in_many_tables(zoe: Zoe, plain: AsyncEngine) -> None:
    """This shows that the search of the other tests finds what is there."""
    found = await find_texts(plain, zoe.texts)

    assert {table for table, _column in found} == {
        "audit_actors", "audit_events", "domain_joins", "email_domains", "former_memberships",
        "idempotency_keys", "kept_forms",
        "membership_changes", "notifications", "projects", "role_ends", "sessions",
        "sso_connections", "sso_people", "support_accesses", "users",
    }  # fmt: skip
    assert {column for table, column in found if table == "audit_events"} >= {
        "actor_id", "actor_name", "target_id", "target_name", "decision"
    }  # fmt: skip


async def test_no_table_names_the_person_afterwards(
    zoe: Zoe, runtime: Runtime, operator: UnitOfWork, plain: AsyncEngine
) -> None:
    erased = await erase_person(operator, zoe.person.id)

    assert erased.is_marked
    left = await find_texts(plain, [zoe.person.id, zoe.person.username, zoe.email])
    assert left == {("membership_changes", "user_id")}
    await let_a_day_pass(operator, zoe)
    assert not (await erase_person(operator, zoe.person.id)).is_marked
    assert await find_texts(plain, [zoe.person.id, zoe.person.username, zoe.email]) == set()


async def test_another_member_with_the_same_name_keeps_it(
    zoe: Zoe, runtime: Runtime, operator: UnitOfWork
) -> None:
    await erase_person(operator, zoe.person.id)

    named = [
        event.target_id for event in await events_of(runtime, zoe.office.id) if zoe.name in str(vars(event))
    ]
    assert named == ["other"]


async def test_other_people_stay_as_they_are(zoe: Zoe, runtime: Runtime, operator: UnitOfWork) -> None:
    hers = [zoe.person.id, zoe.email.upper()]
    before = [event for event in await events_of(runtime, zoe.office.id) if event.actor_id not in hers]

    await erase_person(operator, zoe.person.id)

    after = {event.id: event for event in await events_of(runtime, zoe.office.id)}
    assert all(
        (after[event.id].actor_name, after[event.id].address) == (event.actor_name, event.address)
        for event in before
    )


async def test_what_the_person_made_stays_under_the_pseudonym(zoe: Zoe, operator: UnitOfWork) -> None:
    erased = await erase_person(operator, zoe.person.id)

    async with operator.reading(zoe.office.id) as db:
        assert list(await db.scalars(sa.select(Project.created_by))) == [erased.pseudonym]
    assert erased.pseudonym in await zoe.office.browser.text(
        f"{zoe.office.root}/audit?actor={erased.pseudonym}"
    )
    assert erased.deleted["sessions"] == 1
    assert erased.deleted["users"] == 1
    assert erased.deleted["role_ends"] == 1


async def test_the_end_of_another_members_role_that_the_person_set_stays(
    zoe: Zoe, operator: UnitOfWork
) -> None:
    erased = await erase_person(operator, zoe.person.id)

    async with operator.reading(zoe.office.id) as db:
        left = await db.execute(
            sa.select(RoleEnd.user_id, RoleEnd.given_by).where(RoleEnd.organization_id == zoe.office.id)
        )
    assert [tuple(row) for row in left] == [("other", erased.pseudonym)]


async def test_a_pseudonym_replaces_the_person_in_single_sign_on(zoe: Zoe, operator: UnitOfWork) -> None:
    erased = await erase_person(operator, zoe.person.id)

    async with operator.reading(zoe.office.id) as db:
        connection = await find_connection(db, zoe.office.id)
    assert connection is not None
    people = {connection.created_by, connection.tested_by, connection.recovery_id}
    assert people == {erased.pseudonym}


async def test_what_their_companys_provider_calls_them_is_deleted(zoe: Zoe, operator: UnitOfWork) -> None:
    erased = await erase_person(operator, zoe.person.id)

    async with operator.reading(zoe.office.id) as db:
        assert list(await db.scalars(sa.select(SsoPerson.user_id))) == ["other"]
    assert erased.deleted["sso_people"] == 2


async def test_a_pseudonym_replaces_the_person_in_the_audit_log(
    zoe: Zoe, runtime: Runtime, operator: UnitOfWork
) -> None:
    before = await events_of(runtime, zoe.office.id)

    erased = await erase_person(operator, zoe.person.id)

    *after, last = await events_of(runtime, zoe.office.id)
    kept = ("id", "occurred_at", "actor_type", "action", "target_type", "outcome", "request_id")
    assert [[getattr(event, name) for name in kept] for event in after] == [
        [getattr(event, name) for name in kept] for event in before
    ]
    hers = [new for old, new in zip(before, after, strict=True) if old.actor_id == zoe.person.id]
    assert len(hers) >= 3
    assert {(event.actor_id, event.actor_name, event.address) for event in hers} == {
        (erased.pseudonym, erased.pseudonym, "")
    }
    (denial,) = [event for event in hers if event.action == Action.ACCESS_DENY]
    assert denial.decision is not None
    assert denial.decision["steps"][0]["explanation"] == f"Signed in as {erased.pseudonym}."
    assert denial.target_name == f"GET {zoe.office.root}/members/{erased.pseudonym}/roles"
    (changed,) = [event for event in after if event.action == Action.MEMBER_CHANGE_ROLES]
    assert (changed.target_id, changed.target_name) == (erased.pseudonym, erased.pseudonym)
    assert (changed.before, changed.after) == ({"roles": ["editor"]}, {"roles": ["viewer"]})
    assert (last.action, last.target_id) == (Action.PERSON_ERASE, erased.pseudonym)
    elsewhere = {"email_domains", "role_ends", "sso_connections", "support_accesses"}
    assert last.after == {name: count for name, count in erased.replaced.items() if name not in elsewhere}

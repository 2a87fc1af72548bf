"""Both names: in the audit log's pages, export and API, in a change's note, and after an erasure."""

from __future__ import annotations

import secrets
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from saas_app.audit.recorder import Action, Actor, AuditEntry, Target, record
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.principal import Principal, SupportAgent
from saas_app.models import AuditRedaction, SupportAccess
from saas_app.operations.data.redactions import Redaction, list_names, redact, redactions_of
from saas_app.organizations.removal import remove_pending
from saas_app.rbac.permissions import Carrier
from saas_app.runtime import Runtime
from saas_app.support.changes import delete_expired_accesses
from tests.clients import SAME_ORIGIN, Browser, Person
from tests.databases import Database
from tests.integration.bearer import PersonClient
from tests.integration.records import events_of
from tests.integration.support.conftest import Customer
from tests.integration.support.rows import act, add_access, allow_support
from tests.removals import order_removal


def new_organization() -> str:
    """Return the id of an organization that only the database knows."""
    return f"org{secrets.token_hex(6)}"


AGENT = SupportAgent("sam", "Sam Whitfield", new_uuid(), "4711", utc_now() + timedelta(minutes=10), True)
CAROL = Principal("carol", "Carol Okafor", support=AGENT)


@pytest.fixture
async def created(acme: Customer, desk: Browser, runtime: Runtime) -> Customer:
    """Acme, where the agent has created a project for Carol."""
    await allow_support(runtime, acme.id, writes=True)
    await act(runtime, desk, acme.id, member_id=acme.carol.id, writes=True)
    await desk.post(f"{acme.root}/projects/new", {"name": "Rover"})
    return acme


async def test_the_audit_log_tells_who_acted_for_whom(created: Customer, sam: Person) -> None:
    page = (await created.browser.text(f"{created.root}/audit")).translate({0x2068: None, 0x2069: None})

    assert "Sam Whitfield (support) for Carol Okafor" in page


async def test_an_event_shows_the_member_besides_the_actor(created: Customer, runtime: Runtime) -> None:
    (event,) = await events_of(runtime, created.id)

    page = await created.browser.text(f"{created.root}/audit/{event.id}")

    assert "On behalf of" in page
    assert f"<code>{created.carol.id}</code>" in page


async def test_events_are_found_by_the_agent(created: Customer, sam: Person) -> None:
    by_agent = await created.browser.text(f"{created.root}/audit?actor_id={sam.id}")
    by_name = await created.browser.text(f"{created.root}/audit?actor=whitfield")

    assert "Rover" in by_agent
    assert "Rover" in by_name


async def test_the_export_has_both(created: Customer) -> None:
    file = await created.browser.text(f"{created.root}/audit/export.csv")

    head, *lines = file.splitlines()
    line = next(line for line in lines if "Rover" in line)
    assert head.endswith('"On behalf of id","On behalf of"')
    assert line.endswith(f'"{created.carol.id}","Carol Okafor"')


async def test_the_api_has_both(created: Customer, as_person: PersonClient, sam: Person) -> None:
    client = await as_person(created.admin, created.id, Carrier.ORGANIZATION_TOKEN)

    (event,) = (await client.json("GET", "/audit-events"))["items"]

    assert event["actor"]["id"] == sam.id
    assert event["on_behalf_of"] == {"id": created.carol.id, "name": "Carol Okafor"}


@pytest.mark.parametrize("is_agents", [True, False])
async def test_a_conflict_tells_an_edit_of_the_agent_from_one_of_the_member(
    acme: Customer, desk: Browser, runtime: Runtime, is_agents: bool
) -> None:
    await allow_support(runtime, acme.id, writes=True)
    await act(runtime, desk, acme.id, member_id=acme.admin.id, writes=True)
    created = await desk.post(f"{acme.root}/projects/new", {"name": "Rover"})
    edit, form = f"{created.headers['Location']}/edit", {"description": "", "version": "1"}
    await (desk if is_agents else acme.browser).post(edit, {**form, "name": "First"})

    page = await desk.submit(edit, {**form, "name": "Second"}, 409)

    assert ("You saved the latest version" in page) is is_agents


async def test_a_key_of_the_member_repeats_nothing_for_the_agent_and_the_other_way_round(
    acme: Customer, desk: Browser, runtime: Runtime, as_person: PersonClient
) -> None:
    program = await as_person(acme.admin, acme.id)
    order, key = {"name": "Rover"}, {"Idempotency-Key": "order-1"}
    await program.json("POST", "/projects", 201, json=order, headers=key)
    await allow_support(runtime, acme.id, writes=True)
    await act(runtime, desk, acme.id, member_id=acme.admin.id, writes=True)

    path = f"/api/v1/organizations/{acme.id}/projects"
    response = await desk.app.post(path, json=order, headers={**SAME_ORIGIN, **key})

    assert response.status_code == 201
    assert "Idempotency-Replayed" not in response.headers
    assert [event.behalf_id for event in await events_of(runtime, acme.id)] == [None, acme.admin.id]


async def test_other_events_are_on_behalf_of_nobody(acme: Customer, as_person: PersonClient) -> None:
    await acme.browser.post(f"{acme.root}/projects/new", {"name": "Rover"})
    client = await as_person(acme.admin, acme.id, Carrier.ORGANIZATION_TOKEN)

    (event,) = (await client.json("GET", "/audit-events"))["items"]

    assert event["on_behalf_of"] is None


def test_an_entry_that_waits_in_a_note_keeps_both() -> None:
    entry = AuditEntry(Actor.of(CAROL), Action.PROJECT_CREATE, Target("project", "p", "Rover"))

    kept = AuditEntry.from_json(entry.as_json())

    assert kept.actor == Actor("sam", "Sam Whitfield", behalf_id="carol", behalf_name="Carol Okafor")


def test_a_note_of_an_older_version_is_read() -> None:
    kept = AuditEntry(Actor("sam", "Sam"), Action.PROJECT_CREATE, Target("project", "p", "Rover")).as_json()
    del kept["actor"]["behalf_id"], kept["actor"]["behalf_name"]

    assert AuditEntry.from_json(kept).actor == Actor("sam", "Sam")


# In the database


async def add_event(work: UnitOfWork) -> str:
    """Add an event by Sam for Carol to a new organization, and return its id."""
    organization_id = new_organization()
    async with work.writing(organization_id) as db:
        record(db, AuditEntry(Actor.of(CAROL), Action.PROJECT_CREATE, Target("project", "p", "Rover")))
    return organization_id


@pytest.mark.parametrize("column", ["behalf_id", "behalf_name"])
@pytest.mark.parametrize("value", ["'mallory'", "NULL"])
async def test_nobody_changes_for_whom_somebody_acted(
    database: Database, work: UnitOfWork, column: str, value: str
) -> None:
    organization_id = await add_event(work)
    engine = create_async_engine(database.admin_url)

    change = f"UPDATE audit_events SET {column} = {value} WHERE organization_id = :here"  # noqa: S608
    with pytest.raises(DBAPIError, match="append-only"):
        async with engine.begin() as connection:
            await connection.execute(sa.text(change), {"here": organization_id})

    await engine.dispose()


@pytest.mark.parametrize(
    "change",
    ["behalf_name = NULL", "actor_name = 'p', behalf_name = 'p'", "actor_name = 'p', behalf_id = ''"],
)
async def test_a_redaction_does_not_hide_for_whom_somebody_acted(
    database: Database, work: UnitOfWork, change: str
) -> None:
    organization_id = await add_event(work)
    engine = create_async_engine(database.admin_url)
    redaction = AuditRedaction.__table__
    values = {"marker": "sam", "wanted": "Sam Whitfield", "replacement": "p"}
    update = sa.text(f"UPDATE audit_events SET {change} WHERE organization_id = :here")  # noqa: S608

    async with engine.connect() as connection:
        row = {"organization_id": organization_id, "id": new_uuid(), **values}
        await connection.execute(sa.insert(redaction), [row])
        with pytest.raises(DBAPIError, match="append-only"):
            await connection.execute(update, {"here": organization_id})

    await engine.dispose()


@pytest.mark.parametrize(
    ("user_id", "name"), [("carol", "Carol Okafor"), ("sam", "Sam Whitfield")], ids=["member", "agent"]
)
async def test_an_erased_person_is_replaced_in_either_place(
    operator: UnitOfWork, work: UnitOfWork, runtime: Runtime, user_id: str, name: str
) -> None:
    organization_id = await add_event(work)

    async with operator.writing(organization_id) as db:
        names = await list_names(db, user_id)
        assert names == {name}
        found: list[Redaction] = redactions_of(user_id, "erased-1", names, set())
        assert await redact(db, user_id, "erased-1", found) == 1

    (event,) = await events_of(runtime, organization_id)
    told = (event.actor_id, event.actor_name, event.behalf_id, event.behalf_name)
    assert "erased-1" in told
    assert user_id not in told
    assert name not in told
    assert None not in told


async def test_events_on_behalf_of_nobody_stay_so_when_somebody_is_erased(
    operator: UnitOfWork, work: UnitOfWork, runtime: Runtime
) -> None:
    organization_id = new_organization()
    async with work.writing(organization_id) as db:
        record(db, AuditEntry(Actor("sam", "Sam"), Action.PROJECT_CREATE, Target("project", "p", "Rover")))

    async with operator.writing(organization_id) as db:
        await redact(db, "sam", "erased-1", redactions_of("sam", "erased-1", {"Sam"}, set()))

    (event,) = await events_of(runtime, organization_id)
    assert (event.actor_id, event.behalf_id, event.behalf_name) == ("erased-1", None, None)


# What stays for how long


async def ids_in(runtime: Runtime, organization_id: str) -> set[object]:
    async with runtime.work.reading(organization_id) as db:
        wanted = sa.select(SupportAccess.id).where(SupportAccess.organization_id == organization_id)
        return set(await db.scalars(wanted))


async def test_accesses_are_deleted_after_90_days(runtime: Runtime) -> None:
    organization_id = new_organization()
    await add_access(runtime, organization_id, ago=timedelta(days=91))
    recent = await add_access(runtime, organization_id, ago=timedelta(days=89))

    await delete_expired_accesses(runtime.jobs)

    assert await ids_in(runtime, organization_id) == {recent}


async def test_accesses_go_with_their_organization(runtime: Runtime, work: UnitOfWork) -> None:
    organization_id, other = new_organization(), new_organization()
    await add_access(runtime, organization_id)
    kept = await add_access(runtime, other)
    await order_removal(work, organization_id, "Gone", "somebody")

    await remove_pending(runtime.jobs, runtime.management)

    assert await ids_in(runtime, organization_id) == set()
    assert await ids_in(runtime, other) == {kept}

"""A person is erased: nothing of them is left but a pseudonym, and the audit log stays append-only."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from quart import Quart
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from saas_app.app import create_app
from saas_app.audit.recorder import Action, Actor, AuditEntry, Target, record
from saas_app.config import Settings
from saas_app.db.base import Base, new_uuid, utc_now
from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import ConfigurationError
from saas_app.models import (
    AuditActor,
    AuditEvent,
    AuditRedaction,
    DomainJoin,
    EmailDomain,
    Ending,
    Erasure,
    FormerMembership,
    IdempotencyKey,
    KeptFormRow,
    MembershipChange,
    PendingChange,
    Project,
    ShownSecretRow,
)
from saas_app.notifications.recorder import notify_of_removal
from saas_app.operations.data import erasure
from saas_app.operations.data.erasure import MARK_RETENTION, erase_person
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.conftest import OpenBrowser, OpenOffice, runtime_of
from tests.databases import Database, migrated_database
from tests.factories import PASSWORD, Factory
from tests.integration.invitations.conftest import path_of
from tests.integration.members.conftest import roles_form
from tests.integration.records import actions_of, events_of
from tests.offices import Office

SAM = Actor("sam", "Sam")


@dataclass(frozen=True)
class Zoe:
    """A person with traces in every table, and each text that points to them."""

    person: Person
    office: Office
    name: str
    email: str

    @property
    def texts(self) -> list[str]:
        return [self.person.id, self.person.username, self.name, self.email]


@pytest.fixture(scope="module")
def own_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database for these tests: an erasure visits every organization, and other tests make hundreds."""
    with migrated_database(tmp_path_factory.mktemp("erasure")) as database:
        yield database


@pytest.fixture(scope="module")
async def app(settings: Settings, own_database: Database) -> AsyncIterator[Quart]:
    """The application on that database."""
    addresses = {name.lower(): url for name, url in own_database.environment.items()}
    app = create_app(settings.model_copy(update=addresses))
    async with app.test_app():
        yield app


@pytest.fixture(scope="module")
def runtime(app: Quart) -> Runtime:
    """The services of that application."""
    return runtime_of(app)


@pytest.fixture(scope="module")
async def operator(own_database: Database) -> AsyncIterator[UnitOfWork]:
    """Transactions of the owner of its tables."""
    engine = create_engine(own_database.owner_url)
    yield UnitOfWork(engine)
    await engine.dispose()


@pytest.fixture
async def zoe(open_office: OpenOffice, open_browser: OpenBrowser, make: Factory, operator: UnitOfWork) -> Zoe:
    """Zoë was invited, accepted, made a project, was denied a page, and got other roles. Ada saw her."""
    token = secrets.token_hex(5)
    name, username = f'Zoë "Z" {token}', f"zoe_{token}"
    email = f"{username}@example.test"
    user = await make.management.create_user(username=username, email=email, name=name, password=PASSWORD)
    person = Person(user.id, username, PASSWORD)
    acme = await open_office(admin="Ada")
    invitation = {"addresses": email.upper(), "roles": ["editor"], "days": "7"}
    await acme.browser.post(f"{acme.root}/invitations/new", invitation)
    (invited,) = await make.management.list_invitations(acme.id)
    browser = await open_browser(person)
    await browser.post(f"{path_of(invited)}/accept", {"name": name})
    await browser.follow(f"{acme.root}/projects/new")  # renews her access
    await browser.post(f"{acme.root}/projects/new", {"name": "Plan", "description": ""})
    await browser.get(f"{acme.root}/members/{person.id}/roles", 403)
    await acme.browser.post(f"{acme.root}/members/{person.id}/roles", roles_form(["editor"], ["viewer"]))
    zoe = Zoe(person, acme, name, email)
    await _add_other_traces(operator, zoe)
    return zoe


async def _add_other_traces(operator: UnitOfWork, zoe: Zoe) -> None:
    """Add rows that need more than a request, and an event of somebody else with her name."""
    now, user_id = utc_now(), zoe.person.id
    in_an_hour = now + timedelta(hours=1)
    async with operator.reading() as db:
        sessions = sa.select(Base.metadata.tables["sessions"].c.id)
        (session_id,) = await db.scalars(sessions.where(sa.column("subject") == user_id))
    async with operator.writing(zoe.office.id) as db:
        secret = {"session_id": session_id, "name": "s", "payload": b"x", "expires_at": in_an_hour}
        form = {"handle_hash": secrets.token_bytes(32), "browser_hash": b"b" * 32, "payload": b"x"}
        db.add(ShownSecretRow(**secret))
        db.add(KeptFormRow(owner=user_id, kept_at=now, expires_at=in_an_hour, **form))
        domain = f"{user_id}.example".lower().replace(user_id.lower(), secrets.token_hex(6))
        proof = {"token": "t", "claimed_at": now, "proved_by": user_id}
        db.add(EmailDomain(organization_id=zoe.office.id, domain=domain, **proof))
        place = {"organization_id": zoe.office.id, "user_id": user_id}
        db.add(DomainJoin(domain=domain, noted_at=now, **place))
        db.add(FormerMembership(organization_name="Acme", ending=Ending.LEFT, ended_at=now, **place))
        await notify_of_removal(db, zoe.office.id, user_id, "a removal")
        repeated = {"subject": "m-1", "key": "k", "request_hash": b"h" * 32, "claimed_at": now}
        db.add(IdempotencyKey(body=json.dumps({"created_by": user_id}), **repeated))
        # Somebody else with her name, in an event that has nothing to do with her.
        other = Target("member", "other", zoe.name)
        record(db, AuditEntry(Actor("ada", "Ada"), Action.MEMBER_ADD, other, after={"name": "kept"}))


@pytest.fixture
async def plain(own_database: Database) -> AsyncIterator[AsyncEngine]:
    """Connections without our checks, like those of a database shell."""
    engine = create_async_engine(own_database.owner_url)
    yield engine
    await engine.dispose()


async def find_texts(plain: AsyncEngine, texts: list[str]) -> set[tuple[str, str]]:
    """Return the tables and columns that contain one of the texts, in any form. Every table is searched."""
    forms = {form.lower() for text in texts for form in (text, json.dumps(text)[1:-1])}
    found = set()
    async with plain.connect() as connection:
        for table in Base.metadata.sorted_tables:
            for row in (await connection.execute(sa.select(table))).mappings():
                for column, value in row.items():
                    shown = f"{value} {json.dumps(value, default=str)}".lower()
                    if any(form in shown for form in forms):
                        found.add((table.name, str(column)))
    return found


async def let_a_day_pass(operator: UnitOfWork, zoe: Zoe) -> None:
    async with operator.writing() as db:
        past = utc_now() - MARK_RETENTION - timedelta(minutes=1)
        mark = sa.update(MembershipChange).where(MembershipChange.subject == zoe.person.id)
        await db.execute(mark.values(changed_at=past))


async def test_before_the_erasure_the_person_is_in_many_tables(zoe: Zoe, plain: AsyncEngine) -> None:
    """This shows that the search of the other tests finds what is there."""
    found = await find_texts(plain, zoe.texts)

    assert {table for table, _column in found} == {
        "audit_actors", "audit_events", "domain_joins", "email_domains", "former_memberships",
        "idempotency_keys", "kept_forms",
        "membership_changes", "notifications", "projects", "sessions", "users",
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
    assert last.after == {name: count for name, count in erased.replaced.items() if name != "email_domains"}


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


async def test_a_second_run_changes_nothing_and_keeps_the_pseudonym(
    zoe: Zoe, runtime: Runtime, operator: UnitOfWork
) -> None:
    first = await erase_person(operator, zoe.person.id)
    events = await actions_of(runtime, zoe.office.id)

    second = await erase_person(operator, zoe.person.id)

    assert (second.pseudonym, second.deleted, second.replaced) == (first.pseudonym, {}, {})
    assert await actions_of(runtime, zoe.office.id) == events


async def test_an_interrupted_erasure_is_continued(
    zoe: Zoe, operator: UnitOfWork, plain: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_arguments: object) -> bool:
        raise RuntimeError("crash")

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "_erase_outside", crash)
        with pytest.raises(RuntimeError, match="crash"):
            await erase_person(operator, zoe.person.id)
    assert ("users", "name") in await find_texts(plain, [zoe.name])

    await erase_person(operator, zoe.person.id)

    assert await find_texts(plain, [zoe.person.username, zoe.email]) == set()
    async with operator.reading() as db:
        finished = sa.select(Erasure.pseudonym).where(Erasure.finished_at.is_(None))
        assert list(await db.scalars(finished)) == []


async def test_names_that_came_after_the_erasure_are_erased_by_the_next(
    zoe: Zoe, operator: UnitOfWork
) -> None:
    first = await erase_person(operator, zoe.person.id)
    async with operator.writing(zoe.office.id) as db:
        late = Actor(zoe.person.id, "Zoë again")
        record(db, AuditEntry(late, Action.PROJECT_CREATE, Target("project", "p", "Plan B")))

    await erase_person(operator, zoe.person.id)

    async with operator.reading(zoe.office.id) as db:
        actors = sa.select(AuditActor.name).where(AuditActor.actor_id == first.pseudonym)
        assert list(await db.scalars(actors)) == [first.pseudonym]
        hers = sa.select(AuditEvent.actor_id).where(AuditEvent.target_id == "p")
        assert await db.scalar(hers) == first.pseudonym


async def test_a_change_in_progress_is_not_torn(zoe: Zoe, runtime: Runtime, operator: UnitOfWork) -> None:
    async with operator.writing(zoe.office.id) as db:
        db.add(PendingChange(id=new_uuid(), entry={}, subjects=[zoe.person.id], started_at=utc_now()))

    with pytest.raises(ConfigurationError, match="Run 'saas-app reconcile' first"):
        await erase_person(operator, zoe.person.id)

    async with operator.writing(zoe.office.id) as db:
        await db.execute(sa.delete(PendingChange))
    assert Action.PERSON_ERASE not in await actions_of(runtime, zoe.office.id)


async def test_no_redaction_outlives_its_transaction(
    zoe: Zoe, operator: UnitOfWork, plain: AsyncEngine
) -> None:
    await erase_person(operator, zoe.person.id)

    async with plain.connect() as connection:
        table = Base.metadata.tables["audit_redactions"]
        assert (await connection.execute(sa.select(sa.func.count()).select_from(table))).scalar() == 0


@pytest.mark.parametrize(
    "change",
    [
        "target_name = 'nothing happened'",
        "actor_id = 'p', actor_name = 'p'",
        "actor_name = 'p', outcome = 'denied'",
        "actor_name = 'p', occurred_at = '2020-01-01 00:00:00+00:00'",
        "actor_name = 'p', action = 'other'",
        "actor_name = 'p', request_id = 'other'",
        "actor_name = 'p', address = '203.0.113.1'",
        'actor_name = \'p\', "after" = \'{"name": "q"}\'',
        "actor_name = 'p', \"after\" = NULL",
        "actor_name = 'q'",
    ],
)
async def test_a_redaction_allows_nothing_but_its_own_replacement(
    operator: UnitOfWork, plain: AsyncEngine, change: str
) -> None:
    organization_id = await _organization_with_redaction(operator)

    with pytest.raises(DBAPIError, match="append-only"):
        await _update(plain, organization_id, change)


async def test_a_redaction_allows_its_replacement(operator: UnitOfWork, plain: AsyncEngine) -> None:
    organization_id = await _organization_with_redaction(operator)

    await _update(plain, organization_id, "actor_name = 'p', address = ''")


async def test_a_redaction_allows_nothing_in_events_without_its_marker(
    operator: UnitOfWork, plain: AsyncEngine
) -> None:
    organization_id = await _organization_with_redaction(operator, actor=Actor("other", "Sam"))

    with pytest.raises(DBAPIError, match="append-only"):
        await _update(plain, organization_id, "actor_name = 'p'")


async def test_a_redaction_keeps_the_address_of_another_actor(
    operator: UnitOfWork, plain: AsyncEngine
) -> None:
    organization_id = await _organization_with_redaction(operator, Actor("other", "Sam"), target_id="sam")

    with pytest.raises(DBAPIError, match="append-only"):
        await _update(plain, organization_id, "actor_name = 'p', address = ''")


async def test_a_redaction_of_another_organization_allows_nothing(
    operator: UnitOfWork, plain: AsyncEngine
) -> None:
    await _organization_with_redaction(operator)
    other = await _organization_with_redaction(operator, with_redaction=False)

    with pytest.raises(DBAPIError, match="append-only"):
        await _update(plain, other, "actor_name = 'p'")


async def _organization_with_redaction(
    operator: UnitOfWork,
    actor: Actor = SAM,
    *,
    target_id: str = "1",
    with_redaction: bool = True,
) -> str:
    """Make an event of Sam, and a redaction of his name that was never deleted, as after a mistake."""
    organization_id = f"org-{new_uuid().hex}"
    async with operator.writing(organization_id) as db:
        entry = AuditEntry(
            actor, Action.PROJECT_CREATE, Target("project", target_id, "Plan"), after={"name": "Plan"}
        )
        record(db, replace(entry, trace=replace(entry.trace, address="198.51.100.1")))
        if with_redaction:
            await db.execute(
                sa.insert(AuditRedaction), [{"marker": "sam", "wanted": '"Sam"', "replacement": '"p"'}]
            )
    return organization_id


async def _update(plain: AsyncEngine, organization_id: str, change: str) -> None:
    statement = f"UPDATE audit_events SET {change} WHERE organization_id = :id"  # noqa: S608
    async with plain.begin() as connection:
        changed: Any = await connection.execute(sa.text(statement), {"id": organization_id})
        assert changed.rowcount == 1

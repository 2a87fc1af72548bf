"""Zoë, who is erased, in a database of her own."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from quart import Quart
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from saas_app.app import create_app
from saas_app.audit.recorder import Action, Actor, AuditEntry, Target, record
from saas_app.config import Settings
from saas_app.db.base import Base, new_uuid, utc_now
from saas_app.db.engine import create_engine
from saas_app.db.session import WritingSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.role_ends import set_end
from saas_app.models import (
    DomainJoin,
    EmailDomain,
    Ending,
    FormerMembership,
    IdempotencyKey,
    KeptFormRow,
    NotificationKind,
    ShownSecretRow,
    SsoPerson,
)
from saas_app.notifications.recorder import notify_of_removal, notify_of_support
from saas_app.notifications.values import SupportDetails
from saas_app.runtime import Runtime
from saas_app.single_sign_on.queries import add_connection, change_connection
from saas_app.support.queries import add_access
from tests.clients import Person
from tests.conftest import OpenBrowser, OpenOffice, runtime_of
from tests.databases import Database, migrated_database
from tests.factories import PASSWORD, Factory
from tests.integration.invitations.conftest import path_of
from tests.integration.members.conftest import roles_form
from tests.integration.operations.data.erasure.zoe import Zoe


@pytest.fixture(scope="package")
def own_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database for these tests: an erasure visits every organization, and other tests make hundreds."""
    with migrated_database(tmp_path_factory.mktemp("erasure")) as database:
        yield database


@pytest.fixture(scope="package")
async def app(settings: Settings, own_database: Database) -> AsyncIterator[Quart]:
    """The application on that database."""
    addresses = {name.lower(): url for name, url in own_database.environment.items()}
    app = create_app(settings.model_copy(update=addresses))
    async with app.test_app():
        yield app


@pytest.fixture(scope="package")
def runtime(app: Quart) -> Runtime:
    """The services of that application."""
    return runtime_of(app)


@pytest.fixture(scope="package")
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
        await set_end(db, zoe.office.id, user_id, "viewer", in_an_hour, given_by="ada")
        await set_end(db, zoe.office.id, "other", "viewer", in_an_hour, given_by=user_id)
        await notify_of_removal(db, zoe.office.id, user_id, "a removal")
        await _add_support(db, zoe)
        await add_connection(db, zoe.office.id, secrets.token_hex(6), "Company", user_id, now)
        await change_connection(db, zoe.office.id, tested_by=user_id, recovery_id=user_id)
        db.add(SsoPerson(company_subject="u-1", subject="s-1", user_id=user_id))
        db.add(SsoPerson(company_subject=zoe.email, subject="s-2"))  # she never came on to Workroom
        db.add(SsoPerson(company_subject="u-2", subject="s-3", user_id="other"))
        repeated = {"subject": "m-1", "key": "k", "request_hash": b"h" * 32, "claimed_at": now}
        db.add(IdempotencyKey(body=json.dumps({"created_by": user_id}), **repeated))
        # Somebody else with her name, in an event that has nothing to do with her.
        other = Target("member", "other", zoe.name)
        record(db, AuditEntry(Actor("ada", "Ada"), Action.MEMBER_ADD, other, after={"name": "kept"}))


async def _add_support(db: WritingSession, zoe: Zoe) -> None:
    """Add accesses for her, by her, and one that she ended. Her admin was told."""
    her, sam, carol = (zoe.person.id, zoe.name), ("sam", "Sam"), ("carol", "Carol")
    for agent, member, ended_by in ((sam, her, None), (her, carol, None), (sam, carol, her)):
        access_id, now = new_uuid(), utc_now()
        row = {
            "organization_id": zoe.office.id,
            "id": access_id,
            "cookie_hash": secrets.token_bytes(32),
            "agent_session_id": new_uuid(),
            "reason": f"{zoe.name} sees an error",
            "ticket": "4711",
            "writes": False,
            "scopes_organization": "",
            "scopes_api": "",
            "member_version": 0,
            "agent_version": 0,
            "started_at": now,
            "ends_at": now,
        }
        named = (("agent_id", "agent_name"), agent), (("member_id", "member_name"), member)
        people = {
            column: value for columns, person in named for column, value in zip(columns, person, strict=True)
        }
        by = dict(zip(("ended_by", "ended_by_name"), ended_by or (None, None), strict=True))
        await add_access(db, {**row, **people, **by})
        details = SupportDetails(agent=agent[1], member=member[1], member_id=member[0], ticket="4711")
        kind = NotificationKind.SUPPORT_STARTED
        await notify_of_support(db, zoe.office.id, kind, access_id, ["ada"], details)


@pytest.fixture
async def plain(own_database: Database) -> AsyncIterator[AsyncEngine]:
    """Connections without our checks, like those of a database shell."""
    engine = create_async_engine(own_database.owner_url)
    yield engine
    await engine.dispose()

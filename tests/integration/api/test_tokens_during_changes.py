"""Bearer tokens while a change of the membership is open, as its note says."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from quart import Quart

from saas_app.changes.notes import close_note
from saas_app.db.base import new_uuid, utc_now
from saas_app.identity.membership_changes import mark_changed
from saas_app.logto.provider_clock import Moment
from saas_app.models import PendingChange
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.factories import Factory
from tests.integration.bearer import ApiClient, Mint

MakeNote = Callable[[Any], PendingChange]


@pytest.fixture
async def eve(make: Factory) -> Person:
    return await make.person("Eve")


@pytest.fixture
async def organization_id(make: Factory, eve: Person) -> str:
    return await make.organization("Acme", editor=eve)


@pytest.fixture
def client(app: Quart, mint: Mint, eve: Person, organization_id: str) -> ApiClient:
    """A client with one token of Eve's, issued now."""
    return ApiClient(app, organization_id, mint(organization_id, sub=eve.id, scope="projects:read"))


@pytest.fixture
def note(organization_id: str) -> MakeNote:
    """``note(user_ids)``: the note of a change that touches these memberships. The test stores it."""
    return lambda subjects: PendingChange(id=new_uuid(), entry={}, subjects=subjects, started_at=utc_now())


async def test_a_token_that_may_be_outdated_is_rejected_until_the_change_is_closed(
    client: ApiClient, note: MakeNote, runtime: Runtime, eve: Person, organization_id: str
) -> None:
    now, change = int(time.time()), note([eve.id])
    async with runtime.work.writing(organization_id) as db:
        db.add(change)
        await mark_changed(db, organization_id, [eve.id], Moment(now - 20, now + 20))
    await client.call("GET", "/projects", 401)
    async with runtime.work.writing(organization_id) as db:
        await close_note(db, change.id)
    await client.call("GET", "/projects")


async def test_while_a_note_names_no_readable_subject_logto_is_asked_about_every_token(
    client: ApiClient,
    note: MakeNote,
    runtime: Runtime,
    make: Factory,
    eve: Person,
    organization_id: str,
) -> None:
    await client.call("GET", "/projects")
    async with runtime.work.writing(organization_id) as db:
        db.add(note(7))
    await client.call("GET", "/projects")
    await make.management.remove_member(organization_id, eve.id)
    await client.call("GET", "/projects", 401)

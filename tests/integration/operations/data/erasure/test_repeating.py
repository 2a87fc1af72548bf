"""An erasure can be interrupted and repeated, and waits for changes in progress."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from saas_app.audit.recorder import Action, Actor, AuditEntry, Target, record
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import ConfigurationError
from saas_app.models import (
    AuditActor,
    AuditEvent,
    Erasure,
    PendingChange,
)
from saas_app.operations.data import erasure
from saas_app.operations.data.erasure import erase_person
from saas_app.runtime import Runtime
from tests.integration.operations.data.erasure.zoe import Zoe, find_texts
from tests.integration.records import actions_of


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

"""The audit log stays append-only: a redaction allows its own replacement, and does not outlive it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from saas_app.audit.recorder import Action, Actor, AuditEntry, Target, record
from saas_app.db.base import Base, new_uuid
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.models import (
    AuditRedaction,
)
from saas_app.operations.data.erasure import erase_person
from tests.integration.operations.data.erasure.zoe import Zoe

SAM = Actor("sam", "Sam")


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

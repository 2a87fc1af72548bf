"""A person with traces in every table, and the search for them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from saas_app.db.base import Base, utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.models import (
    MembershipChange,
)
from saas_app.operations.data.erasure import MARK_RETENTION
from tests.clients import Person
from tests.offices import Office


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

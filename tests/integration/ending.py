"""Roles that end: sets and reads their ends in the database, as changes of members do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from saas_app.db.base import utc_now
from saas_app.identity import role_ends
from saas_app.runtime import Runtime
from tests.clients import Person

PAST: Final = timedelta(seconds=-1)
FUTURE: Final = timedelta(hours=1)


async def set_end(
    runtime: Runtime, organization_id: str, person: Person, role: str, ends_in: timedelta
) -> datetime:
    """Let a role of a person end, ``ends_in`` from now, and return when."""
    ends_at = utc_now() + ends_in
    async with runtime.work.writing(organization_id) as db:
        await role_ends.set_end(db, organization_id, person.id, role, ends_at, given_by="somebody")
    return ends_at


async def ends_of(runtime: Runtime, organization_id: str, person: Person) -> dict[str, datetime]:
    """Return the ends of a person's roles that are stored."""
    async with runtime.work.reading(organization_id) as db:
        return await role_ends.read_ends(db, organization_id, person.id)

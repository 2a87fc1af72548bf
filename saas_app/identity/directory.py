"""Projections of Logto's users and organizations: names for display, never a permission."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.db.upsert import upsert
from saas_app.identity.claims import is_id
from saas_app.identity.former_members import FormerMember, find_former_member
from saas_app.logto import LogtoUser, OrganizationInfo
from saas_app.models import Organization, OrganizationRemoval, User
from saas_app.text.cleaning import name_of_others

log = structlog.get_logger(__name__)


class Directory:
    """What people and organizations are called."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    async def remember_user(self, claims: dict[str, Any]) -> None:
        """Keep a person's name and addresses from claims or userinfo."""
        row = {
            "id": claims["sub"],
            "username": _bounded(claims.get("username"), 128),
            "name": _bounded(claims.get("name"), 256),
            "email": _bounded(claims.get("email"), 320),
            "picture": _bounded(claims.get("picture"), 2048),
            "seen_at": utc_now(),
        }
        async with self._work.writing() as db:
            await upsert(db, User, [row], key=("id",))

    async def remember_organizations(self, entries: Iterable[dict[str, Any]]) -> None:
        """Keep names from userinfo's ``organization_data`` or the Management API.

        One that was deleted does not come back: a token may name it until it is fetched again.
        """
        found = [organization_row(entry) for entry in entries]
        gone = await self.list_gone([row["id"] for row in found])
        rows = [row for row in found if row["id"] not in gone]
        async with self._work.writing() as db:
            for start in range(0, len(rows), 100):
                await upsert(db, Organization, rows[start : start + 100], key=("id",))

    async def list_names(self, organization_ids: list[str]) -> dict[str, str]:
        """Names by id; ids that are not known are missing."""
        names: dict[str, str] = {}
        async with self._work.reading() as db:
            for start in range(0, len(organization_ids), 500):
                chunk = organization_ids[start : start + 500]
                rows = await db.execute(
                    sa.select(Organization.id, Organization.name).where(Organization.id.in_(chunk))
                )
                names.update((row.id, row.name) for row in rows)
        return names

    async def list_gone(self, organization_ids: list[str]) -> set[str]:
        """Those that were deleted, though an ID token may name them until it is read again."""
        gone: set[str] = set()
        async with self._work.reading() as db:
            for start in range(0, len(organization_ids), 500):
                chunk = organization_ids[start : start + 500]
                statement = sa.select(OrganizationRemoval.organization_id)
                gone.update(await db.scalars(statement.where(OrganizationRemoval.organization_id.in_(chunk))))
        return gone

    async def find_former_member(self, organization_id: str, user_id: str) -> FormerMember | None:
        """Return how the person's membership ended, or None if they never had one."""
        async with self._work.reading() as db:
            return await find_former_member(db, organization_id, user_id)


async def remember_organization(db: AsyncSession, organization: OrganizationInfo) -> None:
    """Keep a name in the transaction of the change that gave it, unless the organization is gone."""
    if await db.get(OrganizationRemoval, organization.id) is None:
        entry = {
            "id": organization.id,
            "name": organization.name,
            "description": organization.description,
        }
        await upsert(db, Organization, [organization_row(entry)], key=("id",))


def organizations_of(user_info: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The entries of userinfo's ``organization_data`` that name an organization; others are left out."""
    found = user_info.get("organization_data")
    entries = found if isinstance(found, list) else []
    usable = [entry for entry in entries if isinstance(entry, dict) and is_id(entry.get("id"))]
    if len(usable) < len(entries) or (found is not None and not isinstance(found, list)):
        log.warning("userinfo names organizations in a way that cannot be read", usable=len(usable))
    return usable


def organization_row(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A projection of an organization, from the JSON that Logto tells it in everywhere."""
    return {
        "id": entry["id"],
        "name": _bounded(entry.get("name"), 128) or entry["id"],
        "description": _bounded(entry.get("description"), 256),
        "seen_at": utc_now(),
    }


def user_row(user: LogtoUser) -> dict[str, Any]:
    """A projection of a person, from the Management API's record."""
    entry = {
        "username": user.username,
        "name": user.name,
        "primaryEmail": user.email,
        "avatar": user.avatar,
    }
    return {"id": user.id, **user_values(entry)}


def user_values(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A projection of a person without the id, from the Management API's JSON: claims have other names."""
    return {
        "username": _bounded(entry.get("username"), 128),
        "name": _bounded(entry.get("name"), 256),
        "email": _bounded(entry.get("primaryEmail"), 320),
        "picture": _bounded(entry.get("avatar"), 2048),
        "seen_at": utc_now(),
    }


def _bounded(value: Any, length: int) -> str | None:
    """A text that can be kept and shown, on one line; None for what is none."""
    return name_of_others(value)[:length].strip() or None if isinstance(value, str) else None

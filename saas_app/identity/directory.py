"""Copies from Logto of names, pictures and logos, of people and organizations. For display only, never for
decisions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import sqlalchemy as sa
import structlog

from saas_app.db import keys
from saas_app.db.base import utc_now
from saas_app.db.json_list import as_parameter, values_of
from saas_app.db.session import WritingSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.db.upsert import upsert
from saas_app.identity.claims import is_id
from saas_app.identity.former_members import FormerMember, find_former_member
from saas_app.identity.principal import Principal
from saas_app.identity.single_sign_on import REQUIREMENT_COLUMNS, SsoRequirement, as_requirement
from saas_app.logto import LogtoUser, OrganizationInfo
from saas_app.models import Organization, OrganizationRemoval, SsoConnection, User
from saas_app.text.branding import Branding
from saas_app.text.cleaning import clean_name

log = structlog.get_logger(__name__)

_IDS: Final = values_of("ids")
_DELETED: Final = sa.select(OrganizationRemoval.organization_id).join(
    _IDS, OrganizationRemoval.organization_id == _IDS.c.value
)
_LISTED: Final = (
    sa.select(
        _IDS.c.value.label("id"),
        sa.func.coalesce(Organization.name, _IDS.c.value).label("name"),
        Organization.logo,
        Organization.dark_logo,
        Organization.color,
        *REQUIREMENT_COLUMNS,
    )
    .select_from(_IDS)
    .outerjoin(Organization, Organization.id == _IDS.c.value)
    .outerjoin(OrganizationRemoval, OrganizationRemoval.organization_id == _IDS.c.value)
    .outerjoin(SsoConnection, SsoConnection.organization_id == _IDS.c.value)
    .where(OrganizationRemoval.organization_id.is_(None))
)


_CHANGE_PROFILE: Final = sa.update(User).where(User.id == sa.bindparam("subject"))


@dataclass(frozen=True, slots=True)
class ListedOrganization:
    """How an organization looks in a list, and what it requires of sign-ins."""

    name: str
    branding: Branding
    sso_requirement: SsoRequirement | None = None

    def needs_sso(self, principal: Principal) -> bool:
        """Return whether a member has to sign in through single sign-on before they can open it."""
        return self.sso_requirement is not None and not self.sso_requirement.is_met_by(principal)


class Directory:
    """Stores and finds names of people and organizations."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    async def remember_user(self, claims: dict[str, Any]) -> None:
        """Store a person's name and addresses from claims or userinfo."""
        row = {
            "id": claims["sub"],
            "username": _bounded(claims.get("username"), 128),
            "name": _bounded(claims.get("name"), 256),
            "email": _bounded(claims.get("email"), 320),
            "picture": _bounded(claims.get("picture"), 2048),
            "seen_at": utc_now(),
        }
        async with self._work.writing(key=keys.of_person(row["id"])) as db:
            await upsert(db, User, [row], key=("id",))

    async def remember_profile(self, subject: str, *, name: str | None, picture: str | None) -> None:
        """Store what a person changed about themselves, for all who see them."""
        values = {"name": _bounded(name, 256), "picture": _bounded(picture, 2048), "seen_at": utc_now()}
        async with self._work.writing(key=keys.of_person(subject)) as db:
            await db.execute(_CHANGE_PROFILE.values(values), {"subject": subject})

    async def remember_member(self, user: LogtoUser) -> None:
        """Store a person's name and addresses from the Management API."""
        async with self._work.writing(key=keys.of_person(user.id)) as db:
            await upsert(db, User, [user_row(user)], key=("id",))

    async def remember_organizations(self, entries: Iterable[dict[str, Any]]) -> None:
        """Store names from userinfo's ``organization_data`` or the Management API.

        Deleted organizations are skipped. A token may still name them until a new one is fetched.
        """
        found = [organization_row(entry) for entry in entries]
        ids = [row["id"] for row in found]
        deleted = await self.list_deleted(ids)
        rows = [row for row in found if row["id"] not in deleted]
        async with self._work.writing(key=keys.of_organizations(ids)) as db:
            for start in range(0, len(rows), 100):
                await upsert(db, Organization, rows[start : start + 100], key=("id",))

    async def list_organizations(self, organization_ids: Iterable[str]) -> dict[str, ListedOrganization]:
        """Return these organizations by id, without those that were deleted.

        An ID token may still name deleted ones for a while. An organization that is not known yet has its id
        as its name.
        """
        ids = list(organization_ids)
        async with self._work.reading(key=keys.of_organizations(ids)) as db:
            rows = (await db.execute(_LISTED, {_IDS.name: as_parameter(ids)})).all()
        return {
            row.id: ListedOrganization(
                row.name, Branding(row.logo, row.dark_logo, row.color), as_requirement(row)
            )
            for row in rows
        }

    async def list_deleted(self, organization_ids: Iterable[str]) -> set[str]:
        """Return which of these organizations were deleted."""
        ids = list(organization_ids)
        async with self._work.reading(key=keys.of_organizations(ids)) as db:
            return set(await db.scalars(_DELETED, {_IDS.name: as_parameter(ids)}))

    async def find_former_member(self, organization_id: str, user_id: str) -> FormerMember | None:
        """Return how the person's membership ended, or None if none ended in the last 90 days."""
        async with self._work.reading(organization_id) as db:
            return await find_former_member(db, organization_id, user_id)


async def remember_organization(db: WritingSession, organization: OrganizationInfo) -> None:
    """Store what a change has set, in its transaction, unless the organization was deleted."""
    if await db.get(OrganizationRemoval, organization.id) is None:
        await upsert(db, Organization, [row_of_organization(organization)], key=("id",))


def organizations_of(user_info: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of userinfo's ``organization_data`` that have a valid id."""
    found = user_info.get("organization_data")
    entries = found if isinstance(found, list) else []
    usable = [entry for entry in entries if isinstance(entry, dict) and is_id(entry.get("id"))]
    if len(usable) < len(entries) or (found is not None and not isinstance(found, list)):
        log.warning("userinfo has organizations that cannot be read", usable=len(usable))
    return usable


def row_of_organization(organization: OrganizationInfo) -> dict[str, Any]:
    """Return the row of an organization, from a record of the Management API."""
    entry = organization.model_dump(include={"id", "name", "description", "branding", "color"})
    return organization_row(entry)


def organization_row(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of an organization, from Logto's JSON. Userinfo has no branding, which then stays."""
    row = {
        "id": entry["id"],
        "name": _bounded(entry.get("name"), 128) or entry["id"],
        "description": _bounded(entry.get("description"), 256),
        "seen_at": utc_now(),
    }
    if "branding" in entry or "color" in entry:
        row |= asdict(Branding.stored(entry.get("branding"), entry.get("color")).shown)
    return row


def user_row(user: LogtoUser) -> dict[str, Any]:
    """Return the row of a person, from a record of the Management API."""
    entry = {
        "username": user.username,
        "name": user.name,
        "primaryEmail": user.email,
        "avatar": user.avatar,
    }
    return {"id": user.id, **user_values(entry)}


def user_values(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a person without the id, from the Management API's JSON."""
    return {
        "username": _bounded(entry.get("username"), 128),
        "name": _bounded(entry.get("name"), 256),
        "email": _bounded(entry.get("primaryEmail"), 320),
        "picture": _bounded(entry.get("avatar"), 2048),
        "seen_at": utc_now(),
    }


def _bounded(value: Any, length: int) -> str | None:
    """Return a text cleaned for display, on one line, or None if it is blank or no text."""
    return clean_name(value)[:length].strip() or None if isinstance(value, str) else None

"""Questions about support access: what an organization allows, and who acts or acted for whom."""

from __future__ import annotations

import uuid
from typing import Final

from saas_app.config import Settings
from saas_app.db import keys
from saas_app.db.base import utc_now
from saas_app.db.readings import Reading
from saas_app.db.session import DatabaseSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import NotFound
from saas_app.identity.directory import Directory
from saas_app.identity.tenant import Tenant
from saas_app.invitations.service import find_account
from saas_app.logto import ManagementClient, explaining
from saas_app.rbac.permissions import Permission
from saas_app.support import queries
from saas_app.support.values import (
    RETENTION,
    AccessNotFound,
    AccessRow,
    AgentAccess,
    Consent,
    NoSuchMember,
    NotAllowed,
    OpenOrganization,
)
from saas_app.text.ids import is_id
from saas_app.text.order import order_key
from saas_app.text.translation import _

LISTED: Final = 500
"""How many organizations the desk lists. More need a search."""

_CANDIDATES: Final = 20  # members that Logto finds by a part of an address


def require_offered(settings: Settings) -> None:
    """Raise :class:`NotFound` in an installation without a support team."""
    if not settings.offers_support:
        raise NotFound(_("This page does not exist, or you do not have access to it."))


def require_customer(settings: Settings, tenant: Tenant) -> None:
    """Raise :class:`NotFound` where nobody could act for a member: see :func:`get_open`."""
    require_offered(settings)
    if is_of_team(settings, tenant):
        raise NotFound(_("Nobody can act for members of the support team’s own organization."))


def is_of_team(settings: Settings, tenant: Tenant) -> bool:
    """Return whether this is the support team's own organization."""
    return tenant.organization_id == settings.support_organization_id


def require_team(settings: Settings, tenant: Tenant) -> None:
    """Raise :class:`NotFound` outside the support team's own organization.

    Somebody who holds the role *support* anywhere else, by mistake, can do nothing with it.
    """
    require_offered(settings)
    if not is_of_team(settings, tenant):
        raise NotFound(_("This page does not exist, or you do not have access to it."))


async def get_consent(db: DatabaseSession, organization_id: str) -> Consent:
    """Return what the organization allows now. ``db`` is bound to it."""
    found = await queries.find_consent(db, organization_id)
    return found if found.is_live(utc_now()) else Consent()


def live_for(tenant: Tenant) -> Reading[list[AccessRow]]:
    """Return the question for the live accesses that concern the caller.

    Members who can change the organization's settings see all of them, and can end them. Other members see
    only those in which somebody acts for them.
    """
    sees_all = tenant.may(Permission.ORGANIZATION_UPDATE)
    return queries.live_in(tenant.organization_id, utc_now(), None if sees_all else tenant.principal.subject)


async def list_live(db: DatabaseSession, organization_id: str) -> list[AccessRow]:
    """Return the accesses to the organization that are live now."""
    return await queries.live_in(organization_id, utc_now()).read(db)


async def list_recent(
    db: DatabaseSession, organization_id: str, before: uuid.UUID | None, limit: int
) -> list[AccessRow]:
    """Return the accesses to the organization in the last 90 days, the newest first."""
    return await queries.list_of_organization(db, organization_id, utc_now() - RETENTION, before, limit)


async def list_open(
    work: UnitOfWork, directory: Directory, language: str, team: Tenant
) -> list[OpenOrganization]:
    """Return the organizations that allow support access now, by name. That of the team is none of them."""
    async with work.reading(key=keys.of_support_desk()) as db:
        consents = await queries.list_open(db, utc_now(), LISTED)
    consents.pop(team.organization_id, None)
    names = await directory.list_organizations(consents)
    found = [
        OpenOrganization(id_, names[id_].name, names[id_].branding, consent)
        for id_, consent in consents.items()
        if id_ in names
    ]
    return sorted(found, key=lambda one: (order_key(one.name, language), one.id))


async def get_open(
    work: UnitOfWork, directory: Directory, organization_id: str, team: Tenant
) -> OpenOrganization:
    """Return an organization that allows support access now.

    Raises :class:`NotAllowed`, also for the organization of the team: an agent who acts for a colleague there
    would not reach the desk, where the access is ended.
    """
    if organization_id == team.organization_id:
        raise NotAllowed
    async with work.reading(key=keys.of_support_desk()) as db:
        consent = await queries.find_consent(db, organization_id)
    listed = (await directory.list_organizations([organization_id])).get(organization_id)
    if listed is None or not consent.is_live(utc_now()):
        raise NotAllowed
    return OpenOrganization(organization_id, listed.name, listed.branding, consent)


async def list_own(
    work: UnitOfWork, directory: Directory, agent_id: str, before: uuid.UUID | None, limit: int
) -> list[AgentAccess]:
    """Return an agent's accesses in the last 90 days, the newest first."""
    async with work.reading(key=keys.of_person(agent_id)) as db:
        rows = await queries.list_of_agent(db, agent_id, utc_now() - RETENTION, before, limit)
    names = await directory.list_organizations({row.organization_id for row in rows})
    return [
        AgentAccess(row, names[row.organization_id].name if row.organization_id in names else "")
        for row in rows
    ]


async def get_own(work: UnitOfWork, agent_id: str, access_id: uuid.UUID) -> AccessRow:
    """Return an access of the agent, to any organization. Raises :class:`AccessNotFound`."""
    async with work.reading(key=keys.of_person(agent_id)) as db:
        found = await queries.find_own(db, agent_id, access_id)
    if found is None:
        raise AccessNotFound
    return found


async def find_member_id(management: ManagementClient, organization: OpenOrganization, typed: str) -> str:
    """Return the user id of the member whose email address, username or user id was typed, in any case.

    It must be the whole address: an agent finds only members whom they know. Logto's search in the
    organization may find too many that contain it, and knows one spelling of an address only, so the account
    is looked for directly as well. Raises :class:`NoSuchMember`.
    """
    with explaining():
        page = await management.list_members_page(
            organization.id, page=1, page_size=_CANDIDATES, search=typed
        )
        for info in page.items:
            known = (info.user.email, info.user.username)
            if typed == info.user.id or typed.casefold() in {text.casefold() for text in known if text}:
                return info.user.id
        account = await find_account(management, typed) or await management.find_user_by_username(typed)
        for user_id in filter(is_id, (account.id if account else "", typed)):
            if await management.find_member_roles(organization.id, user_id) is not None:
                return user_id
    raise NoSuchMember(organization.name)

"""Creating an organization: all of it, or nothing.

Logto chooses the id, so a bare organization is made first. Nobody belongs to it, it has no effect, and it
bears a mark. Letting its author in as its admin is then a change like any other, noted before and recorded
after (:mod:`saas_app.changes`). What fails half-way is deleted again. A crash leaves an organization with the
mark and without the beginning of its trail, and ``saas-app reconcile`` deletes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from saas_app.audit.recorder import Action, Target
from saas_app.changes.organization_change import OrganizationChange, Systems
from saas_app.db.base import utc_now
from saas_app.db.endurance import endure
from saas_app.errors import LogtoUnavailable
from saas_app.identity.directory import remember_organization
from saas_app.identity.principal import Principal
from saas_app.identity.standing import Newcomer, require_session
from saas_app.logto import ManagementError, OrganizationInfo
from saas_app.organizations.removal import request_removal
from saas_app.rbac.permissions import Role

log = structlog.get_logger(__name__)

_SECONDS_TO_FINISH: Final = 30.0
"""For a creation whose caller went away: longer than a call to Logto takes."""

_MARK: Final = "workroom"


@dataclass(frozen=True, slots=True)
class OrganizationInput:
    """What somebody typed for a new organization; bounds and spaces were seen to by the form."""

    name: str
    description: str = ""


async def create_organization(
    systems: Systems, principal: Principal, wanted: OrganizationInput
) -> OrganizationInfo:
    """Create an organization in Logto, its creator the admin, its trail begun: all of it, or nothing.

    When a later step fails, the organization is deleted again. When the caller goes away it is finished, so
    that it counts for the limit and belongs to somebody. Raises :class:`LogtoUnavailable`,
    :class:`LimitReached`, and :class:`SignInRequired` when the session is ended before the last step. Never
    inside an open writing session.
    """
    return await endure(_create_counted(systems, principal, wanted), grace=_SECONDS_TO_FINISH)


async def _create_counted(
    systems: Systems, principal: Principal, wanted: OrganizationInput
) -> OrganizationInfo:
    async with systems.work.reading() as db:
        await require_session(db, principal)
    limits, who = systems.limits, principal.subject
    async with limits.spending((limits.changes, who), (limits.new_organizations, who)):
        with _explained():
            created = await systems.management.create_organization(
                wanted.name, wanted.description or None, custom_data=_mark(principal.subject)
            )
        try:
            await _let_author_in(systems.by(Newcomer(created.id, principal)), created, wanted)
        except BaseException:
            await asyncio.shield(_delete_again(systems, created, principal.subject))
            raise
    return created


async def _let_author_in(
    change: OrganizationChange[Newcomer], created: OrganizationInfo, wanted: OrganizationInput
) -> None:
    async with change.work.writing() as db:  # known here before anything is noted of it
        await remember_organization(db, created)
    management, author = change.management, change.caller.principal.subject

    async def call() -> None:
        await management.add_members(created.id, [author])
        await change.require_standing()
        await management.assign_roles(created.id, author, [Role.ADMIN.value])

    async with change.alone() as turn:
        target = Target("organization", created.id, wanted.name)
        with _explained():
            await turn.carry_out(
                turn.event(Action.ORGANIZATION_CREATE, target, after=asdict(wanted)),
                call,
                subjects=[author],
                is_counted=True,
            )


async def _delete_again(systems: Systems, created: OrganizationInfo, author: str) -> None:
    try:
        await systems.management.delete_organization(created.id)
        async with systems.work.writing() as db:
            await request_removal(db, created.id, created.name, author)
    except Exception:  # why it failed in the first place is what the caller must hear
        log.exception(
            "a half-made organization remains until 'saas-app reconcile'", organization_id=created.id
        )


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except ManagementError as refusal:
        log.exception(
            "logto refused to create an organization", status=refusal.status, logto_code=refusal.code
        )
        raise LogtoUnavailable("Logto did not accept the new organization.") from None


def _mark(author: str) -> dict[str, Any]:
    return {_MARK: {"createdBy": author, "createdAt": utc_now().isoformat()}}


def was_cut_off(
    created: OrganizationInfo, role_names: Mapping[str, frozenset[str]], after: timedelta
) -> bool:
    """Return whether a creation here stopped before anybody could use the organization.

    It bears our mark, which is older than ``after``, and nobody belongs to it but its author, without a role.
    ``role_names`` are those of its members. Whether its trail was begun is for the caller to find out.
    """
    mark: Any = created.custom_data.get(_MARK)
    try:
        author, began = mark["createdBy"], datetime.fromisoformat(mark["createdAt"])
        is_old = began < utc_now() - after
    except (KeyError, TypeError, ValueError):
        return False  # not made here
    return is_old and set(role_names) <= {author} and not any(role_names.values())

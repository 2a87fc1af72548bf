"""Creates an organization completely, or not at all.

Logto chooses the id, so an empty organization is created first. It has no members and no effect, and its
custom data marks it as ours. Adding its creator as the admin is then a change like any other, noted before
and recorded after (:mod:`saas_app.changes`). If a step fails, the organization is deleted. A crash leaves one
with the mark and without an entry in its audit log, which ``saas-app reconcile`` deletes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from saas_app.audit.recorder import Action, Target
from saas_app.changes.organization_change import OrganizationChange, Systems
from saas_app.db.base import utc_now
from saas_app.db.shielding import shielded
from saas_app.errors import LogtoUnavailable
from saas_app.identity.directory import remember_organization
from saas_app.identity.principal import Principal
from saas_app.identity.standing import Newcomer, require_session, session_key
from saas_app.logto import ManagementError, OrganizationInfo
from saas_app.organizations.removal import request_removal
from saas_app.organizations.values import Details
from saas_app.rbac.permissions import Role
from saas_app.text.translation import _

log = structlog.get_logger(__name__)

_SECONDS_TO_FINISH: Final = 30.0
"""After the caller has disconnected. A call to Logto takes less."""

_MARK: Final = "workroom"  # the key in Logto's custom data


async def create_organization(systems: Systems, principal: Principal, wanted: Details) -> OrganizationInfo:
    """Create an organization in Logto with the caller as its admin, and record it in its audit log.

    If a later step fails, the organization is deleted. If the caller disconnects, the creation is completed,
    so that it counts toward the limit and has an admin. Raises :class:`LogtoUnavailable`,
    :class:`LimitReached`, and :class:`SignInRequired` if the session ends before the last step. Do not call
    it inside an open writing session.
    """
    return await shielded(_create_counted(systems, principal, wanted), grace=_SECONDS_TO_FINISH)


async def _create_counted(systems: Systems, principal: Principal, wanted: Details) -> OrganizationInfo:
    async with systems.work.reading(key=session_key(principal)) as db:
        await require_session(db, principal)
    limits, subject = systems.limits, principal.subject
    async with limits.spend_unless_failed((limits.changes, subject), (limits.new_organizations, subject)):
        with _explained():
            created = await systems.management.create_organization(
                wanted.name, wanted.description or None, custom_data=_mark(subject)
            )
        try:
            await _add_creator(systems.by(Newcomer(created.id, principal)), created, wanted)
        except BaseException:
            await asyncio.shield(_delete_again(systems, created, subject))
            raise
    return created


async def _add_creator(
    change: OrganizationChange[Newcomer], created: OrganizationInfo, wanted: Details
) -> None:
    async with change.work.writing(created.id) as db:  # the note of the change refers to it
        await remember_organization(db, created)
    management, creator = change.management, change.caller.principal.subject

    async def call() -> None:
        await management.add_members(created.id, [creator])
        await change.require_standing()
        await management.assign_roles(created.id, creator, [Role.ADMIN.value])

    async with change.alone() as turn:
        target = Target("organization", created.id, wanted.name)
        with _explained():
            await turn.carry_out(
                turn.event(Action.ORGANIZATION_CREATE, target, after=asdict(wanted)),
                call,
                subjects=[creator],
                is_counted=True,
            )


async def _delete_again(systems: Systems, created: OrganizationInfo, creator: str) -> None:
    try:
        await systems.management.delete_organization(created.id)
        async with systems.work.writing(created.id) as db:
            await request_removal(db, created.id, created.name, creator)
    except Exception:  # the caller must see the first failure, not this one
        log.exception(
            "an incomplete organization remains until 'saas-app reconcile'", organization_id=created.id
        )


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except ManagementError as refusal:
        log.exception(
            "logto refused to create an organization", status=refusal.status, logto_code=refusal.code
        )
        raise LogtoUnavailable(_("Logto did not accept the new organization.")) from None


def _mark(creator: str) -> dict[str, Any]:
    return {_MARK: {"createdBy": creator, "createdAt": utc_now().isoformat()}}


def was_cut_off(
    created: OrganizationInfo, role_names: Mapping[str, frozenset[str]], after: timedelta
) -> bool:
    """Return whether the creation of an organization stopped before anybody could use it.

    That is so if it has our mark, which is older than ``after``, and no member but its creator, who has no
    role. ``role_names`` are the roles of each member, by id. The caller of this function checks that the
    audit log has no entry of the creation.
    """
    mark: Any = created.custom_data.get(_MARK)
    try:
        creator, began = mark["createdBy"], datetime.fromisoformat(mark["createdAt"])
        is_old = began < utc_now() - after
    except (KeyError, TypeError, ValueError):
        return False  # not created here
    return is_old and set(role_names) <= {creator} and not any(role_names.values())

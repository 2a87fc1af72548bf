"""The rules of an organization's settings and of its deletion. Logto holds them; every change is made there.

Whether the caller may change them was settled by the guard on the route. Two who save at the same moment
take turns, so that who comes second is told what the first has changed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from saas_app.audit.recorder import Action, AuditEntry, Target, changed_fields
from saas_app.changes.organization_change import MemberChange
from saas_app.errors import Invalid, NotFound, VersionConflict
from saas_app.identity.directory import remember_organization
from saas_app.identity.tenant import Tenant
from saas_app.logto import ManagementError, OrganizationInfo
from saas_app.models import EVERYONE
from saas_app.organizations.removal import request_removal
from saas_app.rbac.assignment import assignable_roles
from saas_app.rbac.permissions import Permission, Role
from saas_app.text.visible import as_seen, isolated

Result = TypeVar("Result")


class OrganizationGone(NotFound):
    """It was deleted while somebody worked on it."""

    code, title = "organization-gone", "This organization no longer exists"

    def __init__(self) -> None:
        super().__init__("Somebody deleted it while this page was open. Nothing was changed.")


@dataclass(frozen=True, slots=True)
class Details:
    """What an organization says of itself."""

    name: str
    description: str = ""

    @property
    def version(self) -> str:
        """Differs whenever one of them does, in its part: what a form says it has seen."""
        return f"{_version([self.name])}.{_version([self.description])}"

    def changed_since(self, seen: str) -> frozenset[str]:
        """The fields that differ from those of a version."""
        parts = zip(("name", "description"), self.version.split("."), f"{seen}.".split("."), strict=False)
        return frozenset(field for field, now, then in parts if now != then)


@dataclass(frozen=True, slots=True)
class Joining:
    """Who becomes a member by signing up: the email domains in effect, and the roles they are given."""

    domains: tuple[str, ...]
    role_names: frozenset[str]

    @property
    def version(self) -> str:
        """Differs whenever the roles do."""
        return _version(sorted(self.role_names))


@dataclass(frozen=True, slots=True)
class OrganizationSettings:
    """Everything the page shows. ``has_factor``: whether the caller has a second factor themself."""

    details: Details
    is_mfa_required: bool
    joining: Joining
    has_factor: bool


class DetailsConflict(VersionConflict):
    """Somebody else changed name or description after the form was opened. ``changed``: what you did."""

    def __init__(self, theirs: Details, yours: Details, changed: frozenset[str]) -> None:
        super().__init__("Another change was saved after you opened it. Nothing was overwritten.")
        self.theirs = theirs
        self.yours = yours
        self.changed = changed


class RolesConflict(VersionConflict):
    """Somebody else chose another role for who joins by themselves."""

    def __init__(self, theirs: frozenset[str]) -> None:
        super().__init__("The role has changed since you opened this page. Nothing was overwritten.")
        self.theirs = theirs


async def read_settings(change: MemberChange) -> OrganizationSettings:
    """What Logto knows now. Raises :class:`OrganizationGone`."""
    with change.explain(OrganizationGone):
        organization, joining, has_factor = await asyncio.gather(
            change.management.get_organization(change.organization_id),
            read_joining(change),
            change.management.has_second_factor(change.caller.principal.subject),
        )
    return OrganizationSettings(_details(organization), organization.is_mfa_required, joining, has_factor)


async def save_details(change: MemberChange, seen: str, wanted: Details) -> Details:
    """Rename and describe. ``seen`` is the version the form began with. Raises :class:`DetailsConflict`."""
    async with change.alone() as turn:
        with turn.explain(OrganizationGone):
            now = await turn.management.get_organization(turn.organization_id)
            theirs = _details(now)
            if wanted == theirs:
                return theirs
            if seen != theirs.version:
                raise DetailsConflict(theirs, wanted, wanted.changed_since(seen))
            renamed = now.model_copy(update={"name": wanted.name, "description": wanted.description})
            saved = await turn.carry_out(
                _event(turn, *changed_fields(asdict(theirs), asdict(wanted))),
                lambda: turn.management.update_organization(
                    turn.organization_id, name=wanted.name, description=wanted.description
                ),
                also=lambda db: remember_organization(db, renamed),
            )
    return _details(saved)


async def require_mfa(change: MemberChange, wanted: bool) -> bool:
    """Ask members for a second factor, or stop asking. True when that changed something.

    Every membership is read again at its next request: members without a factor are refused from then on.
    """
    async with change.alone() as turn:
        with turn.explain(OrganizationGone):
            organization = await turn.management.get_organization(turn.organization_id)
            if organization.is_mfa_required is wanted:
                return False
            await turn.carry_out(
                _event(turn, {"mfa_required": not wanted}, {"mfa_required": wanted}),
                lambda: turn.management.update_organization(turn.organization_id, is_mfa_required=wanted),
                subjects=[EVERYONE],
            )
    return True


async def choose_joining_role(change: MemberChange, seen: str, wanted: Role | None) -> None:
    """Choose the default role for people who auto-join; None gives none.

    Raises :class:`RolesConflict`, and :class:`AssignmentDenied` for a role that holds more than the caller.
    """
    names = frozenset({wanted.value} if wanted else ())
    change.caller.require_assignable(names)
    async with change.alone() as turn:
        with turn.explain(OrganizationGone):
            theirs = (await _read_joining_of_existing(turn)).role_names
            if theirs == names:
                return
            if seen != Joining((), theirs).version:
                raise RolesConflict(theirs)
            role_ids = [
                role.id for role in await turn.management.list_organization_roles() if role.name in names
            ]
            if len(role_ids) != len(names):
                raise Invalid(fields={"role": "This role does not exist in Logto."})
            before, after = {"joining_roles": sorted(theirs)}, {"joining_roles": sorted(names)}
            await turn.carry_out(
                _event(turn, before, after),
                lambda: turn.management.replace_joining_roles(turn.organization_id, role_ids),
            )


def joining_role_choices(tenant: Tenant) -> tuple[Role, ...]:
    """The roles to offer. Saving asks the tokens themselves."""
    offered = frozenset(permission for permission in Permission if tenant.offers(permission))
    return assignable_roles(offered)


async def get_name(change: MemberChange) -> str:
    """What the organization is called in Logto now. Raises :class:`OrganizationGone`."""
    with change.explain(OrganizationGone):
        return (await change.management.get_organization(change.organization_id)).name


async def delete_organization(change: MemberChange, typed_name: str) -> str:
    """Delete it in Logto and order the removal of its data here; returns its name.

    One that is gone in Logto already is removed here all the same. Raises :class:`Invalid` when the typed
    name differs.
    """
    async with change.alone() as turn:
        try:
            name = await get_name(turn)
        except OrganizationGone:
            name = turn.caller.organization_name
        if as_seen(typed_name) != as_seen(name):
            raise Invalid(
                fields={"name": f"The name doesn’t match. Type “{isolated(as_seen(name))}” to confirm."}
            )
        await turn.carry_out(
            turn.event(Action.ORGANIZATION_DELETE, Target("organization", turn.organization_id, name)),
            lambda: _unless_gone(turn.management.delete_organization(turn.organization_id)),
            subjects=[EVERYONE],
            also=lambda db: request_removal(db, turn.organization_id, name, turn.caller.principal.subject),
        )
    return name


async def _unless_gone(call: Awaitable[None]) -> None:
    """What is to be deleted and is not there needs no deleting."""
    try:
        await call
    except ManagementError as refusal:
        if refusal.status != 404:
            raise


async def read_joining(change: MemberChange) -> Joining:
    """Read which domains let people join in Logto now, and the roles they are given there."""
    domains, roles = await asyncio.gather(
        change.management.list_joining_domains(change.organization_id),
        change.management.list_joining_roles(change.organization_id),
    )
    return Joining(tuple(sorted(domains)), roles)


async def _read_joining_of_existing(change: MemberChange) -> Joining:
    """The same of one that exists for sure: Logto answers empty lists for one that does not."""
    await change.management.get_organization(change.organization_id)
    return await read_joining(change)


def _event(change: MemberChange, before: dict[str, Any], after: dict[str, Any]) -> AuditEntry:
    target = Target("organization", change.organization_id, change.caller.organization_name)
    return change.event(Action.ORGANIZATION_UPDATE, target, before, after)


def _details(organization: OrganizationInfo) -> Details:
    return Details(organization.name, organization.description or "")


def _version(values: list[str]) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]

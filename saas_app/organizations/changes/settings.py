"""Changes an organization's settings, and deletes it. Both happen in Logto.

The guard on the route has decided that the caller may do it. Changes of an organization take turns, so a
caller who saves after somebody else is told what has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from saas_app.audit.recorder import Action, AuditEntry, Target, changed_fields
from saas_app.changes.organization_change import MemberChange
from saas_app.errors import Invalid
from saas_app.identity.directory import remember_organization
from saas_app.logto import ignore_missing
from saas_app.models import EVERYONE
from saas_app.organizations.removal import request_removal
from saas_app.organizations.service import get_name, read_joining
from saas_app.organizations.values import (
    Details,
    Joining,
    OrganizationGone,
    RolesConflict,
    SettingsConflict,
    version_of,
)
from saas_app.rbac.permissions import Role
from saas_app.text.branding import Branding
from saas_app.text.translation import _
from saas_app.text.visible import as_displayed, isolated


async def save_details(change: MemberChange, seen: str, wanted: Details) -> None:
    """Save the name and description. ``seen`` is the version with which the form was opened.

    Raises :class:`SettingsConflict` and :class:`OrganizationGone`.
    """
    async with change.alone() as turn:
        with turn.explain(OrganizationGone):
            now = await turn.management.get_organization(turn.organization_id)
            theirs = Details(now.name, now.description or "")
            if wanted == theirs:
                return
            if seen != version_of(theirs):
                raise SettingsConflict(theirs, wanted, seen)
            renamed = now.model_copy(update={"name": wanted.name, "description": wanted.description})
            await turn.carry_out(
                _event(turn, *changed_fields(asdict(theirs), asdict(wanted))),
                lambda: turn.management.update_organization(
                    turn.organization_id, name=wanted.name, description=wanted.description
                ),
                also=lambda db: remember_organization(db, renamed),
            )


async def save_branding(change: MemberChange, seen: str, wanted: Branding) -> None:
    """Save the logo and the color. ``seen`` is the version with which the form was opened.

    Logto replaces its JSON as a whole, so what others have put there is sent again. Raises
    :class:`SettingsConflict` and :class:`OrganizationGone`.
    """
    async with change.alone() as turn:
        with turn.explain(OrganizationGone):
            now = await turn.management.get_organization(turn.organization_id)
            theirs = Branding.stored(now.branding, now.color)
            if wanted == theirs:
                return
            if seen != version_of(theirs):
                raise SettingsConflict(theirs, wanted, seen)
            branding = _with(now.branding, logoUrl=wanted.logo, darkLogoUrl=wanted.dark_logo)
            color = _with(now.color, primaryColor=wanted.color)
            branded = now.model_copy(update={"branding": branding, "color": color})
            before, after = changed_fields(asdict(theirs), asdict(wanted))
            await turn.carry_out(
                _event(turn, before, after, Action.ORGANIZATION_REBRAND),
                lambda: turn.management.update_organization(
                    turn.organization_id, branding=branding, color=color
                ),
                also=lambda db: remember_organization(db, branded),
            )


def _with(stored: Mapping[str, Any], **values: str | None) -> dict[str, Any]:
    """Return a JSON object of Logto with some members set. None removes a member."""
    kept = {name: value for name, value in stored.items() if name not in values}
    return kept | {name: value for name, value in values.items() if value}


async def require_mfa(change: MemberChange, wanted: bool) -> None:
    """Require a second factor of the members, or stop requiring it. Raises :class:`OrganizationGone`.

    All cached tokens become stale, so members without a second factor are rejected from now on.
    """
    async with change.alone() as turn:
        with turn.explain(OrganizationGone):
            organization = await turn.management.get_organization(turn.organization_id)
            if organization.is_mfa_required is wanted:
                return
            await turn.carry_out(
                _event(turn, {"mfa_required": not wanted}, {"mfa_required": wanted}),
                lambda: turn.management.update_organization(turn.organization_id, is_mfa_required=wanted),
                subjects=[EVERYONE],
            )


async def choose_joining_role(change: MemberChange, seen: str, wanted: Role | None) -> None:
    """Set the default role of people who join automatically. None means no role.

    ``seen`` is the version of :class:`Joining` with which the form was opened. Raises :class:`RolesConflict`,
    :class:`OrganizationGone`, and :class:`AssignmentDenied` for a role with permissions the caller lacks.
    """
    names = frozenset({wanted.value} if wanted else ())
    change.caller.require_assignable(names)
    async with change.alone() as turn:
        with turn.explain(OrganizationGone):
            # For an organization that does not exist, Logto returns no roles instead of 404.
            await turn.management.get_organization(turn.organization_id)
            theirs = (await read_joining(turn)).role_names
            if theirs == names:
                return
            if seen != Joining((), theirs).version:
                raise RolesConflict(theirs)
            role_ids = [
                role.id for role in await turn.management.list_organization_roles() if role.name in names
            ]
            if len(role_ids) != len(names):
                raise Invalid(fields={"role": _("This role does not exist in Logto.")})
            before, after = {"joining_roles": sorted(theirs)}, {"joining_roles": sorted(names)}
            await turn.carry_out(
                _event(turn, before, after),
                lambda: turn.management.replace_joining_roles(turn.organization_id, role_ids),
            )


async def delete_organization(change: MemberChange, typed_name: str) -> str:
    """Delete the organization in Logto, request the removal of its data here, and return its name.

    If it is already gone in Logto, its data is removed anyway. Raises :class:`Invalid` if the typed
    name differs from its name.
    """
    async with change.alone() as turn:
        try:
            name = await get_name(turn)
        except OrganizationGone:
            name = turn.caller.organization_name
        if as_displayed(typed_name) != as_displayed(name):
            raise Invalid(
                fields={
                    "name": _(
                        "The name doesn’t match. Type “%(name)s” to confirm.",
                        name=isolated(as_displayed(name)),
                    )
                }
            )
        await turn.carry_out(
            turn.event(Action.ORGANIZATION_DELETE, Target("organization", turn.organization_id, name)),
            lambda: ignore_missing(turn.management.delete_organization(turn.organization_id)),
            subjects=[EVERYONE],
            also=lambda db: request_removal(db, turn.organization_id, name, turn.caller.principal.subject),
        )
    return name


def _event(
    change: MemberChange,
    before: dict[str, Any],
    after: dict[str, Any],
    action: Action = Action.ORGANIZATION_UPDATE,
) -> AuditEntry:
    target = Target("organization", change.organization_id, change.caller.organization_name)
    return change.event(action, target, before, after)

"""Who belongs to the operator's support team: members of its organization, with the role to act for others.

No page gives this role, because nobody in that organization assigns permissions that they lack.
"""

from __future__ import annotations

from typing import Final

from saas_app.audit.recorder import Action, Target
from saas_app.changes.organization_change import Systems
from saas_app.db.session import WritingSession
from saas_app.errors import ConfigurationError
from saas_app.identity.directory import remember_organization
from saas_app.identity.former_members import note_end
from saas_app.identity.named_members import forget_member
from saas_app.identity.standing import Workroom
from saas_app.logto import LogtoUser, ManagementClient
from saas_app.models import Ending
from saas_app.rbac.permissions import Permission, roles_granting
from saas_app.text.translation import _

ROLE: Final = roles_granting(Permission.SUPPORT_ACT)[0]


async def find_person(client: ManagementClient, email: str) -> LogtoUser:
    """Return the account with this email address. Raises :class:`ConfigurationError`."""
    user = await client.find_user_by_email(email)
    if user is None:
        raise ConfigurationError(
            _("Nobody in Logto has the email address %(email)s. They sign up first.", email=email)
        )
    return user


async def grant(systems: Systems, organization_id: str, user: LogtoUser) -> bool:
    """Make a person a member of the support team. Returns False if they were one already."""
    organization = await systems.management.get_organization(organization_id)
    async with systems.by(Workroom(organization_id)).alone() as turn:
        held = await turn.management.find_member_roles(organization_id, user.id)
        if held is not None and ROLE.value in held:
            return False
        roles = sorted({ROLE.value, *(held or ())})
        action = Action.MEMBER_ADD if held is None else Action.MEMBER_CHANGE_ROLES
        before = None if held is None else {"roles": sorted(held)}

        async def give() -> None:
            await turn.management.add_members(organization_id, [user.id])
            await turn.management.assign_roles(organization_id, user.id, [ROLE.value])

        async def remember(db: WritingSession) -> None:
            await remember_organization(db, organization)

        event = turn.event(action, _target(user), before, {"roles": roles})
        await turn.carry_out(event, give, subjects=[user.id], also=remember)
    return True


async def revoke(systems: Systems, organization_id: str, user: LogtoUser) -> bool:
    """Remove a person from the support team, which ends their live accesses. False: they were none."""
    organization = await systems.management.get_organization(organization_id)
    async with systems.by(Workroom(organization_id)).alone() as turn:
        held = await turn.management.find_member_roles(organization_id, user.id)
        if held is None:
            return False

        async def note(db: WritingSession) -> None:
            await forget_member(db, organization_id, user.id)
            await note_end(db, organization_id, organization.name, user.id, Ending.REMOVED)

        event = turn.event(Action.MEMBER_REMOVE, _target(user), {"roles": sorted(held)})
        await turn.carry_out(
            event,
            lambda: turn.management.remove_member(organization_id, user.id),
            subjects=[user.id],
            also=note,
        )
    return True


def _target(user: LogtoUser) -> Target:
    return Target("member", user.id, user.display_name)

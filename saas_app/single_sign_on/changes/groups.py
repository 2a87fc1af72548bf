"""Maps groups at the provider to roles, which people get when they sign in through it."""

from __future__ import annotations

from collections.abc import Collection

from saas_app.audit.recorder import Action
from saas_app.changes.organization_change import MemberChange
from saas_app.single_sign_on.changes.steps import event, get_connection, setting_up, store
from saas_app.single_sign_on.values import GroupRole


async def map_groups(
    change: MemberChange, claim: str, mapping: Collection[GroupRole], *, self_service: bool
) -> None:
    """Replace the mapping. An empty claim turns it off. People keep the roles that they have.

    Raises :class:`AssignmentDenied` for a role that the caller cannot assign without an end. That includes
    the roles of the mapping so far, because a role that is no longer in it is no longer taken away.
    """
    async with setting_up(change, self_service=self_service) as turn:
        turn.caller.require_assignable({row.role for row in mapping})
        now = await get_connection(turn)
        turn.caller.require_assignable({row.role for row in now.group_roles})
        before, after = _said(now.group_claim, now.group_roles), _said(claim, mapping)
        if before == after:
            return
        entry = event(turn, Action.SSO_CHANGE, now, before, after)
        rows = [[row.group, row.role] for row in mapping]
        await store(turn, entry, group_claim=claim, group_roles=rows)


def _said(claim: str, mapping: Collection[GroupRole]) -> dict[str, object]:
    return {"group_claim": claim, "group_roles": [f"{row.group}: {row.role}" for row in mapping]}

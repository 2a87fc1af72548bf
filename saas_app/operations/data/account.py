"""What Logto knows about a person who is to be erased."""

from __future__ import annotations

from dataclasses import dataclass

from saas_app.logto import ManagementClient, ManagementError
from saas_app.rbac.permissions import Role


@dataclass(frozen=True, slots=True)
class Account:
    """An account that still exists, and the names of organizations that have no other admin."""

    sole_admin_of: tuple[str, ...]


async def find_account(client: ManagementClient, user_id: str) -> Account | None:
    """Return what is known of a person's account in Logto, or None if it is deleted."""
    try:
        await client.get_user(user_id)
    except ManagementError as refusal:
        if refusal.status != 404:
            raise
        return None
    names = [
        found.organization_name
        for found in await client.list_user_organizations(user_id)
        if await _is_sole_admin(client, found.organization_id, user_id)
    ]
    return Account(tuple(names))


async def _is_sole_admin(client: ManagementClient, organization_id: str, user_id: str) -> bool:
    members = await client.list_members(organization_id)
    admins = {member.user.id for member in members if Role.ADMIN.value in member.role_names}
    return admins == {user_id}

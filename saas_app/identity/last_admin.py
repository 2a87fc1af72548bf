"""Whether an organization could be run without one of its admins."""

from __future__ import annotations

from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.role_ends import list_ends
from saas_app.logto import ManagementClient, explaining
from saas_app.rbac.permissions import Role


async def is_only_admin(
    work: UnitOfWork, management: ManagementClient, organization_id: str, user_id: str
) -> bool:
    """Return whether nobody but this admin could run the organization. Asks Logto for all of its admins.

    Suspended people cannot sign in, so they do not count. Admins whose role ends do not count either. Raises
    what :func:`saas_app.logto.explaining` raises.
    """
    with explaining():
        roles = await management.list_organization_roles()
        role_id = next((role.id for role in roles if role.name == Role.ADMIN), None)
        if role_id is None:
            return True
        admins = await management.list_members(organization_id, role_id=role_id)
    others = [admin.user.id for admin in admins if admin.user.id != user_id and not admin.user.is_suspended]
    async with work.reading(organization_id) as db:
        ends = await list_ends(db, organization_id, others)
    return not any(Role.ADMIN.value not in ends.get(other, {}) for other in others)

"""A member, for the rules about routes."""

from __future__ import annotations

from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.factories import Factory
from tests.rules.rows import Rows


async def make_member(make: Factory, _runtime: Runtime, organization_id: str) -> dict[str, str]:
    """Make a member who is a viewer."""
    member = await make.person("Other")
    await make.join(organization_id, member, Role.VIEWER)
    return {"user_id": member.id, "role_name": Role.VIEWER.value}


ROWS = Rows(frozenset({"user_id", "role_name"}), make_member)

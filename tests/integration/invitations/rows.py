"""A pending invitation, for the rules about routes."""

from __future__ import annotations

from saas_app.runtime import Runtime
from tests.factories import Factory
from tests.rules.rows import Rows


async def make_invitation(make: Factory, _runtime: Runtime, organization_id: str) -> dict[str, str]:
    """Make an invitation for a new address."""
    return {"invitation_id": await make.invitation(organization_id)}


ROWS = Rows(frozenset({"invitation_id"}), make_invitation)

"""What the database knows of memberships: when one changed last. Logto knows the rest."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.models import EVERYONE, MembershipChange


async def find_last_change(db: AsyncSession, organization_id: str, user_id: str) -> datetime | None:
    """When this membership, or every one of the organization, changed last, as far as we know."""
    moments = await db.scalars(
        sa.select(MembershipChange.changed_at).where(
            MembershipChange.organization_id == organization_id,
            MembershipChange.user_id.in_((user_id, EVERYONE)),
        )
    )
    return max(moments, default=None)

"""Whether a person may have tokens for an organization: membership first, then the MFA that it requires."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from local_logto.errors import access_denied
from local_logto.oidc.organization_access import is_member, requires_mfa
from local_logto.tables import users

# Email and SMS codes are implicit factors in Logto and don't count here.
_COUNTED_FACTORS: Final = frozenset({"Totp", "WebAuthn", "BackupCode"})


def check_user_organization(connection: sa.Connection, organization_id: str, user_id: str) -> None:
    """Raise Logto's 403 ``access_denied`` unless the person may have tokens. An unknown organization has no
    members.
    """
    if not is_member(connection, organization_id, user_id):
        raise access_denied("user is not a member of the organization")
    if not requires_mfa(connection, organization_id):
        return
    query = sa.select(users.c.mfa_verifications).where(users.c.id == user_id)
    factors = connection.execute(query).scalar_one()
    if not any(factor.get("type") in _COUNTED_FACTORS for factor in factors or []):
        raise access_denied("organization requires MFA but user has no MFA configured")

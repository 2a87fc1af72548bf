"""The rule for every change of a member's roles: they must be a member."""

from __future__ import annotations

import sqlalchemy as sa

from local_logto.errors import RequestError
from local_logto.management.relations import Relation


def require_membership(
    connection: sa.Connection, relation: Relation, member_id: str, organization_id: str
) -> None:
    """Raise 422 ``organization.require_membership`` unless the person or machine is a member."""
    if member_id not in relation.ids(connection, organization_id=organization_id):
        raise RequestError(
            422,
            "organization.require_membership",
            "The user must be a member of the organization to proceed.",
        )

"""What a request must know of an organization's single sign-on: whether it is required, and of whom.

The feature itself is :mod:`saas_app.single_sign_on`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from saas_app.models import SsoConnection

REQUIREMENT_COLUMNS: Final = (
    sa.case((SsoConnection.required_at.is_not(None), SsoConnection.connector_id)).label("required_connector"),
    SsoConnection.name.label("sso_provider"),
    SsoConnection.recovery_id.label("sso_recovery_id"),
)
"""The columns that :func:`as_requirement` reads."""


@dataclass(frozen=True, slots=True)
class SsoRequirement:
    """An organization lets only people in who signed in through this connector, and ``recovery_id``.

    ``provider`` is the name of the identity provider for people.
    """

    connector_id: str
    provider: str
    recovery_id: str | None

    def is_met(self, subject: str, connector_id: str | None) -> bool:
        """Return whether a person may come in who signed in through ``connector_id``, or otherwise."""
        return connector_id == self.connector_id or subject == self.recovery_id


def as_requirement(row: sa.Row[Any]) -> SsoRequirement | None:
    """Return what an organization requires, or None. A join may leave the columns empty."""
    if row.required_connector is None:
        return None
    return SsoRequirement(row.required_connector, row.sso_provider, row.sso_recovery_id)

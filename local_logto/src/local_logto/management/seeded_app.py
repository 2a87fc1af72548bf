"""Initial access to the Management API: the tenant role for it, and a machine that has the role.

A real Logto is seeded with the role only; an administrator creates the machine.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import Insert, insert

from local_logto.oidc.scopes import MANAGEMENT_ROLE_ID
from local_logto.settings import Settings
from local_logto.store import Store, new_secret, now_ms
from local_logto.tables import application_roles, application_secrets, applications, roles

_SECRET_NAME: Final = "Default secret"  # noqa: S105 - a label, not a secret

_ROLE: Final = {
    "id": MANAGEMENT_ROLE_ID,
    "name": "Logto Management API access",
    "description": "This default role grants access to the Logto management API.",
    "type": "MachineToMachine",
}


def ensure_access(store: Store, settings: Settings) -> str:
    """Create the role and the application if they are missing. Returns the secret from settings or store."""
    app_id, given = settings.management_app_id, settings.management_app_secret
    holding = insert(application_roles).values(application_id=app_id, role_id=MANAGEMENT_ROLE_ID)
    kept = sa.select(application_secrets.c.value).where(
        application_secrets.c.application_id == app_id, application_secrets.c.name == _SECRET_NAME
    )
    with store.begin() as connection:
        for row in (insert(roles).values(**_ROLE), _application(app_id), holding):
            connection.execute(row.on_conflict_do_nothing())
        connection.execute(_secret(app_id, given))
        value: str = connection.execute(kept).scalar_one()
    return value


def _application(app_id: str) -> Insert:
    return insert(applications).values(
        id=app_id,
        name="Management API access",
        description="Seeded: may use the Management API",
        type="MachineToMachine",
        oidc_client_metadata={"redirectUris": [], "postLogoutRedirectUris": []},
        custom_client_metadata={},
        custom_data={},
        created_at=now_ms(),
    )


def _secret(app_id: str, given: str | None) -> Insert:
    """Store a generated secret once, or replace the stored one with the given one."""
    values = {"application_id": app_id, "name": _SECRET_NAME, "created_at": now_ms()}
    row = insert(application_secrets).values(**values, value=given or new_secret())
    if given is None:
        return row.on_conflict_do_nothing()
    return row.on_conflict_do_update(index_elements=["application_id", "name"], set_={"value": given})

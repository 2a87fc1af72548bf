"""Initial access to the Management API: the tenant role for it, and a machine that has the role.

A real Logto is seeded with the role only; an administrator creates the machine.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from local_logto.oidc.scopes import MANAGEMENT_ROLE_ID
from local_logto.settings import Settings
from local_logto.store import (
    Store,
    application_roles,
    application_secrets,
    applications,
    new_secret,
    now_ms,
    roles,
)

_SECRET_NAME: Final = "Default secret"  # noqa: S105 - a label, not a secret

_ROLE: Final = {
    "id": MANAGEMENT_ROLE_ID,
    "name": "Logto Management API access",
    "description": "This default role grants access to the Logto management API.",
    "type": "MachineToMachine",
}


async def ensure(store: Store, settings: Settings) -> str:
    """Create the role and the application if they are missing. Returns the secret from the settings or the
    store.
    """
    app_id = settings.management_app_id
    role = insert(roles).values(**_ROLE)
    application = insert(applications).values(
        id=app_id,
        name="Management API access",
        description="Seeded: may use the Management API",
        type="MachineToMachine",
        oidc_client_metadata={"redirectUris": [], "postLogoutRedirectUris": []},
        custom_client_metadata={},
        custom_data={},
        created_at=now_ms(),
    )
    secret = insert(application_secrets).values(
        application_id=app_id,
        name=_SECRET_NAME,
        value=settings.management_app_secret or new_secret(),
        created_at=now_ms(),
    )
    kept = sa.select(application_secrets.c.value).where(
        application_secrets.c.application_id == app_id, application_secrets.c.name == _SECRET_NAME
    )
    holding = insert(application_roles).values(application_id=app_id, role_id=MANAGEMENT_ROLE_ID)
    async with store.begin() as connection:
        for row in (role, application, holding):
            await connection.execute(row.on_conflict_do_nothing())
        if settings.management_app_secret is None:
            await connection.execute(secret.on_conflict_do_nothing())
        else:
            given = {"value": settings.management_app_secret}
            await connection.execute(
                secret.on_conflict_do_update(index_elements=["application_id", "name"], set_=given)
            )
        value: str = (await connection.execute(kept)).scalar_one()
    return value

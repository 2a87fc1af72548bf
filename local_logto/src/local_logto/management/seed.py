"""The content of a fresh provider: the Management API, an application for it, and the tenant's settings."""

from __future__ import annotations

from typing import Final

from sqlalchemy.dialects.sqlite import insert

from local_logto.management import account_center, sign_in_exp, token_configs
from local_logto.management.seeded_app import ensure_access
from local_logto.oidc.scopes import MANAGEMENT_RESOURCE, MANAGEMENT_SCOPE
from local_logto.settings import Settings
from local_logto.settings_rows import SIGN_IN_EXP, seed_setting
from local_logto.store import Store, now_ms
from local_logto.tables import resource_scopes, resources

_RESOURCE_ID: Final = "management-api"


def seed(store: Store, settings: Settings) -> None:
    """Store what is missing. Existing rows stay as they are."""
    resource = insert(resources).values(
        id=_RESOURCE_ID, name="Logto Management API", indicator=MANAGEMENT_RESOURCE
    )
    scope = insert(resource_scopes).values(
        id="management-api-all",
        resource_id=_RESOURCE_ID,
        name=MANAGEMENT_SCOPE,
        description="Default scope for Management API, allows all permissions.",
        created_at=now_ms(),
    )
    with store.begin() as connection:
        for row in (resource, scope):
            connection.execute(row.on_conflict_do_nothing())
    ensure_access(store, settings)
    seed_setting(store, SIGN_IN_EXP, sign_in_exp.SEED)
    seed_setting(store, token_configs.KEY, token_configs.SEED)
    seed_setting(store, account_center.KEY, account_center.SEED)

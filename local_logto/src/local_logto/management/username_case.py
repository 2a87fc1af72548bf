"""Case sensitivity of usernames, and the accounts that prevent turning it off."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from local_logto.errors import RequestError
from local_logto.settings_rows import SIGN_IN_EXP
from local_logto.tables import configs, users


def are_usernames_case_sensitive(connection: sa.Connection) -> bool:
    query = sa.select(configs.c.value).where(configs.c.key == SIGN_IN_EXP)
    value: dict[str, Any] = connection.execute(query).scalar_one()
    return bool(value["usernamePolicy"].get("caseSensitive", True))


def find_case_conflicts(connection: sa.Connection, limit: int) -> dict[str, Any]:
    """Return the number of usernames that differ only in case, and the oldest of them with their accounts."""
    lowered = sa.func.lower(users.c.username)
    query = (
        sa.select(lowered.label("username"), sa.func.json_group_array(users.c.id).label("ids"))
        .where(users.c.username.is_not(None))
        .group_by(lowered)
        .having(sa.func.count() > 1)
        .order_by(sa.func.min(users.c.created_at))
    )
    count = sa.select(sa.func.count()).select_from(query.order_by(None).subquery())
    total = connection.execute(count).scalar_one()
    rows = connection.execute(query.limit(limit)).all()
    samples = [{"usernameLower": row.username, "userIds": json.loads(row.ids)} for row in rows]
    return {"totalConflicts": total, "samples": samples}


def refuse_case_conflicts(connection: sa.Connection, changes: Mapping[str, Any]) -> None:
    """Raise 409 for a change to case-insensitive usernames that would make existing usernames equal."""
    is_turned_off = changes.get("usernamePolicy", {}).get("caseSensitive") is False
    if not is_turned_off or not are_usernames_case_sensitive(connection):
        return
    conflicts = find_case_conflicts(connection, 20)
    if conflicts["totalConflicts"]:
        raise RequestError(
            409,
            "sign_in_experiences.username_policy_case_conflicts_exist",
            "Cannot switch to case-insensitive usernames while usernames that differ only by case exist. "
            "Resolve the conflicts and try again.",
            data=conflicts,
        )

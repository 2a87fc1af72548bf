"""What templates may use besides a code or a link: the application, the organization, the person.

Logto 1.42 gives templates these members and no others.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from local_logto.store import Store
from local_logto.tables import applications, organizations, users

_APPLICATION: Final = {"id": "id", "name": "name"}
_ORGANIZATION: Final = {"id": "id", "name": "name", "branding": "branding"}
_USER: Final = {
    "id": "id",
    "avatar": "avatar",
    "name": "name",
    "primaryEmail": "primary_email",
    "primaryPhone": "primary_phone",
    "username": "username",
    "profile": "profile",
}
_TABLES: Final = {
    "application": (applications, _APPLICATION),
    "organization": (organizations, _ORGANIZATION),
    "inviter": (users, _USER),
    "user": (users, _USER),
}


def message_context(store: Store, **ids: str | None) -> dict[str, Any]:
    """Return ``{name: its public members}`` for the given IDs, leaving out what doesn't exist.

    The names are ``application``, ``organization``, ``inviter`` and ``user``.
    """
    context: dict[str, Any] = {}
    with store.begin() as connection:
        for name, row_id in ids.items():
            table, members = _TABLES[name]
            query = sa.select(table).where(table.c.id == row_id)
            row = connection.execute(query).mappings().one_or_none() if row_id else None
            if row is not None:
                context[name] = {shown: row[column] for shown, column in members.items()}
    return context

"""One-time tokens: proofs of an email address that a program creates and a sign-in uses up (Logto 1.42).

When a token is created, neither the address nor the organizations in its context are checked. Verifying it
consumes it, before the sign-in ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from local_logto.errors import RequestError
from local_logto.store import Store, metadata, new_id, new_secret, now_ms
from local_logto.translation import _

DEFAULT_LIFETIME: Final = 600  # seconds
STATUSES: Final = ("active", "consumed", "revoked", "expired")

one_time_tokens = sa.Table(
    "one_time_tokens",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("email", sa.String, nullable=False),
    sa.Column("token", sa.String, nullable=False, unique=True),  # the API shows it again, as in Logto
    sa.Column("context", sa.JSON, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)
_c = one_time_tokens.c
_REFUSALS: Final[Mapping[str, tuple[str, str]]] = {
    "consumed": ("token_consumed", _("The token has been consumed.")),
    "revoked": ("token_revoked", _("The token has been revoked.")),
    "expired": ("token_expired", _("The token is expired.")),
}


def create_token(
    connection: sa.Connection, email: str, lifetime: int, context: Mapping[str, Any]
) -> sa.RowMapping:
    """Create an active token. ``lifetime`` is in seconds."""
    now = now_ms()
    values = {
        "id": new_id(),
        "email": email,
        "token": new_secret(),
        "context": dict(context),
        "status": "active",
        "created_at": now,
        "expires_at": now + lifetime * 1000,
    }
    made = connection.execute(sa.insert(one_time_tokens).values(**values).returning(*_c))
    return made.mappings().one()


def status_of(row: sa.RowMapping) -> str:
    """Return the token's status now: an active token past its end is expired."""
    is_over = row["status"] == "active" and row["expires_at"] <= now_ms()
    return "expired" if is_over else str(row["status"])


async def use_token(store: Store, email: str, token: str, event: str | None = None) -> sa.RowMapping:
    """Consume a token and return its row. Of several concurrent uses, exactly one succeeds.

    ``event`` is the event of the interaction that uses it. Raises 404 ``one_time_token.token_not_found``, or
    a 400 that says why the token cannot be used.
    """
    with store.begin() as connection:
        row = connection.execute(sa.select(one_time_tokens).where(_c.token == token)).mappings().one_or_none()
        if row is None:
            raise refused(404, "token_not_found", _("Token %(token)s not found.", token=token))
        _refuse_unusable(row, email, event)
        change = sa.update(one_time_tokens).where(_c.id == row["id"], _c.status == "active")
        used = connection.execute(change.values(status="consumed").returning(*_c))
        consumed = used.mappings().one_or_none()
    if consumed is None:
        raise refused(400, *_REFUSALS["consumed"])
    return consumed


def refused(status: int, code: str, message: str) -> RequestError:
    """Return an error of this family."""
    return RequestError(status, f"one_time_token.{code}", message)


def _refuse_unusable(row: sa.RowMapping, email: str, event: str | None) -> None:
    if row["email"] != email:
        raise refused(400, "email_mismatch", _("Email mismatch with given token."))
    if (status := status_of(row)) != "active":
        raise refused(400, *_REFUSALS[status])
    wanted = row["context"].get("interactionEvent")
    if event is not None and wanted not in (None, event):
        raise refused(400, "interaction_event_mismatch", _("The token cannot be used for this interaction."))

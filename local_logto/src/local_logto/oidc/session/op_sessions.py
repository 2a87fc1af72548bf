"""The provider's browser session: who is signed in, and the grant of each application in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from quart import Request, Response

from local_logto.context import current_store
from local_logto.crypto.opaque_values import hash_of, new_opaque_value
from local_logto.crypto.signed_cookies import SESSION, clear_cookie, read_cookie, write_cookie
from local_logto.oidc.tables import op_sessions
from local_logto.store import now_ms

SESSION_LIFETIME_MS: Final = 14 * 24 * 3600 * 1000


@dataclass
class OpSession:
    """One browser's session during a request. ``save`` stores it and sets its cookie.

    ``signed_in_at`` is in epoch seconds, like ``auth_time``. ``client_id`` and ``last_submission`` are the
    application and the details of the last sign-in, until :func:`forget_submission`. ``pending_sign_out`` is
    a sign-out that is not yet confirmed. ``device_secret`` must be in the form for a device's code.
    """

    uid: str = field(default_factory=new_opaque_value)
    user_id: str | None = None
    signed_in_at: int | None = None
    authorizations: dict[str, dict[str, Any]] = field(default_factory=dict)
    client_id: str | None = None
    last_submission: dict[str, Any] | None = None
    pending_sign_out: dict[str, Any] | None = None
    device_secret: str | None = None
    cookie_value: str = field(default_factory=new_opaque_value)
    is_new: bool = True
    is_touched: bool = False

    def sign_in(self, client_id: str, login: Mapping[str, Any]) -> None:
        """Apply the result of a sign-in for this application, as ``finish_login`` recorded it."""
        self.user_id, self.signed_in_at = login["accountId"], login["ts"]
        self.client_id, self.last_submission = client_id, login.get("submission")
        self.is_touched = True

    def reset_identifier(self) -> None:
        """Give the browser a new cookie value, which prevents session fixation."""
        self.cookie_value, self.is_touched = new_opaque_value(), True

    def grant_id_for(self, client_id: str) -> str | None:
        return self.authorizations.get(client_id, {}).get("grant_id")

    def sid_for(self, client_id: str) -> str | None:
        return self.authorizations.get(client_id, {}).get("sid")

    def bind_grant(self, client_id: str, grant_id: str) -> None:
        """Remember the application's grant. The first one creates its ``sid``."""
        authorization = self._authorization(client_id)
        authorization["grant_id"] = grant_id
        self.is_touched = True

    def drop_grants(self, grant_ids: Collection[str]) -> None:
        """Forget the applications with these grants."""
        self.authorizations = {
            client_id: authorization
            for client_id, authorization in self.authorizations.items()
            if authorization.get("grant_id") not in grant_ids
        }
        self.is_touched = True

    def keep_grant_after_sign_out(self, client_id: str) -> None:
        """Record that the application was granted ``offline_access``."""
        self._authorization(client_id)["persists_sign_out"] = True
        self.is_touched = True

    def wait_for_sign_out(self, details: dict[str, Any]) -> None:
        self.pending_sign_out, self.is_touched = details, True

    def expect_device_form(self, secret: str | None) -> None:
        """Accept the form for a device's code with this secret, or none."""
        self.device_secret, self.is_touched = secret, True

    def is_older_than(self, seconds: int) -> bool:
        return self.signed_in_at is None or now_ms() // 1000 - self.signed_in_at > seconds

    async def save(self, response: Response) -> None:
        """Store the session for another 14 days. An unused new session is not stored."""
        if self.is_new and not self.is_touched:
            return
        expires_at = now_ms() + SESSION_LIFETIME_MS
        row = {
            "id_hash": hash_of(self.cookie_value),
            "uid": self.uid,
            "user_id": self.user_id,
            "signed_in_at": self.signed_in_at,
            "authorizations": self.authorizations,
            "client_id": self.client_id,
            "last_submission": self.last_submission,
            "pending_sign_out": self.pending_sign_out,
            "device_secret": self.device_secret,
            "expires_at": expires_at,
        }
        with current_store().begin() as connection:
            connection.execute(sa.delete(op_sessions).where(op_sessions.c.uid == self.uid))
            connection.execute(sa.insert(op_sessions).values(**row))
        write_cookie(response, SESSION, self.cookie_value, expires_at_ms=expires_at)

    async def end(self, response: Response) -> None:
        with current_store().begin() as connection:
            connection.execute(sa.delete(op_sessions).where(op_sessions.c.uid == self.uid))
        clear_cookie(response, SESSION)

    def _authorization(self, client_id: str) -> dict[str, Any]:
        return self.authorizations.setdefault(client_id, {"sid": new_opaque_value()})


def load_session(request: Request) -> OpSession:
    """Return the browser's session, or an empty one if it has no valid session."""
    cookie_value = read_cookie(request, SESSION)
    if cookie_value is None:
        return OpSession()
    query = sa.select(op_sessions).where(
        op_sessions.c.id_hash == hash_of(cookie_value), op_sessions.c.expires_at > now_ms()
    )
    with current_store().begin() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return OpSession(is_new=False)
    return OpSession(
        uid=row.uid,
        user_id=row.user_id,
        signed_in_at=row.signed_in_at,
        authorizations=dict(row.authorizations),
        client_id=row.client_id,
        last_submission=row.last_submission,
        pending_sign_out=row.pending_sign_out,
        device_secret=row.device_secret,
        cookie_value=cookie_value,
        is_new=False,
    )


def holds_grant(connection: sa.Connection, session_uid: str, client_id: str, grant_id: str) -> bool:
    """Return whether the session is alive and this is still the application's grant in it."""
    query = sa.select(op_sessions.c.authorizations).where(
        op_sessions.c.uid == session_uid, op_sessions.c.expires_at > now_ms()
    )
    authorizations = connection.execute(query).scalar_one_or_none() or {}
    return bool(authorizations.get(client_id, {}).get("grant_id") == grant_id)


def forget_submission(connection: sa.Connection, session_uid: str | None, client_id: str) -> None:
    """Forget how the person signed in.

    Logto 1.42 does so when an application that has a grant in the session comes back for consent. It stores
    a note about the application in place of the sign-in, and its Management API does not show the note.
    """
    change = sa.update(op_sessions).where(op_sessions.c.uid == session_uid)
    connection.execute(change.values(last_submission=None, client_id=client_id))


def forget_grant(connection: sa.Connection, user_id: str, grant_id: str) -> None:
    """Remove the grant from the person's browser sessions. This signs out a browser that had it.

    The session gets a new identifier that no browser knows, as in Logto.
    """
    query = sa.select(op_sessions.c.uid, op_sessions.c.authorizations).where(op_sessions.c.user_id == user_id)
    for uid, authorizations in connection.execute(query).all():
        kept = {
            client_id: authorization
            for client_id, authorization in authorizations.items()
            if authorization.get("grant_id") != grant_id
        }
        if kept != authorizations:
            change = sa.update(op_sessions).where(op_sessions.c.uid == uid)
            values = {"authorizations": kept, "id_hash": hash_of(new_opaque_value())}
            connection.execute(change.values(**values))

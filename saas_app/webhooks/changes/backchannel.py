"""Back-channel logout: when a session ends at Logto, the sessions it led to here end too.

See OpenID Connect Back-Channel Logout 1.0. Logto 1.42 sends it once, when a person signs out at Logto itself.
Suspension and deletion arrive as webhooks (:mod:`saas_app.webhooks.changes.deliveries`).
"""

from __future__ import annotations

import hashlib

import structlog

from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.logto_client import LogtoProvider
from saas_app.identity.sessions import SessionStore
from saas_app.identity.token_verifier import TokenRejected
from saas_app.webhooks.changes.deliveries import note_delivery

log = structlog.get_logger(__name__)


class BackchannelLogout:
    """Ends the sessions that a logout token names."""

    def __init__(
        self, work: UnitOfWork, provider: LogtoProvider, sessions: SessionStore, *, client_id: str
    ) -> None:
        self._work = work
        self._provider = provider
        self._sessions = sessions
        self._client_id = client_id

    async def receive(self, logout_token: str) -> int:
        """End the sessions of the token's ``sid``, or of its ``sub`` without one. Returns how many.

        A token works once. Raises :class:`TokenRejected`, and
        :class:`saas_app.errors.LogtoUnavailable` if its key cannot be fetched.
        """
        core = await self._provider.core()
        claims = await core.verifier.verify_logout_token(logout_token, client_id=self._client_id)
        digest = hashlib.sha256(f"logout {claims['jti']}".encode()).digest()
        ending = {"subject": claims.get("sub"), "sid": claims.get("sid")}
        async with self._work.writing(key=self._sessions.key_at_logto(**ending)) as db:
            if not await note_delivery(db, digest):
                raise TokenRejected("was received before")
            ended = await self._sessions.end_at_logto(db, **ending)
        log.info("sessions ended by logto", count=ended)
        return ended

"""How browsers signed in at Logto, for when Logto has forgotten it.

Logto 1.42 forgets how a browser signed in when an application that has a grant in its session comes back for
consent, which it does at each silent renewal. So what Logto said the first time is kept as long as the
session may live there, encrypted, with the sign-ins in progress.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import TypeAdapter, ValidationError

from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.arrivals import Admission, Arrival
from saas_app.identity.vault import Vault
from saas_app.logto import BrowserSession
from saas_app.single_sign_on.broker import queries

_PURPOSE: Final = "known sign-in"
_KEPT: Final = timedelta(days=14)  # as long as a session at Logto 1.42, from its last use


@dataclass(frozen=True, slots=True)
class _Known:
    """An admission from a session at Logto, and when Logto had last signed the person in there."""

    connector_id: str | None
    since: str
    signed_in_at: datetime


_KNOWN: Final[TypeAdapter[_Known]] = TypeAdapter(_Known)


class KnownSignIns:
    """Stores how a person came in from a session at Logto, by its ``sid``."""

    def __init__(self, work: UnitOfWork, vault: Vault) -> None:
        self._work = work
        self._vault = vault

    async def remember(self, arrival: Arrival, session: BrowserSession, admission: Admission) -> None:
        """Store how a person came in, unless Logto does not say when it signed them in."""
        if session.signed_in_at is None:
            return
        known = _KNOWN.dump_json(_Known(admission.connector_id, admission.since, session.signed_in_at))
        async with self._work.writing() as db:
            sealed = self._vault.seal(known.decode())
            await queries.replace(db, self._key(arrival), arrival.subject, sealed, _KEPT)

    async def find(self, arrival: Arrival, session: BrowserSession) -> Admission | None:
        """Return how a person came in, if Logto has not signed them in again since, or None."""
        async with self._work.reading() as db:
            sealed = await queries.find(db, self._key(arrival), arrival.subject)
        content = None if sealed is None else self._vault.find(sealed)
        if content is None:  # unknown, expired, or sealed with a key that was removed
            return None
        try:
            known = _KNOWN.validate_json(content)
        except ValidationError:  # of another release
            return None
        is_same = known.signed_in_at == session.signed_in_at
        return Admission(known.connector_id, known.since) if is_same else None

    def _key(self, arrival: Arrival) -> str:
        """Return a key that nobody else can say, although a callback may name any."""
        return self._vault.stamp(_PURPOSE, arrival.sid or "")

"""Round trips to Logto that give a browser's session what it lacks, and what keeps them from looping.

Logto freezes API-resource scopes in the grant at consent, and reports the time of a sign-in only if one was
requested. A round trip through the browser fixes both. The session stores the purpose of its last round trip:
if one with the same purpose has just been made, another would change nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from saas_app.db.base import utc_now
from saas_app.identity.session_access import SessionAccess
from saas_app.rbac.decision import Decision

_INTERVAL: Final = timedelta(seconds=60)  # a round trip with the same purpose is not repeated sooner


class RenewalRequired(Exception):
    """The session needs a silent round trip to Logto to get what its caller is entitled to.

    ``purpose`` is stored in the session. ``decision`` is the denial that the round trip may lift, if any.
    """

    def __init__(self, purpose: str, decision: Decision | None = None) -> None:
        super().__init__(purpose)
        self.purpose = purpose
        self.decision = decision


class StepUpRequired(Exception):
    """The caller has to sign in again, because the last sign-in is older than ``max_age`` seconds.

    ``purpose`` is stored in the session. ``just_made``: such a sign-in has just been made, but Logto did not
    confirm it.
    """

    def __init__(self, purpose: str, *, just_made: bool, max_age: int) -> None:
        super().__init__(purpose)
        self.purpose = purpose
        self.just_made = just_made
        self.max_age = max_age


def was_just_made(access: SessionAccess, purpose: str) -> bool:
    """Return whether the session's last round trip was made for ``purpose`` less than a minute ago."""
    return access.renewed_for == purpose and utc_now() - access.granted_at < _INTERVAL

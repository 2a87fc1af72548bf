"""When a round trip to Logto helps a browser's session, and why the same one is not made in a loop.

Logto freezes API-resource scopes in the grant at consent, and tells how old a sign-in is only when it was
asked for one. Both are mended by sending the browser to Logto and back. The session notes the purpose of its
last round trip: when the same one has just been made, another one would change nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from saas_app.db.base import utc_now
from saas_app.identity.session_access import SessionAccess
from saas_app.rbac.decision import Decision

_INTERVAL: Final = timedelta(seconds=60)  # a round trip that changed nothing is not made again sooner


class RenewalRequired(Exception):
    """A silent round trip to Logto gives the session what its caller is entitled to.

    ``purpose`` is what the session notes of it. ``decision`` is the denial that it may lift, if there is one.
    """

    def __init__(self, purpose: str, decision: Decision | None = None) -> None:
        super().__init__(purpose)
        self.purpose = purpose
        self.decision = decision


class StepUpRequired(Exception):
    """The caller has to sign in again, because the last sign-in is older than ``max_age`` seconds.

    ``purpose`` is what the session notes of that sign-in; ``just_made``: it has just been made and Logto did
    not confirm it.
    """

    def __init__(self, purpose: str, *, just_made: bool, max_age: int) -> None:
        super().__init__(purpose)
        self.purpose = purpose
        self.just_made = just_made
        self.max_age = max_age


def was_just_made(access: SessionAccess, purpose: str) -> bool:
    """Return whether the session's last round trip was made for ``purpose`` less than a minute ago."""
    return access.renewed_for == purpose and utc_now() - access.granted_at < _INTERVAL

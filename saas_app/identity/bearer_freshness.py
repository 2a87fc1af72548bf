"""Decides whether a bearer token is newer than the last known change of its membership.

Its ``iat`` is compared with the time of the change by Logto's own clock. If that leaves a doubt, a token that
was used before the change is outdated; for any other, Logto is asked whether it would still grant what the
token claims. While a change has begun whose result is not known, a token in doubt is rejected, and for a
newer one Logto is asked at each request.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from saas_app.identity.bearer import BearerToken
from saas_app.identity.bearer_access import BearerAccess
from saas_app.identity.membership_changes import KnownChanges
from saas_app.identity.membership_check import Claimed, is_still_granted
from saas_app.logto import ManagementClient
from saas_app.rbac.permissions import known_permissions

_MAX_REMEMBERED: Final = 4_096


class _Verdict(Enum):
    """How a token was last judged: newer by its time, confirmed by Logto, or outdated, which is final."""

    BY_TIME = auto()
    BY_LOGTO = auto()
    OUTDATED = auto()


@dataclass(slots=True)
class _Judgment:
    """How a token was judged, and at which version of its membership."""

    verdict: _Verdict | None = None
    version: int = 0


class BearerFreshness:
    """Compares tokens with the changes of their memberships, and remembers the results.

    Without ``management``, Logto cannot be asked, and a token that may be older than a change is rejected.
    """

    def __init__(self, management: ManagementClient | None) -> None:
        self._management = management
        self._remembered: OrderedDict[bytes, _Judgment] = OrderedDict()

    async def is_current(self, token: BearerToken, access: BearerAccess) -> bool:
        """Return whether the token was issued after all known changes of its membership.

        Logto may carry out a change in progress at any moment. So it is asked at each request, and its answer
        counts for that request only.
        """
        last, changes = self._recall(token), access.changes
        if last.verdict is _Verdict.OUTDATED:
            return False
        is_known = last.verdict is not None and last.version == changes.version
        if is_known and not access.is_membership_changing:
            return True
        verdict = _compare(token, last, changes)
        if access.is_membership_changing and verdict is not _Verdict.OUTDATED:
            # a token in doubt counts as outdated, because the change may have been made
            return verdict is _Verdict.BY_TIME and await self._is_still_granted(token)
        if verdict is None:
            verdict = _Verdict.BY_LOGTO if await self._is_still_granted(token) else _Verdict.OUTDATED
        last.verdict, last.version = verdict, changes.version
        return verdict is not _Verdict.OUTDATED

    def _recall(self, token: BearerToken) -> _Judgment:
        last = self._remembered.setdefault(token.fingerprint, _Judgment())
        self._remembered.move_to_end(token.fingerprint)
        if len(self._remembered) > _MAX_REMEMBERED:
            self._remembered.popitem(last=False)
        return last

    async def _is_still_granted(self, token: BearerToken) -> bool:
        if self._management is None:
            return False
        known = {item.value for item in known_permissions(token.scopes) if item.carrier is token.carrier}
        return await is_still_granted(
            self._management,
            Claimed(token.subject, token.is_machine, token.organization_id, token.carrier, frozenset(known)),
        )


def _compare(token: BearerToken, last: _Judgment, changes: KnownChanges) -> _Verdict | None:
    """Judge a token by its time: newer than the changes, or outdated. None if in doubt."""
    latest = changes.latest
    if latest is None or token.issued_at > latest.latest:
        return _Verdict.BY_TIME
    was_used_before = last.verdict is _Verdict.BY_TIME and last.version != changes.version
    return _Verdict.OUTDATED if token.issued_at < latest.earliest or was_used_before else None

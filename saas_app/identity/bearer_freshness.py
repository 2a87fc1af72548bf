"""Whether a bearer token is newer than the last known change of its membership.

Its ``iat`` is compared with what Logto's own clock said at the change. Where that leaves a doubt, a token
that was used before the change is older than it, and for every other Logto is asked whether it would grant
now what the token claims. While a change has begun whose end is not known, a token in doubt is refused, and
for a newer one Logto is asked at every request.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from saas_app.identity.bearer import BearerToken
from saas_app.identity.bearer_access import BearerAccess
from saas_app.identity.membership_changes import KnownChanges
from saas_app.identity.membership_check import Claimed, holds_now
from saas_app.logto import ManagementClient
from saas_app.rbac.permissions import known_permissions

_MOST_REMEMBERED: Final = 4_096


class _Judged(Enum):
    """How a token was found last. ``OUTDATED``, to be older than a change, is for good."""

    BY_TIME = auto()
    BY_LOGTO = auto()
    OUTDATED = auto()


@dataclass(slots=True)
class _Judgement:
    """How a token was judged, at which version of its membership's changes."""

    judged: _Judged | None = None
    version: int = 0


class BearerFreshness:
    """Judges tokens against the changes of their memberships, and remembers how.

    Without ``management`` nobody can be asked, and a token that may be older than a change is rejected.
    """

    def __init__(self, management: ManagementClient | None) -> None:
        self._management = management
        self._remembered: OrderedDict[bytes, _Judgement] = OrderedDict()

    async def is_current(self, token: BearerToken, access: BearerAccess) -> bool:
        """Return whether the token was issued after all known changes of its membership.

        While a change is under way, Logto may carry it out at any moment: it is asked at every request, and
        its answer counts for that request only.
        """
        last, changes = self._recall(token), access.changes
        if last.judged is _Judged.OUTDATED:
            return False
        is_known = last.judged is not None and last.version == changes.version
        if is_known and not access.is_membership_changing:
            return True
        judged = _compare(token, last, changes)
        if access.is_membership_changing and judged is not _Judged.OUTDATED:
            # in doubt it is older: the change may be done
            return judged is _Judged.BY_TIME and await self._holds_now(token)
        if judged is None:
            judged = _Judged.BY_LOGTO if await self._holds_now(token) else _Judged.OUTDATED
        last.judged, last.version = judged, changes.version
        return judged is not _Judged.OUTDATED

    def _recall(self, token: BearerToken) -> _Judgement:
        last = self._remembered.setdefault(token.fingerprint, _Judgement())
        self._remembered.move_to_end(token.fingerprint)
        if len(self._remembered) > _MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        return last

    async def _holds_now(self, token: BearerToken) -> bool:
        if self._management is None:
            return False
        known = {item.value for item in known_permissions(token.scopes) if item.carrier is token.carrier}
        return await holds_now(
            self._management,
            Claimed(token.subject, token.is_machine, token.organization_id, token.carrier, frozenset(known)),
        )


def _compare(token: BearerToken, last: _Judgement, changes: KnownChanges) -> _Judged | None:
    """Judge a token by its time alone: newer than the changes or older. None where it is in doubt."""
    latest = changes.latest
    if latest is None or token.issued_at > latest.latest:
        return _Judged.BY_TIME
    was_used_before = last.judged is _Judged.BY_TIME and last.version != changes.version
    return _Judged.OUTDATED if token.issued_at < latest.earliest or was_used_before else None

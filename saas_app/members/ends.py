"""The ends of roles that a change gives and takes away: which are possible, and when they are written.

An end is stored before Logto gives the role, so that a crash never leaves a role without its end. If Logto
rejects the change, the ends are as before: deleting one could let a role last that has ended.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from saas_app.db.base import utc_now
from saas_app.db.session import WritingSession
from saas_app.errors import Invalid
from saas_app.identity import role_ends
from saas_app.text.translation import ngettext

SHORTEST: Final = timedelta(minutes=5)
LONGEST: Final = timedelta(days=365)
WITHIN: Final = (SHORTEST, LONGEST)
"""How soon and how late a role may end."""

_GRACE: Final = timedelta(minutes=1)
"""How long a choice of the shortest time may take to arrive and to get a turn. Forms show no seconds."""

_TOO_SOON: Final = ngettext(
    "Choose an end that is at least %(num)s minute from now.",
    "Choose an end that is at least %(num)s minutes from now.",
    SHORTEST // timedelta(minutes=1),
)
_TOO_LATE: Final = ngettext(
    "Choose an end that is at most %(num)s day from now, or no end.",
    "Choose an end that is at most %(num)s days from now, or no end.",
    LONGEST.days,
)


def require_possible_end(until: datetime | None) -> None:
    """Raise :class:`Invalid` for the field ``until`` if a role that is given now cannot end then."""
    if until is None:
        return
    ahead = until - utc_now()
    if not SHORTEST - _GRACE <= ahead <= LONGEST:
        problem = _TOO_SOON if ahead < SHORTEST else _TOO_LATE
        raise Invalid(problem, fields={"until": problem})


class GivenEnds:
    """The end of the roles that a change gives to a member: ``until``, or None for no end."""

    def __init__(
        self,
        organization_id: str,
        user_id: str,
        role_names: Collection[str],
        until: datetime | None,
        given_by: str,
    ) -> None:
        self._organization_id = organization_id
        self._user_id = user_id
        self._role_names = sorted(role_names)
        self._until = until
        self._given_by = given_by
        self._before: Mapping[str, datetime] = {}

    async def write(self, db: WritingSession) -> None:
        """Store the end, in place of what an earlier assignment of the roles left."""
        self._before = await role_ends.read_ends(db, self._organization_id, self._user_id)
        await self._store(db, {} if self._until is None else dict.fromkeys(self._role_names, self._until))

    async def restore(self, db: WritingSession) -> None:
        """Store again what was stored before."""
        await self._store(db, self._before)

    async def _store(self, db: WritingSession, ends: Mapping[str, datetime]) -> None:
        for name in self._role_names:
            if name in ends:
                await role_ends.set_end(
                    db, self._organization_id, self._user_id, name, ends[name], self._given_by
                )
        lasting = [name for name in self._role_names if name not in ends]
        await role_ends.delete_ends(db, self._organization_id, self._user_id, lasting)

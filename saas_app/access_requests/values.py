"""The frozen values that the parts of this feature hand to each other, and its errors."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from saas_app.db.base import utc_now
from saas_app.members.ends import LONGEST, SHORTEST
from saas_app.models import RequestState as RequestState
from saas_app.rbac.permissions import Permission, Role
from saas_app.text.translation import Sentence, _, ngettext
from saas_app.web.durations import Duration

LIFETIME: Final = timedelta(days=14)
"""How long a request can be decided."""

MAX_PENDING: Final = 5
"""How many requests of a person may wait in an organization."""

TEXT_LENGTH: Final = 500
"""The most characters of a reason or an answer."""

MAX_NAMED: Final = 10
"""How many approvers a page names."""

OWN_SHOWN: Final = 5
"""How many of their own requests a person sees on *My access*."""

MINUTES: Final[Mapping[Duration, int | None]] = {
    Duration.HOUR: 60,
    Duration.DAY: 24 * 60,
    Duration.WEEK: 7 * 24 * 60,
    Duration.NO_END: None,
}
"""For how long the form offers a role, in minutes. None: without an end."""

MIN_MINUTES: Final = SHORTEST // timedelta(minutes=1)
MAX_MINUTES: Final = LONGEST // timedelta(minutes=1)
"""The shortest and the longest time of a role that ends."""

RequestKey: TypeAlias = tuple[int, uuid.UUID]
"""The place of a request in the list: whether it is decided (0 or 1), and its id."""


class ShownState(StrEnum):
    """What became of a request, for people."""

    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"

    @property
    def label(self) -> Sentence:
        """The name of the state on pages."""
        return _LABELS[self]


_LABELS: Final[Mapping[ShownState, Sentence]] = {
    ShownState.PENDING: _("Pending"),
    ShownState.APPROVED: _("Approved"),
    ShownState.DECLINED: _("Declined"),
    ShownState.WITHDRAWN: _("Withdrawn"),
    ShownState.EXPIRED: _("Expired"),
}


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request for a role. ``minutes`` is None if the member asked for no end.

    ``decided_by`` and its name are None while nobody decided, or if the reader does not get them. ``ends_at``
    is the end of the role that an approval set, or None. ``stored_end`` is the end that the requester's role
    has now, if one is stored, whether it has passed or not.
    """

    id: uuid.UUID
    requester_id: str
    requester_name: str
    role: str
    permission: str | None
    minutes: int | None
    reason: str
    stored_state: RequestState
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    decider_name: str | None
    answer: str
    ends_at: datetime | None
    stored_end: datetime | None

    @property
    def expires_at(self) -> datetime:
        """When the request can no longer be decided."""
        return self.created_at + LIFETIME

    @property
    def state(self) -> ShownState:
        """What became of the request. One that nobody decided in time has expired, whatever came later."""
        if self.stored_state is RequestState.PENDING:
            return ShownState.EXPIRED if utc_now() >= self.expires_at else ShownState.PENDING
        if self.stored_state is RequestState.WITHDRAWN and (self.decided_at or utc_now()) >= self.expires_at:
            return ShownState.EXPIRED
        return ShownState(self.stored_state.value)

    @property
    def is_pending(self) -> bool:
        """Whether the request can be decided or withdrawn."""
        return self.state is ShownState.PENDING

    @property
    def held_until(self) -> datetime | None:
        """Until when the requester has the role that they ask to keep longer, or None for another request."""
        is_held = self.stored_end is not None and self.stored_end > utc_now()
        return self.stored_end if is_held and self.is_pending else None

    @property
    def key(self) -> RequestKey:
        """The place in the list."""
        return (0 if self.is_pending else 1), self.id

    @property
    def duration(self) -> Sentence:
        """For how long the member needs the role."""
        duration = duration_of(self.minutes)
        if duration is not None:
            return duration.label
        return ngettext("%(num)s minute", "%(num)s minutes", self.minutes or 0)


@dataclass(frozen=True, slots=True)
class WantedAccess:
    """What a member asks for. ``permission`` is what they lacked, if a page denied them something."""

    role: Role
    reason: str
    minutes: int | None
    permission: Permission | None = None


@dataclass(frozen=True, slots=True)
class Approver:
    """A member who can approve a request."""

    id: str
    name: str
    picture: str | None = None


@dataclass(frozen=True, slots=True)
class RoleToAsk:
    """A role that a member can ask for, what it would add, and who could approve it.

    ``held_until`` is the end of a role that the member has and can ask to keep longer, or None. ``gained`` is
    then what they would lose at its end. ``approvers`` is None while Logto does not respond.
    """

    role: Role
    gained: tuple[Permission, ...]
    held_until: datetime | None
    approvers: tuple[Approver, ...] | None

    @property
    def may_be_asked(self) -> bool:
        """Whether anybody could approve the request, as far as is known."""
        return self.approvers is None or bool(self.approvers)


def duration_of(minutes: int | None) -> Duration | None:
    """Return the choice of the form that a request has, or None for a time that only programs can ask for."""
    return next((duration for duration, length in MINUTES.items() if length == minutes), None)


def is_longer(minutes: int | None, held_until: datetime | None) -> bool:
    """Return whether a role for that long from now would end later than one that is held.

    ``minutes`` is None for no end, and ``held_until`` for a role that is not held.
    """
    return held_until is None or minutes is None or utc_now() + timedelta(minutes=minutes) > held_until


def suggested_duration(held_until: datetime | None, *, otherwise: Duration) -> Duration:
    """Return a day or a week, whichever is the first that is longer than a role is held."""
    return next(
        (choice for choice in (Duration.DAY, Duration.WEEK) if is_longer(MINUTES[choice], held_until)),
        otherwise,
    )

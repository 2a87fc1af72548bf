"""The frozen values that the parts of this feature hand to each other."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from saas_app.audit.recorder import Action
from saas_app.errors import NotFound
from saas_app.models import PSEUDONYM
from saas_app.models import ActorType as ActorType
from saas_app.models import Outcome as Outcome
from saas_app.rbac.decision import StepResult
from saas_app.text.translation import _
from saas_app.text.visible import isolated


@dataclass(frozen=True, slots=True)
class EventFilter:
    """A filter of events. Empty and None values do not filter.

    ``actor`` is a part of a name, username or email address, or a whole id or network address. If one event
    has a matching name, all events of its actor match. ``target`` is a part of a name or of the requested
    path, or a whole id. Both ignore case (on SQLite, the case of ASCII letters); ``actor_id`` and
    ``target_id`` are compared exactly. ``since`` is included, ``until`` is not.
    """

    actor: str = ""
    actor_id: str = ""
    action: Action | None = None
    outcome: Outcome | None = None
    target: str = ""
    target_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as it was recorded. ``action`` and ``lacked_permission`` may be unknown to this version.

    ``behalf_id`` is the member for whom the actor acted, in support access.
    """

    id: uuid.UUID
    occurred_at: datetime
    actor_type: ActorType
    actor_id: str
    actor_name: str
    action: str
    target_type: str
    target_id: str
    target_name: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    outcome: Outcome
    decision: dict[str, Any] | None
    request_id: str
    address: str
    behalf_id: str | None = None
    behalf_name: str | None = None

    @property
    def plain_decision(self) -> dict[str, Any] | None:
        """The decision for programs: in English, without what pages need to translate it."""
        if self.decision is None:
            return None
        steps = self.decision.get("steps", [])
        plain = [{name: part for name, part in step.items() if name != "sentence"} for step in steps]
        return {**self.decision, "steps": plain}

    @property
    def lacked_permission(self) -> str | None:
        """The permission that a denied request lacked, if the decision names one."""
        return None if self.decision is None else self.decision.get("permission")

    @property
    def by(self) -> str:
        """The actor's name, and the name of the member for whom they acted."""
        if self.behalf_name is None:
            return isolated(self.actor_name)
        agent, member = isolated(self.actor_name), isolated(self.behalf_name)
        return _("%(agent)s (support) for %(member)s", agent=agent, member=member)

    @property
    def is_by_erased(self) -> bool:
        """Whether a pseudonym stands for the actor, because their data was erased."""
        return self.actor_id.startswith(PSEUDONYM)


class Saver(StrEnum):
    """Who saved the latest version of an item. ``OUTSIDE`` is anybody who did not use Workroom."""

    READER = "reader"
    SOMEBODY = "somebody"
    ERASED = "erased"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class LastSave:
    """Who saved the latest version of an item, and when. ``name`` is set for somebody else only.

    For a save outside Workroom, ``at`` is when Logto last reported a change, or None if it reported none.
    """

    saver: Saver
    at: datetime | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class FoundEvents:
    """Some events, the newest first. ``further``: continue before the event with this id; None at the end."""

    rows: list[EventRow]
    further: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field before and after a change, in the reader's words.

    A side is None if the target did not exist then.
    """

    name: str
    label: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """An event for its own page: its row, and its JSON as values."""

    row: EventRow
    changes: tuple[FieldChange, ...]
    steps: tuple[StepResult, ...]


class EventNotFound(NotFound):
    """The organization's audit log has no such entry."""

    title = _("This entry does not exist")

    def __init__(self) -> None:
        super().__init__(_("Entries of the audit log are never deleted, so the address may be incomplete."))

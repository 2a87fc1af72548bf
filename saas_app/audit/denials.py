"""Denials on an organization's routes: written once the request's own work is rolled back.

Only what members and machines of the organization are refused is an event of its trail. People who do not
belong to it choose their own names and may ask as often as they like; they are counted in the log, and
their names stand nowhere (:class:`Outsiders`).

A member who is refused may ask again as often as they like, so what a refusal writes is bounded: one event
in ten seconds for the same session, organization, route and permission. After a hundred in an hour for the
same person or machine in an organization, whatever their sessions, only a route and permission that was not
among them is written, once, and the log says so: others' events stay findable, and no kind of attempt goes
unseen. That is remembered by each process for itself, for the last ten thousand such refusals. Writing is
the trail's concern and never the caller's: when it fails, the log says so and the refusal stands.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from saas_app.audit.recorder import Action, Actor, AuditEntry, Target, record
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.principal import Principal
from saas_app.models import Outcome
from saas_app.rbac.decision import Decision, Step, StepResult
from saas_app.text.visible import isolated

log = structlog.get_logger(__name__)

QUIET_SECONDS = 10.0
MOST_AN_HOUR = 100
_HOUR = 3600.0
Key = TypeVar("Key")
Value = TypeVar("Value")

_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked for: the method, the address without its query, and the rule of its route."""

    method: str
    path: str
    rule: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def route(self) -> str:
        """The same for every address of a route."""
        return f"{self.method} {self.rule}"


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What makes two denials the same."""

    credential: str
    organization_id: str
    route: str
    what: str


@dataclass(slots=True)
class _Hour:
    """What a caller was refused since the first refusal of an hour."""

    began_at: float
    count: int = 0
    kinds: set[tuple[str, str]] = field(default_factory=set)  # routes, with what was missing there


class Denials:
    """Writes denials into the trails of organizations. One a process."""

    def __init__(self, work: UnitOfWork, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._work = work
        self._clock = clock
        self._written: OrderedDict[_Refusal, float] = OrderedDict()
        self._hours: OrderedDict[tuple[str, str], _Hour] = OrderedDict()

    async def note(
        self, principal: Principal, organization_id: str, asked: Asked, decision: Decision
    ) -> bool:
        """Write that ``principal`` was refused what they asked for; return whether it was written.

        Never inside an open writing session: SQLite has one writer. Raises nothing of the database's.
        """
        what = decision.permission or decision.decided_by.step
        refusal = _Refusal(principal.credential, organization_id, asked.route, what.value)
        if not self._is_due(refusal) or not self._has_room(principal.subject, refusal):
            return False
        entry = AuditEntry(
            actor=Actor.of(principal),
            action=Action.ACCESS_DENY,
            target=Target("request", str(asked), str(asked)),
            outcome=Outcome.DENIED,
            decision=decision.as_json(),
        )
        try:
            async with self._work.writing(organization_id) as db:
                record(db, entry)
        except Exception:
            self._written.pop(refusal, None)
            log.exception("a denial could not be written to the audit log", route=asked.route)
            return False
        return True

    def _is_due(self, refusal: _Refusal) -> bool:
        now = self._clock()
        written_at = self._written.get(refusal)
        if written_at is not None and now - written_at < QUIET_SECONDS:
            return False
        _remember(self._written, refusal, now)
        return True

    def _has_room(self, subject: str, refusal: _Refusal) -> bool:
        now, caller = self._clock(), (subject, refusal.organization_id)
        hour = self._hours.get(caller)
        if hour is None or now - hour.began_at >= _HOUR:
            hour = _Hour(now)
        _remember(self._hours, caller, hour)
        kind = (refusal.route, refusal.what)
        is_new = kind not in hour.kinds
        hour.kinds.add(kind)
        hour.count += 1
        if hour.count == MOST_AN_HOUR + 1:
            log.warning(
                "the audit log records few more denials of a caller in this hour",
                subject=subject,
                organization_id=refusal.organization_id,
            )
        return is_new or hour.count <= MOST_AN_HOUR


class Outsiders:
    """Counts what people and machines asked for in organizations they do not belong to. One a process.

    The log hears of each caller at once, and then at most once in ten seconds, with how many requests there
    were since. It names ids and never a name that somebody chose.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counted: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def count(self, subject: str, organization_id: str, asked: Asked) -> None:
        """Count one request of the person or machine with this id."""
        now = self._clock()
        waiting, told_at = self._counted.get(subject, (0, now - QUIET_SECONDS))
        if now - told_at >= QUIET_SECONDS:
            log.info(
                "requests to an organization the caller does not belong to",
                count=waiting + 1,
                subject=subject,
                organization_id=organization_id,
                route=asked.route,
            )
            waiting, told_at = -1, now
        _remember(self._counted, subject, (waiting + 1, told_at))


def _remember(known: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    """Keep a value as the latest, and forget the one that was not touched for the longest time."""
    known[key] = value
    known.move_to_end(key)
    if len(known) > _REMEMBERED:
        known.popitem(last=False)


def refused_without_second_factor(principal: Principal, organization_name: str) -> Decision:
    """Why a member gets no token: the organization asks for a second factor (Logto 1.42)."""
    organization = isolated(organization_name)
    return _refused(
        principal,
        StepResult(Step.MEMBER, True, f"Member of {organization}."),
        StepResult(Step.AUDIENCE, False, f"{organization} requires a second factor, and none is set up."),
    )


def _refused(principal: Principal, *steps: StepResult) -> Decision:
    signed_in = StepResult(Step.AUTHENTICATED, True, f"Signed in as {isolated(principal.display_name)}.")
    return Decision(False, (signed_in, *steps))

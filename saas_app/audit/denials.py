"""Records denials on an organization's routes, after the request's own work is rolled back.

Only denials of members and machines of the organization go to its audit log. Other people choose their own
names and may send any number of requests, so they are counted in the server's log, without names
(:class:`Outsiders`).

Denials of a member are limited: one event in ten seconds for the same session, organization, route and
permission. After a hundred in an hour for the same person or machine in an organization, across their
sessions, only a new combination of route and permission is recorded, once, and the server's log says so. So
other events stay easy to find, and no kind of attempt goes unseen. Each support access counts for itself: its
denials hide none of the member's or of another access, and none of theirs hides one of its own. Each process
remembers the last ten thousand denials for this. If recording fails, the server's log says so, and the caller
gets the same denial.
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
from saas_app.text.translation import _
from saas_app.text.visible import isolated

log = structlog.get_logger(__name__)

QUIET_SECONDS = 10.0
MAX_PER_HOUR = 100
_HOUR = 3600.0
Key = TypeVar("Key")
Value = TypeVar("Value")

_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """The request: its method, its path without the query, and the rule of its route."""

    method: str
    path: str
    rule: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def route(self) -> str:
        """The route's rule, which is the same for all of its paths."""
        return f"{self.method} {self.rule}"


@dataclass(frozen=True, slots=True)
class _Refusal:
    """The properties that make two denials the same."""

    requester: str
    credential: str
    organization_id: str
    route: str
    what: str


@dataclass(slots=True)
class _Hour:
    """The denials of a caller since the first one in an hour."""

    began_at: float
    count: int = 0
    kinds: set[tuple[str, str]] = field(default_factory=set)  # routes, with what was missing there


class Denials:
    """Records denials in the audit logs of organizations. Each process has one."""

    def __init__(self, work: UnitOfWork, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._work = work
        self._clock = clock
        self._written: OrderedDict[_Refusal, float] = OrderedDict()
        self._hours: OrderedDict[tuple[str, str], _Hour] = OrderedDict()

    async def note(
        self, principal: Principal, organization_id: str, request: RequestInfo, decision: Decision
    ) -> bool:
        """Record a denial of ``principal``, and return whether it was recorded.

        Do not call it inside an open writing session, because SQLite has one writer. Raises no database
        errors.
        """
        what = decision.permission or decision.decided_by.step
        refusal = _Refusal(
            principal.requester, principal.credential, organization_id, request.route, what.value
        )
        if not self._is_due(refusal) or not self._has_room(refusal):
            return False
        entry = AuditEntry(
            actor=Actor.of(principal),
            action=Action.ACCESS_DENY,
            target=Target("request", str(request), str(request)),
            outcome=Outcome.DENIED,
            decision=decision.as_stored(),
        )
        try:
            async with self._work.writing(organization_id) as db:
                record(db, entry)
        except Exception:
            self._written.pop(refusal, None)
            log.exception("a denial could not be written to the audit log", route=request.route)
            return False
        return True

    def _is_due(self, refusal: _Refusal) -> bool:
        now = self._clock()
        written_at = self._written.get(refusal)
        if written_at is not None and now - written_at < QUIET_SECONDS:
            return False
        _remember(self._written, refusal, now)
        return True

    def _has_room(self, refusal: _Refusal) -> bool:
        now, caller = self._clock(), (refusal.requester, refusal.organization_id)
        hour = self._hours.get(caller)
        if hour is None or now - hour.began_at >= _HOUR:
            hour = _Hour(now)
        _remember(self._hours, caller, hour)
        kind = (refusal.route, refusal.what)
        is_new = kind not in hour.kinds
        hour.kinds.add(kind)
        hour.count += 1
        if hour.count == MAX_PER_HOUR + 1:
            log.warning(
                "the audit log records only new kinds of denials of a caller for now",
                subject=refusal.requester,
                organization_id=refusal.organization_id,
            )
        return is_new or hour.count <= MAX_PER_HOUR


class Outsiders:
    """Counts requests to organizations that the caller does not belong to. Each process has one.

    The server's log gets a line for each caller at once, and then at most one in ten seconds, with the number
    of requests since. It contains ids, and never a name that somebody chose.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counted: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def count(self, subject: str, organization_id: str, request: RequestInfo) -> None:
        """Count one request of the person or machine with this id."""
        now = self._clock()
        waiting, told_at = self._counted.get(subject, (0, now - QUIET_SECONDS))
        if now - told_at >= QUIET_SECONDS:
            log.info(
                "requests to an organization the caller does not belong to",
                count=waiting + 1,
                subject=subject,
                organization_id=organization_id,
                route=request.route,
            )
            waiting, told_at = -1, now
        _remember(self._counted, subject, (waiting + 1, told_at))


def _remember(known: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    """Store a value as the latest, and drop the one that was unused for the longest time."""
    known[key] = value
    known.move_to_end(key)
    if len(known) > _REMEMBERED:
        known.popitem(last=False)


def refused_without_second_factor(principal: Principal, organization_name: str) -> Decision:
    """Return the denial of a member without the second factor that the organization requires (Logto 1.42)."""
    organization = isolated(organization_name)
    return _refused(
        principal,
        StepResult(Step.MEMBER, True, _("Member of %(organization)s.", organization=organization)),
        StepResult(
            Step.AUDIENCE,
            False,
            _(
                "%(organization)s requires a second factor, and none is set up.",
                organization=organization,
            ),
        ),
    )


def refused_without_single_sign_on(principal: Principal, organization_name: str, provider: str) -> Decision:
    """Return the denial of a member who did not sign in through the organization's identity provider."""
    organization = isolated(organization_name)
    return _refused(
        principal,
        StepResult(Step.MEMBER, True, _("Member of %(organization)s.", organization=organization)),
        StepResult(
            Step.SIGN_IN,
            False,
            _(
                "%(organization)s requires single sign-on with %(provider)s, but this person signed in "
                "another way.",
                organization=organization,
                provider=isolated(provider),
            ),
        ),
    )


def _refused(principal: Principal, *steps: StepResult) -> Decision:
    signed_in = _("Signed in as %(name)s.", name=isolated(principal.display_name))
    return Decision(False, (StepResult(Step.AUTHENTICATED, True, signed_in), *steps))

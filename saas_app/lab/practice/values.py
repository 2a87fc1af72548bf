"""Frozen values of the “break it” lessons, and their errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final, Self

from saas_app.errors import AppError
from saas_app.text.translation import Sentence, _

METHODS: Final = ("GET", "POST")
_SHOWN: Final = 4000  # characters of an answer that are stored and shown


class PracticeUnavailable(AppError):
    """The practice service does not answer, or not as expected. Nothing is lost."""

    status, code, title = 503, "practice-unavailable", _("The practice service does not answer")


class TokenChoice(StrEnum):
    """A token that a learner can send, without ever seeing it."""

    label: Sentence

    def __new__(cls, value: str, label: Sentence) -> TokenChoice:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member

    WORKSHOP = "workshop", _("Your token for your workshop, where you are an admin")
    STUDIO = "studio", _("Your token for Rosa’s studio, where you are a viewer")
    SAM = "sam", _("Sam’s token for your workshop, where Sam is a viewer")
    ROSA = "rosa", _("Rosa’s token for her studio, where she is an admin")
    ELSEWHERE = "elsewhere", _("Rosa’s organization token, which she sent to a calendar service of yours")
    NOTHING = "nothing", _("No token")

    @classmethod
    def named(cls, value: str) -> TokenChoice | None:
        """Return the token with this value, or None."""
        return next((choice for choice in cls if choice.value == value), None)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request to the practice service. ``path`` begins with a slash and may have a query."""

    method: str
    path: str
    token: TokenChoice
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """A row of a workspace. Only an answer that holds its ``canary`` has revealed it."""

    id: int
    code: str
    organization_id: str
    title: str
    canary: str
    is_confidential: bool


@dataclass(frozen=True, slots=True)
class Workspace:
    """A learner's database in the practice service."""

    id: str
    reports: tuple[Report, ...]

    def of(self, organization_id: str) -> list[Report]:
        """Return the reports of an organization."""
        return [report for report in self.reports if report.organization_id == organization_id]

    def revealed_by(self, text: str) -> tuple[Report, ...]:
        """Return the reports that a text reveals."""
        return tuple(report for report in self.reports if report.canary in text)


@dataclass(frozen=True, slots=True)
class Variant:
    """The source of a variant of the practice service, as it runs there."""

    name: str
    source: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer of the practice service."""

    status: int
    text: str

    @property
    def phrase(self) -> str:
        """The name of the status in the protocol, or "" for an unknown one."""
        known = {status.value: status.phrase for status in HTTPStatus}
        return known.get(self.status, "")

    @property
    def body(self) -> Any:
        """The JSON of the answer, or None if it is none."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True, slots=True)
class Leak:
    """A report that an answer revealed although the token does not open it."""

    title: str
    organization: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that was sent, with its answer and what leaked."""

    attempt: Attempt
    reply: Reply
    leaks: tuple[Leak, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the request as JSON. It holds no token."""
        attempt = self.attempt
        return {
            "method": attempt.method,
            "path": attempt.path,
            "token": attempt.token.value,
            "body": None if attempt.body is None else dict(attempt.body),
            "headers": dict(attempt.headers),
            "status": self.reply.status,
            "answer": self.reply.text[:_SHOWN],
            "leaks": [[leak.title, leak.organization] for leak in self.leaks],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return the request that :meth:`as_json` stored."""
        token = TokenChoice.named(stored["token"]) or TokenChoice.NOTHING
        attempt = Attempt(stored["method"], stored["path"], token, stored["body"], stored["headers"])
        leaks = tuple(Leak(title, organization) for title, organization in stored["leaks"])
        return cls(attempt, Reply(stored["status"], stored["answer"]), leaks)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Whether a fix passed a hidden check, by its number, and the requests that were sent for it."""

    number: int
    passed: bool
    sent: tuple[Sent, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the result as JSON."""
        return {
            "number": self.number,
            "passed": self.passed,
            "sent": [one.as_json() for one in self.sent],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return the result that :meth:`as_json` stored."""
        return cls(stored["number"], stored["passed"], tuple(map(Sent.from_json, stored["sent"])))


@dataclass(frozen=True, slots=True)
class BreakRun:
    """How far a learner is with one flaw.

    ``leak`` is the first request that leaked, ``fix`` the fix that was tried last, with its ``results``.
    ``first_fix`` is the one that was tried first, ``right_fix`` the one that passed every check. The first
    counts in the class with ``class_code``.
    """

    workspace_id: str = ""
    last: Sent | None = None
    leak: Sent | None = None
    fix: str = ""
    results: tuple[CheckResult, ...] = ()
    first_fix: str | None = None
    first_fix_at: datetime | None = None
    class_code: str | None = None
    right_fix: str | None = None
    done_at: datetime | None = None

    @property
    def is_done(self) -> bool:
        return self.done_at is not None

    def evidence(self) -> dict[str, Any]:
        """Return what the table ``lab_runs`` stores as evidence."""
        return {
            "workspace": self.workspace_id,
            "last": self.last and self.last.as_json(),
            "leak": self.leak and self.leak.as_json(),
            "fix": self.fix,
            "results": [result.as_json() for result in self.results],
        }

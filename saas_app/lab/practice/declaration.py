"""The parts of a “break it” lesson. Each is a module in :mod:`saas_app.lab.practice.flaws`.

Its code, flawed and fixed, is in the practice service. Which fix is right is declared nowhere: the hidden
checks find out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from saas_app.lab.practice.values import Attempt, Reply, Report, TokenChoice
from saas_app.text.translation import Sentence


class Trial(Protocol):
    """What a check can do: send requests to a workspace of its own, where one variant answers."""

    @property
    def workshop(self) -> list[Report]:
        """The reports of the organization that the learner runs."""
        ...

    @property
    def studio(self) -> list[Report]:
        """The reports of Rosa's organization."""
        ...

    async def send(
        self,
        method: str,
        path: str,
        token: TokenChoice,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send a request."""
        ...


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must hold in the fixed service, and why a fix is not good enough if it does not."""

    title: Sentence
    failure: Sentence
    holds: Callable[[Trial], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Fix:
    """A fix to choose: the name of its variant in the practice service, and the idea."""

    name: str
    idea: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One lesson. ``slug`` names the flaw in the practice service, and never changes.

    ``should`` is what the service is meant to do. ``tokens`` are offered to the learner, ``start`` fills the
    form in. ``owasp`` is the item of the OWASP API Security Top 10 2023, ``weaknesses`` are CWE numbers with
    their titles, and ``incident`` says what such incidents look like.
    """

    slug: str
    title: Sentence
    goal: Sentence
    minutes: int
    should: tuple[Sentence, ...]
    task: Sentence
    hint: Sentence
    tokens: tuple[TokenChoice, ...]
    start: Attempt
    fixes: tuple[Fix, ...]
    checks: tuple[Check, ...]
    lesson: Sentence
    owasp: str
    weaknesses: tuple[tuple[int, str], ...]
    incident: Sentence

    @property
    def run_name(self) -> str:
        """The name under which a learner's progress is stored."""
        return f"break-{self.slug}"

    def find_fix(self, name: str) -> Fix | None:
        """Return one of the fixes, or None."""
        return next((fix for fix in self.fixes if fix.name == name), None)

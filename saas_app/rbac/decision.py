"""A decision and the steps that led to it, so that every answer explains itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from saas_app.rbac.permissions import Permission, Role, roles_granting
from saas_app.text.translation import Sentence


class Step(StrEnum):
    """The steps of a decision, in the order in which they are tried."""

    AUTHENTICATED = "authenticated"
    MEMBER = "member"
    SIGN_IN = "sign-in"
    AUDIENCE = "audience"
    PERMISSION = "permission"


@dataclass(frozen=True, slots=True)
class StepResult:
    """The result of one step, with a sentence for the person who reads the decision."""

    step: Step
    passed: bool
    explanation: Sentence


@dataclass(frozen=True, slots=True)
class Decision:
    """An allow or a deny, with every step that was tried. The last step decided."""

    allowed: bool
    steps: tuple[StepResult, ...]
    permission: Permission | None = None

    @property
    def roles_that_grant(self) -> tuple[Role, ...]:
        """The roles that grant the permission, for the page that explains a denial."""
        return () if self.permission is None else roles_granting(self.permission)

    @property
    def decided_by(self) -> StepResult:
        """The step that decided."""
        return self.steps[-1]

    def as_json(self) -> dict[str, Any]:
        """Return the decision as JSON, for programs."""
        return {
            "allowed": self.allowed,
            "permission": self.permission.value if self.permission else None,
            "steps": [
                {"step": result.step.value, "passed": result.passed, "explanation": result.explanation}
                for result in self.steps
            ],
        }

    def as_stored(self) -> dict[str, Any]:
        """Return the decision as JSON for the audit log: in English, with what pages need to translate it."""
        stored = self.as_json()
        for step, result in zip(stored["steps"], self.steps, strict=True):
            step["sentence"] = result.explanation.as_json()
        return stored

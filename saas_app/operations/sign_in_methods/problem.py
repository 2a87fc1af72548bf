"""A broken rule of a declaration."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """The key in the file, and the rule it breaks. Never the value, which may be a secret."""

    key: str
    rule: str

    def __str__(self) -> str:
        return f"{self.key}: {self.rule}" if self.key else self.rule

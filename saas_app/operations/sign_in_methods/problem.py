"""A broken rule of a declaration."""

from __future__ import annotations

from dataclasses import dataclass

from saas_app.text.translation import Sentence


@dataclass(frozen=True, slots=True)
class Problem:
    """The key in the file, and the rule it breaks. Never the value, which may be a secret."""

    key: str
    rule: Sentence

    @property
    def sentence(self) -> Sentence:
        """Key and rule."""
        return Sentence.joined((self.key, self.rule), ": ") if self.key else self.rule

    def __str__(self) -> str:
        return str(self.sentence)

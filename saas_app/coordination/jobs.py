"""Jobs over many items: a failure of one item does not stop the others, and is reported at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from saas_app.text.cleaning import clean_line
from saas_app.text.translation import Sentence

_LONGEST: Final = 200  # characters of an error message


@dataclass(frozen=True, slots=True)
class Failure:
    """An item that failed, and why. The next run tries it again."""

    item: str
    why: str

    @classmethod
    def of(cls, item: str, error: Exception) -> Failure:
        """Describe the error of an item, on one line."""
        name, told = type(error).__name__, error.args[0] if error.args else ""
        if not isinstance(told, Sentence):
            told = clean_line(str(error)).strip()[:_LONGEST]
        return cls(item, Sentence.joined((name, told), ": ") if told else name)

"""Jobs that go through many items: what is wrong with one stops none of the others, and is told last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from saas_app.text.cleaning import clean_line

_LONGEST: Final = 200  # characters of an error's own words


@dataclass(frozen=True, slots=True)
class Failure:
    """An item that a job could not deal with, and why. The next run tries it again."""

    item: str
    why: str

    @classmethod
    def of(cls, item: str, error: Exception) -> Failure:
        """An item with the error that it ended in, in one line."""
        words = clean_line(str(error)).strip()
        return cls(item, f"{type(error).__name__}: {words[:_LONGEST]}" if words else type(error).__name__)

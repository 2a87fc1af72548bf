"""Jobs over many items: a failure of one item does not stop the others, and is reported at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from saas_app.text.cleaning import clean_line

_LONGEST: Final = 200  # characters of an error message


@dataclass(frozen=True, slots=True)
class Failure:
    """An item that failed, and why. The next run tries it again."""

    item: str
    why: str

    @classmethod
    def of(cls, item: str, error: Exception) -> Failure:
        """Describe the error of an item, on one line."""
        words = clean_line(str(error)).strip()
        return cls(item, f"{type(error).__name__}: {words[:_LONGEST]}" if words else type(error).__name__)

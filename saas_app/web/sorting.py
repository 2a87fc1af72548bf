"""The order of a list, as its address says it: ``?sort=name``, or ``?sort=-name`` for the opposite order."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Sort(StrEnum):
    """The orders of a list. Each column has two members: its name, and its name after a minus sign.

    The first is where the column's heading leads: what people look for first, such as the latest moment. A
    subclass with columns that then begin with their last value overrides :attr:`is_down`.
    """

    @property
    def column(self) -> str:
        """The column, or "" if the list is sorted by none."""
        return self.value.removeprefix("-")

    @property
    def is_opposite(self) -> bool:
        """Whether the order is not the one that the heading leads to first."""
        return self.value.startswith("-")

    @property
    def is_down(self) -> bool:
        """Whether the column's last value comes first, for ``aria-sort``."""
        return self.is_opposite

    def toward(self, column: str) -> Self:
        """Return the order that the heading of a column leads to: the opposite one, if it is sorted by it."""
        return type(self)(f"-{column}" if self.value == column else column)

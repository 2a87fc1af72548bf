"""Changes of several rows that somebody chose on a list: what was sent, and what became of each row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from saas_app.errors import AppError
from saas_app.identity.standing import AccessChanged
from saas_app.text.translation import Sentence, _

MAX_ROWS: Final = 100
"""The most rows of one request. A list shows fewer."""

CHANGED_MEANWHILE: Final = _("It has changed since you opened the list.")
GONE: Final = _("It no longer exists.")
NOT_TRIED: Final = _("It was not tried, because an earlier one failed.")


@dataclass(frozen=True, slots=True)
class ChosenRow:
    """A chosen row, and the version of it that its author saw."""

    id: str
    version: str


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of a chosen row. ``skipped`` is the reason why it stayed as it is, or None if it changed.

    ``name`` is empty if the row is unknown.
    """

    id: str
    name: str
    skipped: Sentence | None = None

    @property
    def is_done(self) -> bool:
        """Whether the row was changed."""
        return self.skipped is None


async def change_each(
    rows: Sequence[ChosenRow], change: Callable[[ChosenRow], Awaitable[str]]
) -> list[RowResult]:
    """Change one row after the other, for changes that Logto makes too. ``change`` returns the row's name.

    A row whose change is rejected is skipped. After a failure that is not about the row, such as an
    unavailable Logto or the caller's own access, the remaining rows are not tried. Raises
    :class:`AccessChanged` if that was so before anything was changed.
    """
    results: list[RowResult] = []
    has_failed = False
    for row in rows:
        if has_failed:
            results.append(RowResult(row.id, "", NOT_TRIED))
            continue
        try:
            results.append(RowResult(row.id, await change(row)))
        except AppError as error:
            if isinstance(error, AccessChanged) and not any(result.is_done for result in results):
                raise
            has_failed = error.status >= 500 or isinstance(error, AccessChanged)
            results.append(RowResult(row.id, "", error.detail or error.title))
    return results

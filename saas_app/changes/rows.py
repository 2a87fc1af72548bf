"""Changes of several rows that somebody chose on a list: what was sent, and what became of each row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from saas_app.errors import AppError, VersionConflict
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

    ``name`` is empty if the row is unknown. ``at_logto`` has the current values of a row that was skipped
    because it had changed, if Logto stores it.
    """

    id: str
    name: str
    skipped: Sentence | None = None
    at_logto: Mapping[str, Any] | None = None

    @property
    def is_done(self) -> bool:
        """Whether the row was changed."""
        return self.skipped is None

    @property
    def has_changed(self) -> bool:
        """Whether the row was skipped because it had changed after its author read the list."""
        return self.skipped == CHANGED_MEANWHILE


class RowChanged(VersionConflict):
    """A row that Logto stores changed after the list was read. ``at_logto`` has its current values."""

    def __init__(self, at_logto: Mapping[str, Any]) -> None:
        super().__init__(CHANGED_MEANWHILE)
        self.at_logto = at_logto


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
            at_logto = error.at_logto if isinstance(error, RowChanged) else None
            results.append(RowResult(row.id, "", error.detail or error.title, at_logto))
    return results

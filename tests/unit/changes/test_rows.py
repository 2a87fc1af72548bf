"""One change after the other, for rows that Logto changes too."""

from __future__ import annotations

from saas_app.changes.rows import NOT_TRIED, ChosenRow, change_each
from saas_app.errors import AppError, Conflict, LogtoUnavailable
from saas_app.text.translation import _

ROWS = [ChosenRow("a", "1"), ChosenRow("b", "1"), ChosenRow("c", "1")]


class Changes:
    """Changes rows, except the row ``b``, at which an error is raised."""

    def __init__(self, error: AppError) -> None:
        self.error = error
        self.changed: list[str] = []

    async def __call__(self, row: ChosenRow) -> str:
        if row.id == "b":
            raise self.error
        self.changed.append(row.id)
        return row.id.upper()


async def test_a_row_whose_change_is_rejected_is_skipped_with_the_reason() -> None:
    changes = Changes(Conflict(_("Choose a free ID")))

    results = await change_each(ROWS, changes)

    assert [(result.name, result.skipped) for result in results] == [
        ("A", None),
        ("", "Choose a free ID"),
        ("C", None),
    ]


async def test_an_error_without_a_sentence_is_reported_by_its_title() -> None:
    results = await change_each(ROWS, Changes(Conflict()))

    assert results[1].skipped == Conflict.title


async def test_when_logto_is_unavailable_the_remaining_rows_are_not_tried() -> None:
    changes = Changes(LogtoUnavailable())

    results = await change_each(ROWS, changes)

    assert changes.changed == ["a"]
    assert results[2].skipped == NOT_TRIED

"""An export contains no formula, whichever separator the reader's program uses."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas_app.web.csv_stream import csv_chunks, neutral

FORMULA = re.compile(r'[\r\n"]*(\t|[\s"]*[=+\-@＝＋－＠])')
PIECE = re.compile(r'"*([\t\r]|[\s"]*[=+\-@＝＋－＠])')
CELL = st.text(alphabet="=+-@＝\t\r\n;,\"' ax", max_size=12)
ROWS = st.lists(st.tuples(CELL, CELL, CELL), max_size=4)


def exported(rows: Sequence[Sequence[str]]) -> str:
    async def batches() -> AsyncIterator[list[Sequence[str]]]:
        yield list(rows)

    async def read() -> bytes:
        return b"".join([chunk async for chunk in csv_chunks(["A", "B", "C"], batches(), lambda row: row)])

    return asyncio.run(read()).decode("utf-8-sig")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@given(rows=ROWS)
def test_no_cell_begins_like_a_formula_with_any_separator(
    delimiter: str, rows: list[tuple[str, str, str]]
) -> None:
    read = csv.reader(io.StringIO(exported(rows), newline=""), delimiter=delimiter)
    cells = [cell for row in read for cell in row]
    assert list(filter(FORMULA.match, cells)) == []


@given(text=CELL)
def test_no_part_of_a_cell_begins_like_a_formula(text: str) -> None:
    pieces = [piece for separator in ";,\t" for piece in neutral(text).split(separator)]
    assert list(filter(PIECE.match, pieces)) == []


@given(rows=ROWS)
def test_splitting_at_commas_returns_every_cell_with_at_most_added_apostrophes(
    rows: list[tuple[str, str, str]],
) -> None:
    _head, *read = csv.reader(io.StringIO(exported(rows), newline=""))
    without = [[cell.replace("'", "") for cell in row] for row in rows]
    assert [[cell.replace("'", "") for cell in row] for row in read] == without


def test_every_cell_is_quoted() -> None:
    for line in exported([("x;y", "", 'say "hi"')]).splitlines():
        assert re.fullmatch(r'"(?:[^"]|"")*"(?:,"(?:[^"]|"")*")*', line), line


def test_a_long_hostile_text_is_quoted_quickly() -> None:
    text = "\n" * 100_000
    assert neutral(text) == f"'{text}"

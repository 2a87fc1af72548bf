"""CSV (RFC 4180) that is sent while it is read, and that a spreadsheet opens without running anything.

Where a spreadsheet separates by semicolons or tabs, it takes no notice of the quotes around any cell but the
first of a line, and a text is cut at each separator and line break in it. So an apostrophe stands before
whatever looks like a formula at the beginning of a cell and of each such piece (OWASP, CSV injection). There
is no ``sep=`` line: only one program knows it, and every other reads it as a row.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import TypeVar

from quart import Response

from saas_app.text.normal import normalize

Row = TypeVar("Row")

_MARK = "\ufeff"  # by this spreadsheets know UTF-8
_FORMULA = tuple("=+-@＝＋－＠")
_BLANK_BEGINS = re.compile(
    r"""
    ^(?="*[\t\r\n])          # a cell
    | (?<=[;,])(?="*[\t\r])  # a piece of one
    | (?<=\t)(?="*\r)
    | (?<=[\r\n])(?="*\t)
    """,
    re.VERBOSE,
)
_PIECE_BEGINS = re.compile(r"(?:^|[;,\t\r\n])[\s\"]*")
_FILENAME_LENGTH = 60


def csv_response(chunks: AsyncIterator[bytes], name: str) -> Response:
    """The answer that sends ``chunks`` as a file to keep."""
    response = Response(
        chunks,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
    response.timeout = None  # a long export is no hung one: every statement brings another chunk
    return response


async def csv_chunks(
    columns: Sequence[str],
    batches: AsyncIterator[list[Row]],
    cells: Callable[[Row], Sequence[str]],
) -> AsyncIterator[bytes]:
    """The file, a chunk for its head and one for each batch of rows."""
    yield (_MARK + _lines([columns])).encode()
    async for rows in batches:
        yield _lines(map(cells, rows)).encode()


def filename(organization_name: str, organization_id: str, what: str, day: date) -> str:
    """A name for the file, in ASCII: the organization, what it holds, the day."""
    plain = normalize("NFKD", organization_name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or re.sub(r"[^A-Za-z0-9]+", "-", organization_id)
    return f"{slug[:_FILENAME_LENGTH]}-{what}-{day:%Y-%m-%d}.csv"


def neutral(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula, wherever it cuts the text."""

    def defuse(found: re.Match[str]) -> str:
        return f"{found[0]}'" if found.string.startswith(_FORMULA, found.end()) else found[0]

    return _PIECE_BEGINS.sub(defuse, _BLANK_BEGINS.sub("'", text))


def moment_cell(moment: datetime | None) -> str:
    """A time in UTC as spreadsheets understand it; empty when there is none."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if moment else ""


def _lines(rows: Iterable[Sequence[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows(map(neutral, cells) for cells in rows)
    return buffer.getvalue()

"""CSV (RFC 4180) that is sent while it is read, and that runs no formula in a spreadsheet.

A spreadsheet that separates by semicolons or tabs ignores the quotes around all cells but the first of a
line, and splits a text at each separator and line break in it. So an apostrophe precedes everything that
looks like a formula at the beginning of a cell or of such a piece (OWASP, CSV injection). There is no
``sep=`` line, because only Excel understands it, and other programs read it as a row.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import TypeVar

from quart import Response

from saas_app.db.base import utc_now
from saas_app.db.session import DatabaseSession
from saas_app.identity.tenant import Tenant
from saas_app.text.normal import normalize
from saas_app.web.context import open_reading

Row = TypeVar("Row")

_MARK = "\ufeff"  # tells spreadsheets that the encoding is UTF-8
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


def csv_export(
    tenant: Tenant, what: str, chunks_of: Callable[[DatabaseSession], AsyncIterator[bytes]]
) -> Response:
    """Return a response that sends a file of the organization, while ``chunks_of`` reads it.

    ``what`` names the content, in the name of the file.
    """
    reading = open_reading(tenant)

    async def body() -> AsyncIterator[bytes]:
        async with reading as db:
            async for chunk in chunks_of(db):
                await db.close()  # a slow reader holds no transaction; the next statement opens another
                yield chunk

    return csv_file(tenant.organization_name, tenant.organization_id, what, body())


def csv_file(owner_name: str, owner_id: str, what: str, chunks: AsyncIterator[bytes]) -> Response:
    """Return a response that sends a file, whose name tells whose it is, its content and the day."""
    name = filename(owner_name, owner_id, what, utc_now().date())
    response = Response(
        chunks,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
    response.timeout = None  # a long export is not stuck: every statement yields another chunk
    return response


async def csv_chunks(
    columns: Sequence[str],
    batches: AsyncIterator[list[Row]],
    cells: Callable[[Row], Sequence[str]],
) -> AsyncIterator[bytes]:
    """Yield the file: a chunk with the column names, and one for each batch of rows."""
    yield (_MARK + _lines([columns])).encode()
    async for rows in batches:
        yield _lines(map(cells, rows)).encode()


def filename(owner_name: str, owner_id: str, what: str, day: date) -> str:
    """Return a file name in ASCII, from whose file it is, the content and the day."""
    plain = normalize("NFKD", owner_name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or re.sub(r"[^A-Za-z0-9]+", "-", owner_id)
    return f"{slug[:_FILENAME_LENGTH]}-{what}-{day:%Y-%m-%d}.csv"


def neutral(text: str) -> str:
    """Put an apostrophe before each part of a text that a spreadsheet could read as a formula."""

    def defuse(found: re.Match[str]) -> str:
        return f"{found[0]}'" if found.string.startswith(_FORMULA, found.end()) else found[0]

    return _PIECE_BEGINS.sub(defuse, _BLANK_BEGINS.sub("'", text))


def moment_cell(moment: datetime | None) -> str:
    """Return a time in UTC as spreadsheets read it, or "" for None."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if moment else ""


def _lines(rows: Iterable[Sequence[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows(map(neutral, cells) for cells in rows)
    return buffer.getvalue()

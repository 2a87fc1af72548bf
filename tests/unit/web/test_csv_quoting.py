"""Every cell of an export is quoted."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator

from saas_app.web.csv_stream import csv_chunks, neutral


async def _batches() -> AsyncIterator[list[str]]:
    yield ["x;=cmd|' /C calc'!A0", "plain", "", 'say "hi", or\nnot', "=1+1"]


async def test_no_cell_ends_at_a_separator_of_another_country() -> None:
    chunks = [
        chunk async for chunk in csv_chunks(["Name", "Note"], _batches(), lambda text: (neutral(text), ""))
    ]
    text = b"".join(chunks).decode("utf-8-sig")
    for line in (text.replace("or\nnot", "or not")).splitlines():
        assert re.fullmatch(r'"(?:[^"]|"")*"(?:,"(?:[^"]|"")*")*', line), line
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert [row[0] for row in rows[1:]] == ["x;=cmd|' /C calc'!A0", "plain", "", 'say "hi", or\nnot', "'=1+1"]

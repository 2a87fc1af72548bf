"""Decision records have a common form, fit on a page, and are listed in the index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.databases import ROOT

pytestmark = pytest.mark.one_database

FOLDER = ROOT / "docs/decisions"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))
HEADER = re.compile(
    r"# (?P<number>\d{4}) (?P<title>.+)\n\n"
    r"Status: (?P<status>proposed|accepted|superseded by \d{4})\. Date: (?P<date>\d{4}-\d\d-\d\d)\.\n\n"
)
SECTIONS = ["Context", "Decision", "Alternatives", "Consequences"]
A_PAGE = 80  # lines


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_a_record_has_the_common_form_and_is_in_the_index(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    header = HEADER.match(text)

    assert header, "A record begins with its title, then 'Status: accepted. Date: 2026-11-21.'"
    assert record.name.startswith(f"{header['number']}-")
    sections = re.findall(r"^\*\*([A-Z][a-z]+)", text, re.MULTILINE)
    assert [section for section in sections if section in SECTIONS] == SECTIONS
    assert len(text.splitlines()) <= A_PAGE
    row = f"| [{header['number']} {header['title']}]({record.name}) | {header['status']} | {header['date']} |"
    assert row in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()


def test_the_numbers_of_records_are_unique() -> None:
    numbers = [record.name[:4] for record in RECORDS]
    assert len(numbers) == len(set(numbers))

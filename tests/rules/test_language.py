"""Words that docs/writing.md retires appear in no text for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import ROOT

pytestmark = pytest.mark.one_database

STYLE = ROOT / "docs/writing.md"
ROOMS = (
    "docs",
    "templates",
    "saas_app",
    "local_logto/src",
    "local_logto/tests",
    "tests",
    "bench",
    "tools",
    ".github",
)
KINDS = {".md", ".html", ".py", ".js", ".css", ".toml", ".yml", ".mako", ".txt"}
ELSEWHERE = (
    STYLE,
    ROOT / "docs/es",  # Spanish
    Path(__file__),
)


def retired() -> list[str]:
    """Return the words of the table in docs/writing.md."""
    table = STYLE.read_text(encoding="utf-8").split("<!-- words -->")[1].split("<!-- /words -->")[0]
    rows = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("|")]
    return [word.strip() for row in rows[2:] for word in row.split(",")]


def pages() -> Iterator[Path]:
    """Yield every English text for people, except the changelog."""
    yield from (path for path in ROOT.glob("*.md") if path.name != "CHANGELOG.md")
    yield from (ROOT / "Makefile", ROOT / "local_logto/README.md")
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix in KINDS and path.is_file() and not any(map(path.is_relative_to, ELSEWHERE)):
                yield path


def test_retired_words_are_not_used() -> None:
    words = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, retired()))})(?![\w-])", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {', '.join(words.findall(line))}"
        for path in pages()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if words.search(line)
    ]
    assert not found, "docs/writing.md says what to write instead:\n" + "\n".join(found)


def test_the_table_and_the_pages_are_found() -> None:
    assert {"e-mail", "logged in", "put away"} <= set(retired())
    assert ROOT / "saas_app/rbac/permissions.py" in set(pages())

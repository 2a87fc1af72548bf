"""The page that shows how to write a lesson: followed in a copy, its lesson is played right and wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.copies import Copy, blocks_of

pytestmark = pytest.mark.one_database

PAGE = "write-a-lesson.md"
SLUG = "no-role-inside"
MODULE = "saas_app/lab/lessons/no_role_inside.py"


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """A copy of the repository in which the page was followed."""
    copy = Copy.make(tmp_path)
    for language, block in blocks_of(PAGE):
        if language == "python":
            (copy.root / MODULE).write_text(block, encoding="utf-8")
        elif language == "diff":
            copy.apply(block)
    return copy


@pytest.mark.timeout(600)  # takes half a minute on an idle machine
def test_the_lesson_of_the_page_is_played_right_and_wrong_and_follows_our_rules(copy: Copy) -> None:
    copy.run("ruff", "format", "--check", MODULE)
    copy.run("ruff", "check", MODULE)
    copy.run("mypy", MODULE)

    told = copy.test(
        "-n", "0", "tests/integration/lab/test_lessons.py", "tests/integration/lab/test_facts.py", "-k", SLUG
    )

    assert "6 passed" in told

"""The plan for an hour names the lessons as their pages do, in their order."""

from __future__ import annotations

import re

from saas_app.lab.lessons import LESSONS
from tests.databases import ROOT


def test_the_plan_names_every_lesson_in_order() -> None:
    plan = (ROOT / "docs/teaching.md").read_text(encoding="utf-8")

    headings = re.findall(r"^### (\d+)\. (.+)$", plan, re.MULTILINE)

    titles = [f"{number}. {lesson.title}" for number, lesson in enumerate(LESSONS, start=1)]
    found = [f"{number}. {title}" for number, title in headings]
    assert [title for title in found if title in titles] == titles
    assert [title for title in titles if f"| {title} |" not in plan] == []

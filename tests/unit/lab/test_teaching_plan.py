"""The plan for an hour names the lessons as their pages do, in their order."""

from __future__ import annotations

import re

from saas_app.lab.lessons import LESSONS
from saas_app.lab.practice.flaws import BREAKS
from tests.databases import ROOT


def test_the_plan_names_every_lesson_in_order() -> None:
    plan = (ROOT / "docs/teaching.md").read_text(encoding="utf-8")

    headings = re.findall(r"^### ([1-9]\d*)\. (.+)$", plan, re.MULTILINE)

    taught = (*LESSONS, BREAKS[0])
    titles = [f"{number}. {lesson.title}" for number, lesson in enumerate(taught, start=1)]
    assert [f"{number}. {title}" for number, title in headings] == titles
    assert [title for title in titles if f"| {title} |" not in plan] == []

"""Results are compared and shown, and docs/performance.md shows one that is kept."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from bench.__main__ import main
from bench.chart import Bar, Group, draw
from bench.page import PAGE, RESULTS, charts, named_result, with_results
from bench.subjects import SUBJECTS
from tests.databases import ROOT

pytestmark = pytest.mark.one_database


def result(commit: str, **x_bare: float) -> dict[str, Any]:
    """Return a result as a run writes it, with only the ratios to bare Quart."""
    subjects = {f"workroom/{key}": {"x_bare": value} for key, value in x_bare.items()}
    return {"commit": commit, "databases": {"sqlite": {"subjects": subjects}}}


def test_two_results_are_compared_subject_by_subject(tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(result("aaaaaaa", list=20.0, page=30.0)))
    new.write_text(json.dumps(result("bbbbbbb", list=10.0, task=40.0)))

    shown = CliRunner().invoke(main, ["compare", str(old), str(new)], catch_exceptions=False).output

    assert shown.splitlines() == [
        "| subject | database | × bare, aaaaaaa | × bare, bbbbbbb | change |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| API: list 20 projects | sqlite | 20.0 | 10.0 | -50 % |",
    ]


def test_an_unknown_subject_is_refused_before_anything_is_started() -> None:
    outcome = CliRunner().invoke(main, ["run", "--only", "lists"])

    assert outcome.exit_code == 2
    assert "Unknown subjects: lists" in outcome.output


def test_a_chart_is_well_formed_and_as_long_as_its_values() -> None:
    chart = draw("<Title>", "unit", [Group("Both", [Bar("us", 4, "main", goal=2), Bar("them", 1, "other")])])
    root = ElementTree.fromstring(chart)  # noqa: S314 - our own
    ns = "{http://www.w3.org/2000/svg}"
    widths = {bar.get("class"): float(bar.get("width", 0)) for bar in root.iter(f"{ns}rect")}

    assert root.find(f"{ns}title").text == "<Title>"  # type: ignore[union-attr]
    assert widths["main"] == pytest.approx(4 * widths["other"], abs=0.5)
    assert len(list(root.iter(f"{ns}line"))) == 1
    assert "prefers-color-scheme: dark" in chart


def test_the_page_shows_a_kept_result() -> None:
    page = PAGE.read_text(encoding="utf-8")
    name = named_result(page)
    kept = json.loads((RESULTS / name).read_text(encoding="utf-8"))

    assert with_results(page, name, kept) == page, f"run 'python -m bench page bench/results/{name}'"
    for chart, drawn in charts(kept).items():
        assert (ROOT / "docs/images" / chart).read_text(encoding="utf-8") == drawn, chart


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.json")), ids=lambda path: path.name)
def test_kept_results_name_their_commit_and_are_small(path: Path) -> None:
    kept = json.loads(path.read_text(encoding="utf-8"))

    assert path.name == f"{kept['at'][:10]}-{kept['commit']}.json"
    assert re.fullmatch("[0-9a-f]{7,}", kept["commit"]), "commit the code before you measure it"
    assert path.stat().st_size < 30_000


def test_every_subject_has_a_goal() -> None:
    assert [subject.key for subject in SUBJECTS if not (subject.by_twin or subject.by_bare)] == []

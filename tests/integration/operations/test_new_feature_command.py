"""``saas-app new feature`` and the page that walks through it, in a copy of the repository."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from saas_app.errors import ConfigurationError
from saas_app.operations.new_feature.names import feature_names
from saas_app.operations.new_feature.next_steps import next_steps
from saas_app.operations.new_feature.skeleton import write_feature
from tests.commands import run
from tests.copies import Copy, blocks_of
from tests.databases import ROOT

pytestmark = pytest.mark.one_database

_CHECKED_LATER = ("make fmt lint", "make test", "make demo")
_RULES = " or ".join(
    (
        "recipes",
        "committed",
        "test_translations",
        "is_the_registry",
        "listed",
        "second_page",
        "up_down",
        "(test_api_guards and viewer)",
    )
)
"""The rules that say something of a new feature: one run of all of them takes minutes."""


def _follow(copy: Copy, page: str) -> list[str]:
    """Carry out the blocks of a page and return the paths of the files it edits by hand."""
    edited = []
    for language, block in blocks_of(page):
        content = _renamed(block)
        if language == "diff":
            edited.append(copy.apply(content))
        for line in content.splitlines() if language == "sh" else ():
            if line == "make translations":
                copy.run("python", "tools/update_translations.py")
            elif line.startswith("make migration"):
                copy.run("saas-app", "make-migration", shlex.split(line)[2].removeprefix("NAME="))
            elif not line.startswith(_CHECKED_LATER):
                copy.run(*shlex.split(line.removeprefix(".venv/bin/")))
    return edited


def _renamed(block: str) -> str:
    """Return a block of the page for a feature called *recipes*. The repository may have *reports* by now."""
    return block.replace("report", "recipe").replace("Report", "Recipe").replace("REPORT", "RECIPE")


@pytest.mark.timeout(600)  # takes half a minute on an idle machine
def test_following_the_page_creates_a_feature_that_passes_the_rules(tmp_path: Path) -> None:
    copy = Copy.make(tmp_path)

    edited = _follow(copy, "add-a-feature.md")

    assert len(set(edited)) <= 6
    assert not [path for path in edited if path.startswith("tests/")]
    copy.run("ruff", "check", ".")
    copy.run("ruff", "format", "--check", ".")
    copy.run("lint-imports")
    copy.run("mypy")
    copy.test("tests/integration/recipes", "tests/rules", "-k", _RULES)


def test_the_steps_that_the_command_prints_are_those_of_the_page() -> None:
    printed = next_steps(feature_names("reports", None))

    for language, content in blocks_of("add-a-feature.md"):
        if language == "diff":
            path, *lines = content.splitlines()
            assert path.removeprefix("+++ ") in printed
            added = [line[1:].strip() for line in lines if line.startswith("+")]
            assert path.endswith(".po") or any(line in printed for line in added)


@pytest.mark.parametrize(
    "name", ["Reports", "reports-2", "class", "9lives", "../reports", "", "re ports", "a" * 25, "rapports_é"]
)
def test_an_invalid_name_is_rejected(name: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a name for a feature"):
        feature_names(name, None)


@pytest.mark.parametrize("name", ["news", "glass"])
def test_a_plural_without_a_regular_singular_asks_for_it(name: str) -> None:
    with pytest.raises(ConfigurationError, match="--one"):
        feature_names(name, name)
    assert feature_names(name, f"{name}_item").one == f"{name}_item"


@pytest.mark.parametrize(
    ("many", "one"), [("reports", "report"), ("categories", "category"), ("sales_reports", "sales_report")]
)
def test_the_singular_is_derived_from_the_plural(many: str, one: str) -> None:
    assert feature_names(many, None).one == one


@pytest.mark.parametrize("name", ["projects", "members", "users"])
def test_no_file_is_overwritten(name: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in (ROOT / "saas_app").rglob("*.py")}

    refused = run("new", "feature", name)

    assert refused.exit_code == 1
    assert "exists already" in refused.output
    assert {path: path.stat().st_mtime_ns for path in (ROOT / "saas_app").rglob("*.py")} == before


def test_outside_a_checkout_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not a checkout"):
        write_feature(feature_names("recipes", None), tmp_path)
    assert list(tmp_path.iterdir()) == []

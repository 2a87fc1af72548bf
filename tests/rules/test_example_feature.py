"""The guide lists each file that knows the example feature, so that a product can delete it."""

from __future__ import annotations

import re
import tokenize
from pathlib import Path

import pytest

from tests.databases import ROOT

_OWN = (
    "saas_app/projects/",
    "saas_app/models/project.py",
    "saas_app/models/project_name.py",
    "saas_app/models/task.py",
    "templates/projects/",
)
_LAB = "saas_app/lab/"
"""It teaches with the feature, so the guide lists the whole folder, with its templates."""

_NAME = re.compile(r"(?<![a-z])projects?(?![a-z])", re.IGNORECASE)
_TEXT = re.compile(r"^f?\"/?projects[/\"]|/projects\b|\btasks\.[a-z]")  # a path, a feature, or SQL
_EXPRESSION = re.compile(r"\{[{%](.*?)[%}]\}", re.DOTALL)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_PLACE = re.compile(r"`((?:saas_app|templates)/[^`]+)`")


def _listed() -> set[str]:
    """Return the files in the first column of the lists in section 5 of the guide."""
    page = (ROOT / "docs/start-your-own.md").read_text(encoding="utf-8")
    rows = page.split("## 5.")[1].split("## 6.")[0].splitlines()
    return {place for row in rows if row.startswith("| `") for place in _PLACE.findall(row.split("|")[1])}


def _naming() -> set[str]:
    """Return the files that name the feature in code, not only in a text or comment."""
    modules = {file for file in (ROOT / "saas_app").rglob("*.py") if _is_named_in_module(file)}
    pages = {file for file in (ROOT / "templates").rglob("*.html") if _is_named_in_template(file)}
    return {_listed_as(file.relative_to(ROOT).as_posix()) for file in modules | pages}


def _listed_as(file: str) -> str:
    return _LAB if file.startswith((_LAB, "templates/lab/")) else file


def _is_named_in_module(file: Path) -> bool:
    with tokenize.open(file) as source:
        return any(
            (token.type == tokenize.NAME and _NAME.search(token.string))
            or (token.type == tokenize.STRING and '"""' not in token.string and _TEXT.search(token.string))
            for token in tokenize.generate_tokens(source.readline)
        )


def _is_named_in_template(file: Path) -> bool:
    text = re.sub(r"\{#.*?#\}", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    expressions = " ".join(_EXPRESSION.findall(text))
    return bool(_TEXT.search(text) or _NAME.search(_QUOTED.sub("", expressions)))


@pytest.mark.skipif(not (ROOT / "saas_app/projects").exists(), reason="the example feature was deleted")
def test_the_guide_lists_the_files_that_name_the_example_feature_and_no_others() -> None:
    assert {file for file in _naming() if not file.startswith(_OWN)} == _listed()

"""The import contracts of ARCHITECTURE.md hold, for new features too."""

from __future__ import annotations

from pathlib import Path

import pytest
from importlinter.cli import lint_imports

from saas_app.operations.new_feature.names import feature_names
from saas_app.operations.new_feature.skeleton import write_feature
from tests.copies import Copy

pytestmark = pytest.mark.one_database

_TEMPTATIONS = {
    "sqlalchemy": "from sqlalchemy import select",
    "saas_app.models": "from saas_app.models import Project",
    "saas_app.recipes.queries": "from saas_app.recipes import queries",
    "saas_app.projects.queries.projects": "from saas_app.projects.queries import projects",
    "saas_app.logto": "from saas_app.logto import ManagementClient",
    "aiohttp": "import aiohttp",
    "saas_app.members.api": "from saas_app.members import api as of_members",
    "saas_app.projects.pages.projects": "from saas_app.projects.pages import projects as of_projects",
}
"""Imports that are forbidden in pages and API routes, by module."""


def test_the_import_contracts_hold() -> None:
    assert lint_imports() == 0


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """A copy with a new feature that no contract names."""
    copy = Copy.make(tmp_path)
    write_feature(feature_names("recipes", None), copy.root)
    return copy


@pytest.mark.one_database
def test_a_new_feature_keeps_the_contracts(copy: Copy) -> None:
    assert "0 broken" in copy.run("lint-imports", "--no-cache")


@pytest.mark.one_database
def test_forbidden_imports_of_a_new_feature_break_the_contracts(copy: Copy) -> None:
    feature = copy.root / "saas_app/recipes"
    for name, lines in {
        "pages": _TEMPTATIONS.values(),
        "api": _TEMPTATIONS.values(),
        "service": ("import quart", "from saas_app.recipes import changes"),
        "changes": ("import quart",),
        "queries": ("import quart", "from saas_app.recipes import service"),
    }.items():
        with (feature / f"{name}.py").open("a", encoding="utf-8") as module:
            module.write("\n".join(lines))

    told = copy.run("lint-imports", "--no-cache", expect=1)

    forbidden = [(room, target) for room in ("pages", "api") for target in _TEMPTATIONS]
    forbidden += [(room, "quart") for room in ("service", "changes", "queries")]
    forbidden += [("service", "saas_app.recipes.changes"), ("queries", "saas_app.recipes.service")]
    assert [pair for pair in forbidden if f"saas_app.recipes.{pair[0]} -> {pair[1]} (l." not in told] == []

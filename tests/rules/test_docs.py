"""The documentation says what the code does."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from saas_app.features import FEATURES
from saas_app.operations.permissions_table import END, START, as_markdown
from saas_app.rbac.permissions import Permission, Role
from tests.databases import ROOT

pytestmark = pytest.mark.one_database

DOCUMENTS = sorted(
    path for path in ROOT.rglob("*.md") if not {".venv", "var", "node_modules"} & set(path.parts)
)


def test_the_permission_table_of_the_guide_is_the_registry() -> None:
    page = (ROOT / "docs/rbac-guide.md").read_text(encoding="utf-8")
    table = page.split(START)[1].split(END)[0]

    assert table.strip() == as_markdown().strip(), (
        "The registry changed: run 'saas-app permissions --markdown' and look at the diff."
    )
    for permission in Permission:
        assert f"`{permission.value}`" in table
    for role in Role:
        assert f"`{role.value}`" in table


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_our_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (document.parent / target).exists(), target


def test_the_architecture_page_names_every_house() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = {
        path.name for path in (ROOT / "saas_app").iterdir() if path.is_dir() and path.name[0] not in "._"
    }
    missing = [room for room in sorted(rooms - set(FEATURES)) if f"{room}/" not in page]
    assert not missing


@pytest.mark.parametrize("feature", FEATURES)
def test_every_feature_says_what_it_is_for(feature: str) -> None:
    assert import_module(f"saas_app.{feature}").__doc__


def test_every_command_the_readme_names_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"^make ([a-z]+)", readme, flags=re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_the_reading_path_can_be_read_in_half_an_hour() -> None:
    page = (ROOT / "docs/start-here.md").read_text(encoding="utf-8")
    stops = re.findall(r"^\| \d \| \[([^]]+)\]", page, flags=re.MULTILINE)
    lines = sum(len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in stops)

    assert len(stops) >= 8
    assert lines <= 1_000, "leave a stop out of docs/start-here.md, or shorten a file"

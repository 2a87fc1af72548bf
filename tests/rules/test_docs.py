"""The documentation agrees with the code."""

from __future__ import annotations

import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
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

COLUMNS = {"membership_changes.version"}  # of tables


def test_the_permission_table_of_the_guide_matches_the_registry() -> None:
    page = (ROOT / "docs/rbac-guide.md").read_text(encoding="utf-8")
    table = page.split(START)[1].split(END)[0]

    assert table.strip() == as_markdown().strip(), (
        "The registry changed: run 'saas-app permissions --markdown' and check the diff."
    )
    for permission in Permission:
        assert f"`{permission.value}`" in table
    for role in Role:
        assert f"`{role.value}`" in table


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_work(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (document.parent / target).exists(), target


def test_the_architecture_page_names_every_package() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = {
        path.name for path in (ROOT / "saas_app").iterdir() if path.is_dir() and path.name[0] not in "._"
    }
    missing = [room for room in sorted(rooms - set(FEATURES)) if f"{room}/" not in page]
    assert not missing


@pytest.mark.parametrize("feature", FEATURES)
def test_every_feature_says_what_it_is_for(feature: str) -> None:
    assert import_module(f"saas_app.{feature}").__doc__


def test_the_layout_of_the_architecture_page_names_what_exists() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = list(_named_in_layout(page.split("```")[1]))

    assert len(named) > 100
    assert [place for place in named if not place.exists()] == []


def test_the_architecture_page_refers_to_files_and_names_that_exist() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("```")[2]
    quoted = set(re.findall(r"`([^`]+)`", page))
    paths = {text for text in quoted if re.fullmatch(r"\w[\w/]*(/|\.py)", text)}
    names = {text for text in quoted if re.fullmatch(r"[a-z_]+(\.\w+)+", text)} - paths
    methods = {text for text in quoted if re.fullmatch(r"[A-Z][A-Za-z]+\.[a-z_]+", text)}

    assert [path for path in sorted(paths) if not _is_in_product(path)] == []
    for name in names - COLUMNS - _files_of_the_root():
        pkgutil.resolve_name(f"saas_app.{name}")
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "saas_app").rglob("*.py")]
    for method in methods:
        owner, name = method.split(".")
        found = [text for text in sources if f"class {owner}" in text and f"def {name}(" in text]
        assert found, method


def test_the_security_page_names_code_and_tests_that_exist() -> None:
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    paths = set(
        re.findall(r"`([\w.][\w./]*/[\w.]+|\w+\.py)`", re.sub(r"```.*?```", "", page, flags=re.DOTALL))
    )

    assert len(paths) > 80
    places = (ROOT / "saas_app", ROOT / "tests", ROOT)
    missing = [path for path in sorted(paths) if not any((place / path).exists() for place in places)]
    assert missing == []


def test_every_promise_of_the_security_page_names_a_test() -> None:
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    promises = page.split("\n## Promises\n")[1].split("\n## ")[0]
    rows = [line for line in promises.splitlines() if line.startswith("|")]
    promised = [row for row in rows if not row.startswith(("| promise ", "|---"))]

    assert len(promised) > 50
    for row in promised:
        assert re.search(r"`(unit|integration|browser|rules|fuzz)(/\w+)*(\.py)?` \|$", row), row


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
    assert lines <= 1_000, "Remove a stop from docs/start-here.md, or shorten a file."


def _named_in_layout(layout: str) -> Iterator[Path]:
    """Yield each file and folder that a layout names: its entries, and those in their descriptions."""
    folders: dict[int, Path] = {-1: ROOT}
    folder = ROOT
    for line in filter(str.strip, layout.splitlines()):
        indent = len(line) - len(line.lstrip())
        text = line.strip()
        if indent < 20:  # beyond it, a line continues the description above
            entries, _, text = text.partition("  ")
            above = folders[max(level for level in folders if level < indent)]
            folders = {level: path for level, path in folders.items() if level < indent}
            folder = above
            for entry in filter(None, entries.split(", ")):
                yield above / entry
                if entry.endswith("/"):
                    folder = folders[indent] = above / entry
        for name in re.findall(r"(?:^|(?<=[ (]))\w+(?:/|\.py|\.md|\.html|\.json)(?=[ ,.)]|$)", text):
            yield ROOT / name if name.endswith("/") and (ROOT / name).exists() else folder / name


def _is_in_product(path: str) -> bool:
    """Return whether a path exists from the root, in the product, or in one of its features."""
    return any(
        [(ROOT / path).exists(), (ROOT / "saas_app" / path).exists(), *ROOT.glob(f"saas_app/*/{path}")]
    )


def _files_of_the_root() -> set[str]:
    return {path.name for path in ROOT.iterdir()}


def test_benchmarks_named_in_the_documents_can_be_imported() -> None:
    pages = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    named = sorted(set(re.findall(r"python -m (bench\.\w+)", pages)))

    assert named
    subprocess.run([sys.executable, "-c", f"import {', '.join(named)}"], cwd=ROOT, check=True)

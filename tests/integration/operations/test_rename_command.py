"""``saas-app rename``: a copy of the repository becomes another product, and its checks pass."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from saas_app.errors import ConfigurationError
from saas_app.operations.renaming import ProductName, rename
from tests.copies import Copy, blocks_of
from tests.databases import ROOT

_IS_RENAMED = 'name = "workroom"' not in (ROOT / "pyproject.toml").read_text(encoding="utf-8")

pytestmark = [
    pytest.mark.one_database,
    pytest.mark.skipif(_IS_RENAMED, reason="this product was renamed already"),
]

_STILL_NAMED = {
    "CHANGELOG.md",
    "LICENSE",
    "docs/start-your-own.md",
    "saas_app/operations/commands/rename.py",
    "saas_app/operations/renaming.py",
    "tests/integration/operations/test_rename_command.py",
}
_TESTS = (
    "tests/unit/config",
    "tests/unit/operations",
    "tests/unit/web/test_error_pages.py",
    "tests/rules/test_docs.py",
    "tests/rules/test_openapi.py",
    "tests/integration/organizations/test_pages.py",
)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy.make(tmp_path)


def _follow_the_page(copy: Copy) -> None:
    for language, content in blocks_of("start-your-own.md"):
        for line in content.splitlines() if language == "sh" else ():
            if line == "make fmt":
                copy.run("ruff", "format", "-q", ".")
                copy.run("ruff", "check", "--fix", "-q", ".")
            else:
                copy.run(*shlex.split(line.removeprefix(".venv/bin/")))


def _naming(copy: Copy, word: str) -> set[str]:
    files = (path for path in copy.root.rglob("*") if path.suffix != ".pyc" and path.is_file())
    texts = {path.relative_to(copy.root).as_posix(): path.read_bytes() for path in files}
    return {
        path
        for path, text in texts.items()
        if re.search(word.encode(), text, re.IGNORECASE)
        and not path.startswith(("local_logto/", "docs/decisions/", "."))
    }


@pytest.mark.timeout(600)
def test_the_renamed_copy_passes_its_checks(copy: Copy) -> None:
    _follow_the_page(copy)

    assert _naming(copy, "workroom") <= _STILL_NAMED
    assert 'name = "blueheron"' in (copy.root / "pyproject.toml").read_text(encoding="utf-8")
    assert "Blue Heron</title>" in (copy.root / "templates/base.html").read_text(encoding="utf-8")
    copy.run("ruff", "check", ".")
    copy.run("lint-imports")
    copy.test(*_TESTS)


def test_renaming_again_changes_nothing_and_another_name_replaces_the_first(copy: Copy) -> None:
    heron = ProductName.parse("Blue Heron")
    assert rename(heron, root=copy.root)
    assert rename(heron, root=copy.root) == []

    rename(ProductName.parse("Hive"), heron, root=copy.root)

    assert _naming(copy, "blue ?heron") <= _STILL_NAMED
    assert "hive_session" in (copy.root / "tests/clients.py").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_changes_of_upstream_merge_into_a_renamed_product(copy: Copy) -> None:
    def git(*arguments: str) -> None:
        identity = (
            "-c",
            "user.name=Test",
            "-c",
            "user.email=test@example.test",
            "-c",
            "commit.gpgsign=false",
        )
        subprocess.run(["git", *identity, *arguments], cwd=copy.root, check=True, capture_output=True)

    def commit_all(message: str) -> None:
        git("add", "--all", "--force", "saas_app", "templates", "docs", "pyproject.toml")
        git("commit", "--quiet", "--message", message)

    errors, news = copy.root / "saas_app/errors.py", copy.root / "docs/news.md"
    git("init", "--quiet", "--initial-branch=upstream")
    commit_all("upstream")
    git("switch", "--quiet", "--create", "own")
    rename(ProductName.parse("Blue Heron"), root=copy.root)
    commit_all("rename")
    git("switch", "--quiet", "upstream")
    errors.write_text(errors.read_text(encoding="utf-8") + "\n# a later change\n", encoding="utf-8")
    news.write_text("Workroom can do more.\n", encoding="utf-8")
    commit_all("later")

    git("switch", "--quiet", "own")
    git("merge", "--quiet", "--no-edit", "upstream")
    assert rename(ProductName.parse("Blue Heron"), root=copy.root) == [Path("docs/news.md")]

    assert news.read_text(encoding="utf-8") == "Blue Heron can do more.\n"
    assert errors.read_text(encoding="utf-8").endswith("# a later change\n")


@pytest.mark.parametrize(
    "name", ["", "A", "9 Lives", "Blue  Heron", " Heron", "Café", 'A"; x', "<b>", "A" * 25]
)
def test_a_name_that_does_not_fit_everywhere_is_rejected(name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be used everywhere"):
        ProductName.parse(name)


def test_a_name_that_contains_the_old_one_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="second run"):
        rename(ProductName.parse("Workroom Plus"), root=tmp_path)

"""The practice service, which is broken on purpose, is a program of its own: the product never imports it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.copies import Copy
from tests.databases import ROOT

pytestmark = pytest.mark.one_database

SERVICE = "saas_app.lab.broken"
FOLDER = ROOT / "saas_app/lab/broken"
STARTS_IT = ROOT / "saas_app/demo/practice.py"
OF_THE_PRODUCT = sorted(path for path in (ROOT / "saas_app").rglob("*.py") if FOLDER not in path.parents)
"""Every module that is not part of the service."""


def named(tree: ast.Module) -> Iterator[str]:
    """Yield every module and attribute that a module imports, and every text in it but docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_no_module_of_the_product_names_the_service() -> None:
    """Only the demo does, which starts it as a process: the name of a module can be imported as well."""
    naming = {
        path
        for path in OF_THE_PRODUCT
        for name in named(ast.parse(path.read_text(encoding="utf-8")))
        if name == SERVICE or name.startswith(f"{SERVICE}.")
    }

    assert naming <= {STARTS_IT}


def test_the_service_is_found() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in FOLDER.rglob("*.py")]

    assert any(name.startswith(f"{SERVICE}.") for tree in trees for name in named(tree))


@pytest.mark.parametrize(
    ("module", "line", "told"),
    [
        ("saas_app/lab/__init__.py", "from saas_app.lab.broken import flaws", "saas_app.lab"),
        ("saas_app/web/context.py", "import saas_app.lab.broken.calls", "saas_app.web.context"),
    ],
)
def test_an_import_of_the_service_breaks_a_contract(
    tmp_path: Path, module: str, line: str, told: str
) -> None:
    copy = Copy.make(tmp_path)
    with (copy.root / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")

    assert f"{told} -> {SERVICE}" in copy.run("lint-imports", "--no-cache", expect=1)

"""Every text of a command is in the catalogues: what it prints, its help, and its errors.

The help of a command is its docstring, which ``make translations`` reads. docs/translate.md says more.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import ROOT
from tests.rules.test_translations import SENTENCE, THE_SAME_EVERYWHERE

pytestmark = pytest.mark.one_database

PACKAGE = ROOT / "saas_app"
OUTPUT = PACKAGE / "operations/output.py"
MODULES = [
    path
    for folder in ("operations", "demo", "config")
    for path in sorted((PACKAGE / folder).rglob("*.py"))
    if path != OUTPUT
] + [PACKAGE / "cli.py"]

SHOWS_TEXT = re.compile(
    r"say|announce|column|refuse|\w*confirm|\w*prompt|ClickException|UsageError|BadParameter"
    r"|ConfigurationError|UnusableFile|InvalidRow|NotFound|LogtoUnavailable|Check|Step|SeedStep|Problem"
)
READ_AS_TEXT = ("help", "none", "remedy")
IN_PIECES = re.compile(r"[A-Za-z]{2,} [a-z]| [a-z]{3,}")
COMMAND = re.compile(r"^['\"]?saas-app ")


def bare_texts(source: str, *, of_settings: bool = False) -> Iterator[str]:
    """Yield the texts in a module that people would read in English in every language."""
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call):
            continue
        name = ast.unparse(call.func).split(".")[-1]
        if ast.unparse(call.func) in ("click.echo", "print"):
            yield ast.unparse(call)
        if SHOWS_TEXT.fullmatch(name) or (of_settings and name == "ValueError"):
            for argument in call.args:
                yield from _bare(argument)
        for keyword in call.keywords:
            if keyword.arg in READ_AS_TEXT:
                yield from _bare(keyword.value)


def _bare(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.JoinedStr):
        if any(isinstance(part, ast.Constant) and IN_PIECES.search(str(part.value)) for part in value.values):
            yield ast.unparse(value)
    elif isinstance(value, ast.Constant):
        text = value.value if isinstance(value.value, str) else ""
        if SENTENCE.search(text) and not COMMAND.search(text) and text not in THE_SAME_EVERYWHERE:
            yield text
    elif isinstance(value, ast.IfExp):
        yield from _bare(value.body)
        yield from _bare(value.orelse)
    elif isinstance(value, ast.BinOp | ast.BoolOp):
        for part in ast.iter_child_nodes(value):
            if isinstance(part, ast.expr):
                yield from _bare(part)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_command_has_a_bare_text(path: Path) -> None:
    of_settings = path.is_relative_to(PACKAGE / "config")

    assert list(bare_texts(path.read_text(encoding="utf-8"), of_settings=of_settings)) == []


@pytest.mark.parametrize(
    "source",
    [
        'click.echo(_("Saved."))',
        'print("Saved.")',
        'say("Nothing to repair.")',
        'say(f"{count} rows were written.")',
        'say(_("Done") if done else "Nothing to do")',
        'raise click.ClickException("The file is missing.")',
        'raise ConfigurationError(f"{path} was not found.")',
        'click.option("--to", help="The file to create.")',
        'Check(_("database"), False, error.message, "start the database")',
        'report_steps(location, steps, none="It is there already.")',
        'self.refuse("its manifest is no JSON")',
        'raise ConfigurationError(_("It failed.") + " Try again.")',
    ],
)
def test_a_bare_text_in_a_command_is_found(source: str) -> None:
    assert len(list(bare_texts(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        'say(_("Nothing to repair."))',
        'say(column(check.name, 15), "→", check.remedy)',
        'say(f"{number(count):>10} ", table)',
        'Check(_("database"), False, found, "saas-app migrate")',
        'click.option("--to", help=_("The file to create."))',
        'raise ValueError("not an integer, or too large")',
    ],
)
def test_a_marked_text_of_a_command_passes(source: str) -> None:
    assert list(bare_texts(source)) == []


def test_a_bare_text_about_a_setting_is_found() -> None:
    assert list(bare_texts('raise ValueError("must have no path")', of_settings=True)) == [
        "must have no path"
    ]

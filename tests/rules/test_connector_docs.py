"""Declarations and commands in the guides are valid, in both languages."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from saas_app.cli import main
from saas_app.operations.sign_in_methods.declaration import load_declaration
from tests.databases import ROOT

pytestmark = pytest.mark.one_database

DOCS = ROOT / "docs"
EXAMPLE = ROOT / "connectors.toml.example"
GUIDES = sorted(path for path in DOCS.rglob("*.md") if "```toml" in path.read_text(encoding="utf-8"))
TRANSLATED = sorted(path.name for path in (DOCS / "es").glob("*.md") if path.name != "README.md")


def blocks(document: Path, language: str) -> list[str]:
    """Return the code blocks of a page in this language."""
    return re.findall(rf"```{language}\n(.*?)```", document.read_text(encoding="utf-8"), flags=re.DOTALL)


def named(document: Path) -> str:
    return str(document.relative_to(ROOT))


def test_the_guides_of_all_connectors_are_checked() -> None:
    assert {path.name for path in GUIDES} >= {"mailgun.md", "gatewayapi.md", "naver.md"}


@pytest.mark.parametrize("document", [*GUIDES, EXAMPLE], ids=named)
def test_declarations_in_the_guides_are_valid(document: Path, tmp_path: Path) -> None:
    for lines in [EXAMPLE.read_text(encoding="utf-8")] if document == EXAMPLE else blocks(document, "toml"):
        file = tmp_path / "connectors.toml"
        file.write_text(lines, encoding="utf-8")
        secrets = dict.fromkeys(re.findall(r"\$\{(\w+)\}", lines), "a-secret-of-the-reader")

        assert load_declaration(file, secrets).connectors


@pytest.mark.parametrize("file", ["compose.yaml", ".env.example"])
def test_variables_of_the_example_are_passed_to_the_container(file: str) -> None:
    taken = set(re.findall(r"= \"\$\{(\w+)\}\"", EXAMPLE.read_text(encoding="utf-8")))
    passed_on = set(re.findall(r"^[# ]*(\w+)[:=]", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE))

    assert taken
    assert taken <= passed_on


@pytest.mark.parametrize("page", TRANSLATED)
def test_a_translation_has_the_same_declarations_and_commands(page: str) -> None:
    english, spanish = DOCS / page, DOCS / "es" / page

    assert [tomllib.loads(lines) for lines in blocks(spanish, "toml")] == [
        tomllib.loads(lines) for lines in blocks(english, "toml")
    ]
    assert commands(spanish) == commands(english)


@pytest.mark.parametrize("page", TRANSLATED)
def test_a_translation_has_the_same_sections(page: str) -> None:
    def outline(document: Path) -> list[str]:
        lines = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL).splitlines()
        return [re.match(r"#+|\|", line).group() for line in lines if re.match(r"#+ |\|", line)]  # type: ignore[union-attr]

    assert outline(DOCS / "es" / page) == outline(DOCS / page)


@pytest.mark.parametrize("document", sorted(DOCS.rglob("*.md")), ids=named)
def test_every_command_in_the_documentation_exists(document: Path) -> None:
    for words in commands(document):
        command: click.Command = main
        while isinstance(command, click.Group):
            name = words.pop(0)
            found = command.get_command(click.Context(command), name)
            assert found is not None, f"{name} of {document.name}"
            command = found
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, document.name


def commands(document: Path) -> list[list[str]]:
    """Return the arguments of every ``saas-app`` command on a page."""
    lines = [line.strip() for block in blocks(document, "sh") for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("saas-app ")]

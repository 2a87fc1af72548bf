"""The commands speak the language of the terminal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from local_logto import terminal, translation
from local_logto.cli import main
from local_logto.terminal import terminal_language
from unit.pseudo_language import TAG, Brackets

BRACKETED = re.compile(r"⟦[^⟦⟧]*(?:⟧|\.\n|\.\.\.)")  # the list of commands shortens their help
DATA = {
    "local_logto",
    "main",
    "serve",
    "credentials",
    "rotate-key",
    "--help",
    "--host",
    "--port",
    "--data-dir",
}
DATA |= {
    "--nothing",
    "TEXT",
    "INTEGER",
    "PATH",
    "OPTIONS",
    "COMMAND",
    "ARGS",
    "LOGTO_MANAGEMENT_APP_ID=m-default",
}


def run(*arguments: object, **environ: str) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments], prog_name="local_logto", env=environ)


@pytest.fixture
def pseudo(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal in a language in which every text of the catalogue stands in brackets."""
    monkeypatch.setattr(translation, "catalogue", lambda _tag: Brackets())
    monkeypatch.setattr(terminal, "terminal_language", lambda _environ: TAG)


@pytest.fixture
def outdated(tmp_path: Path) -> Path:
    """A folder with a file that is not a database."""
    (tmp_path / "local_logto.sqlite3").write_text("not a database" * 100)
    return tmp_path


def leftovers(text: str) -> list[str]:
    """Return the words of an output that are neither texts of the catalogue nor data."""
    before = ""
    while before != text:
        before, text = text, BRACKETED.sub(" ", text)
    words = (token.strip("[]().,:;'") for token in text.split())
    return [word for word in words if re.search("[A-Za-z]{2}", word) and word not in DATA]


@pytest.mark.parametrize(
    ("environ", "tag"),
    [
        ({}, "en"),
        ({"LANG": "es_ES.UTF-8"}, "es"),
        ({"LANG": "es"}, "es"),
        ({"LANG": "es_ES.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ({"LC_ALL": "es_MX@euro", "LANG": "en_US"}, "es"),
        ({"LC_ALL": "", "LANG": "es_ES"}, "es"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "tlh"}, "en"),
    ],
)
def test_the_language_is_that_of_the_terminal(environ: dict[str, str], tag: str) -> None:
    assert terminal_language(environ) == tag


@pytest.mark.usefixtures("pseudo")
@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("serve", "--help"),
        ("rotate-key", "--help"),
        ("credentials", "--help"),
        ("nothing",),
        ("serve", "--nothing"),
        ("serve", "--port"),
        ("serve", "--port", "x"),
        ("serve", "more"),
        ("serve", "--host", "192.0.2.1"),
    ],
    ids=" ".join,
)
def test_no_text_of_a_command_escapes_the_catalogue(arguments: tuple[str, ...]) -> None:
    shown = run(*arguments).output

    assert "⟦" in shown
    assert leftovers(shown) == []


@pytest.mark.usefixtures("pseudo")
def test_results_of_commands_are_translated(tmp_path: Path) -> None:
    assert run("rotate-key", "--data-dir", tmp_path).output.startswith("⟦new signing key ")
    (tmp_path / "local_logto.sqlite3").chmod(0o644)
    assert "⟦other users could read " in run("credentials", "--data-dir", tmp_path).output


@pytest.mark.usefixtures("pseudo")
def test_reasons_why_a_command_cannot_run_are_translated(outdated: Path) -> None:
    answer = run("credentials", "--data-dir", outdated)

    assert answer.exit_code == 1
    assert answer.output.startswith("local_logto: ⟦cannot use ")


def test_help_is_spanish_in_a_spanish_terminal_and_english_in_the_next_one() -> None:
    assert "Muestra este mensaje" in run("serve", "--help", LC_ALL="es_ES.UTF-8").output
    assert "Show this message and exit." in run("serve", "--help", LC_ALL="C").output

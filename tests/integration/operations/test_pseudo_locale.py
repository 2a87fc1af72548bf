"""Commands speak the language of the terminal: everything they print is in the catalogues, or data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import Result

from saas_app.cli import main
from saas_app.db.base import Base
from saas_app.operations.provisioning.declared import ACCOUNT_FIELDS
from saas_app.rbac.permissions import Role
from tests.commands import bare_environment, run
from tests.databases import ROOT
from tests.processes import Provider, running_provider
from tests.pseudo_locale import outside, pseudo_locale

pytestmark = pytest.mark.one_database

NAMES = {"Workroom", "Logto", "main", "management-test", *Role, *ACCOUNT_FIELDS, *Base.metadata.tables}
"""Words that are data: names of the product, of a client and of fields at Logto, of roles and of tables."""

CODE = re.compile(r"[^A-Za-z’'“”()-]|^--?\w|^[A-Z_]{2,}$")  # addresses, settings, options, paths, numbers
WORD = re.compile(r"[A-Za-z]{2,}")


def leftovers(text: str) -> list[str]:
    """Return the words of an output that are neither texts of the catalogues nor data."""
    return [
        word
        for token in outside(text).split()
        if not token.startswith(".")
        for word in [token.strip("'\"()[],;:.…")]
        if WORD.search(word) and not CODE.search(word) and word not in NAMES
    ]


def paths(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of a command, and those of its subcommands."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from paths(inner, (*path, name))


COMMANDS = list(paths(main))
NAMES |= {name for path in COMMANDS for name in path} | {"saas-app"}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with running_provider(tmp_path_factory.mktemp("fresh")) as provider:
        yield provider


@pytest.fixture(scope="module", autouse=True)
def environment(fresh: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with (
        bare_environment(fresh, tmp_path_factory.mktemp("database")),
        pseudo_locale(tmp_path_factory.mktemp("translations")),
    ):
        yield


def printed(*arguments: object, **env: str) -> Result:
    return run(*arguments, LC_ALL="eo_XX.UTF-8", **env)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_the_help_of_a_command_is_in_the_language_of_the_terminal(path: tuple[str, ...]) -> None:
    help_text = printed(*path, "--help").stdout
    whole, _commands, listed = help_text.partition("⟦Commands⟧")
    begun = re.sub(r"⟦[^⟦⟧\n]*$", "", listed, flags=re.MULTILINE)  # click shows the beginning of each help

    assert whole.startswith("⟦Usage:⟧")
    assert leftovers(whole) + leftovers(begun) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("permissions",),
        ("migrate", "--env-file", "missing.env"),
        ("nonsense",),
        ("serve", "--nonsense"),
        ("serve", "--port", "nonsense"),
        ("serve", "--port", "0"),
        ("serve",),
        ("token",),
        ("token", "--client", "unknown"),
        ("database", "distribute"),
        ("connectors", "check"),
        ("connectors", "check", "--connectors", ROOT / "connectors.toml.example"),
        ("organization", "export", "unknown", "--to", "README.md"),
        ("organization", "import", ROOT / "README.md"),
        ("person", "export", "unknown", "--to", "README.md"),
        ("new", "feature", "Reports"),
        ("new", "feature", "sheep"),
        ("rename", "x"),
        ("rename", "Workroom Two"),
        ("reconcile",),
        ("reconcile", "--organization", "unknown"),
        ("doctor",),
        ("doctor", "--connectors", ROOT / "connectors.toml.example"),
        ("provision", "--check"),
        ("provision", "--check", "--connectors", ROOT / "connectors.toml.example"),
    ],
    ids=lambda arguments: " ".join(str(argument).rpartition("/")[2] for argument in arguments),
)
def test_what_a_command_prints_is_in_the_language_of_the_terminal(arguments: tuple[object, ...]) -> None:
    result = printed(*arguments)

    given = {word for argument in arguments for word in str(argument).split()}
    assert "⟦" in result.output
    assert set(leftovers(result.output)) <= given


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("APP_URL", "work.example"),
        ("APP_PORT", "0"),
        ("DATABASE_URL", "mysql://db/workroom"),
        ("RATE_LIMIT_CLIENT", "many"),
        ("RATE_LIMIT_STORAGE", "redis:nonsense"),
        ("DOMAIN_NAMESERVERS", "dns.example"),
        ("LOG_FORMAT", "xml"),
        ("APP_ENCRYPTION_KEYS", "short"),
        ("LOGTO_ENDPOINT", "http://127.0.0.1:9"),
    ],
)
def test_a_wrong_setting_is_explained_in_the_language_of_the_terminal(name: str, value: str) -> None:
    result = printed("doctor", **{name: value})

    assert leftovers(result.output) == []


def test_a_first_installation_is_reported_in_the_language_of_the_terminal(tmp_path: Path) -> None:
    env_file = tmp_path / "work.env"
    database = f"sqlite+aiosqlite:///{tmp_path}/workroom.db"
    steps = [
        ("provision", "--write-env", env_file),
        ("migrate",),
        ("migrate",),
        ("reconcile", "--env-file", env_file),
        ("seed-demo", "--env-file", env_file),
        ("doctor", "--env-file", env_file),
    ]
    output = "\n".join(printed(*step, DATABASE_URL=database).output for step in steps)

    assert "⟦created⟧" in output
    assert [word for word in leftovers(output) if not is_of_the_demo(word)] == []


def is_of_the_demo(word: str) -> bool:
    """Return whether a word is in the names of the demo's people, organizations and programs."""
    return word in (ROOT / "saas_app/demo/people.py").read_text(encoding="utf-8")


def test_each_run_speaks_its_own_language() -> None:
    run("--help", LC_ALL="C")

    assert "Show this message and exit." not in outside(printed("--help").stdout)


def test_an_unknown_language_is_english() -> None:
    assert run("--help", LC_ALL="tlh_XX.UTF-8").stdout.startswith("Usage: ")


@pytest.mark.parametrize("variable", ["LC_ALL", "LC_MESSAGES", "LANG"])
def test_the_language_is_that_of_posix_s_variables(variable: str) -> None:
    silent = dict.fromkeys(("LC_ALL", "LC_MESSAGES", "LANG"))

    assert run("--help", **{**silent, variable: "eo.UTF-8"}).stdout.startswith("⟦Usage:⟧")


def test_log_lines_are_english_in_every_language(tmp_path: Path) -> None:
    empty = f"sqlite+aiosqlite:///{tmp_path}/workroom.db"
    result = printed("organization", "export", "acme", "--to", "x", DATABASE_URL=empty, LOG_FORMAT="json")

    assert "Run 'saas-app migrate' first." in result.output

"""The commands without a Logto: their output, and the one-line error if they cannot continue."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import structlog
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet
from tenacity import wait_none

from saas_app.cli import main
from saas_app.coordination.jobs import Failure
from saas_app.demo.command import next_port
from saas_app.logto import transport
from saas_app.operations.commands.common import report_failed
from saas_app.operations.permissions_table import END, START, as_markdown
from saas_app.rbac.permissions import Permission, Role
from tests.processes import free_port


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Remove our settings from the environment; restore it and the configuration of the logs afterwards."""
    before, logging = dict(os.environ), structlog.get_config()
    for name in before:
        if name.startswith(("LOGTO_", "APP_", "DATABASE_URL")):
            del os.environ[name]
    os.environ["CONNECTORS_FILE"] = ""
    yield
    os.environ.clear()
    os.environ.update(before)
    structlog.configure(**logging)


def run(*arguments: object, **env: str) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env=env)


def refused(result: Result) -> str:
    """Return the one line of a command's error."""
    assert result.exit_code == 1, result.output
    (line,) = result.stderr.splitlines()
    return line


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A complete environment, for a Logto that does not answer. Calls are retried without a pause."""
    monkeypatch.setattr(transport, "_BACKOFF", wait_none())
    return {
        "APP_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/workroom.db",
        "LOGTO_ENDPOINT": f"http://localhost:{free_port()}",
        "LOGTO_APP_ID": "app",
        "LOGTO_APP_SECRET": "hush",
        "LOGTO_MANAGEMENT_APP_ID": "machine",
        "LOGTO_MANAGEMENT_APP_SECRET": "hush-hush",
    }


def test_permissions_prints_every_permission_and_role() -> None:
    output = run("permissions").output

    assert all(permission.value in output for permission in Permission)
    assert all(role.value in output.splitlines()[0] for role in Role)


@pytest.fixture
def outdated_page(tmp_path: Path) -> Path:
    """A page with an old table between its markers."""
    page = tmp_path / "guide.md"
    page.write_text(f"before\n{START}\nold\n{END}\nafter\n")
    return page


def test_permissions_writes_the_table_between_its_markers(outdated_page: Path) -> None:
    assert run("permissions", "--markdown", "--page", outdated_page).exit_code == 0
    assert outdated_page.read_text() == f"before\n{START}\n{as_markdown()}\n{END}\nafter\n"


def test_permissions_check_names_the_command_that_updates_the_page(outdated_page: Path) -> None:
    behind = run("permissions", "--markdown", "--check", "--page", outdated_page)
    assert "saas-app permissions --markdown" in refused(behind)


def test_permissions_check_passes_on_an_updated_page(outdated_page: Path) -> None:
    run("permissions", "--markdown", "--page", outdated_page)
    assert run("permissions", "--markdown", "--check", "--page", outdated_page).exit_code == 0


def test_permissions_does_not_change_a_page_without_markers(tmp_path: Path) -> None:
    page = tmp_path / "guide.md"
    page.write_text("mine\n")

    assert "has no lines" in refused(run("permissions", "--markdown", "--page", page))
    assert page.read_text() == "mine\n"


def test_migrate_migrates_an_empty_database_once(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/new folder/workroom.db"

    assert "Migrated from an empty database" in run("migrate", DATABASE_URL=url).output
    assert "up to date" in run("migrate", DATABASE_URL=url).output


def test_migrate_says_in_one_line_that_the_database_does_not_answer() -> None:
    url = f"postgresql+asyncpg://workroom:hush@127.0.0.1:{free_port()}/workroom"

    line = refused(run("migrate", DATABASE_URL=url))

    assert "DATABASE_URL" in line
    assert "hush" not in line


def test_migrate_names_an_invalid_database_url() -> None:
    assert "DATABASE_URL" in refused(run("migrate", DATABASE_URL="nonsense"))


@pytest.mark.parametrize("arguments", [("distribute",), ("isolate", "org-1")])
def test_commands_for_citus_say_that_sqlite_has_none(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = run("database", *arguments, DATABASE_URL=f"sqlite+aiosqlite:///{tmp_path}/workroom.db")

    assert "needs PostgreSQL" in refused(result)


def test_serve_names_missing_settings() -> None:
    line = refused(run("serve"))

    assert "LOGTO_ENDPOINT is not set" in line
    assert "provision --write-env" in line


def test_serve_names_the_busy_port(busy_port: int, complete: dict[str, str]) -> None:
    line = refused(run("serve", "--port", busy_port, **complete))

    assert line == (
        f"Error: Port {busy_port} is in use: "
        "stop the program that uses it, or choose another port with --port."
    )


def test_serve_says_that_the_env_file_was_not_found(tmp_path: Path) -> None:
    assert "was not found" in refused(run("serve", "--env-file", tmp_path / "none.env"))


_PORTS = ("APP_PORT", "LOGTO_PORT", "COMPANY_PORT")


@pytest.mark.parametrize("name", _PORTS)
def test_demo_names_the_busy_port_and_the_variable_that_changes_it(
    tmp_path: Path, busy_port: int, name: str
) -> None:
    ports = {**{other: str(free_port()) for other in _PORTS}, name: str(busy_port)}

    line = refused(run("demo", "--data", tmp_path, **ports))

    assert f"Port {busy_port} is in use" in line
    assert f"{name}=" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ports", [(4000, 4000, 4001), (4000, 4001, 4000), (4001, 4000, 4000)])
def test_demo_requires_three_different_ports(tmp_path: Path, ports: tuple[int, int, int]) -> None:
    given = {name: str(port) for name, port in zip(_PORTS, ports, strict=True)}

    assert "must differ" in refused(run("demo", "--data", tmp_path, **given))


@pytest.mark.parametrize(
    ("app", "logto", "company"),
    [(3000, 3001, 3002), (3002, 3001, 3003), (3100, 65535, 65534), (65534, 65535, 65533)],
)
def test_the_port_of_the_company_is_near_that_of_logto(app: int, logto: int, company: int) -> None:
    assert next_port(logto, taken=app) == company


def test_demo_says_that_it_cannot_write_to_its_folder(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()

    line = refused(run("demo", "--data", in_the_way / "var"))

    assert "Cannot write to" in line


@pytest.mark.parametrize("command", ["provision", "seed-demo"])
def test_commands_that_call_logto_name_the_endpoint_that_does_not_answer(
    command: str, complete: dict[str, str]
) -> None:
    line = refused(run(command, **complete))

    assert complete["LOGTO_ENDPOINT"] in line
    assert "hush" not in line


@pytest.mark.parametrize("command", ["provision", "seed-demo"])
def test_commands_that_call_logto_name_the_credentials_they_need(command: str) -> None:
    line = refused(run(command))

    assert "LOGTO_MANAGEMENT_APP_ID is not set" in line
    assert "LOGTO_MANAGEMENT_APP_SECRET is not set" in line


def test_serve_says_that_it_cannot_read_the_connectors_file(complete: dict[str, str], tmp_path: Path) -> None:
    line = refused(run("serve", **{**complete, "CONNECTORS_FILE": str(tmp_path / "missing.toml")}))

    assert "missing.toml: No such file" in line


def test_doctor_names_a_remedy_for_each_failed_check(complete: dict[str, str]) -> None:
    result = run("doctor", **complete)

    assert result.exit_code == 1
    assert "ok      settings" in result.output
    assert "FAILED  database" in result.output
    assert "→ saas-app migrate" in result.output
    assert "FAILED  endpoint" in result.output
    assert not Path(complete["DATABASE_URL"].removeprefix("sqlite+aiosqlite:///")).exists()


def test_a_job_without_failures_exits_normally() -> None:
    report_failed([])


def test_a_job_that_failed_in_part_names_the_failures_and_exits_with_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(click.ClickException) as ended:
        report_failed(
            [Failure.of("org1: the note", ValueError("odd\x1b[2J\nentry")), Failure("org2", "gone")]
        )
    assert ended.value.exit_code == 1
    assert "2 failed. Everything else was completed." in ended.value.message
    printed = capsys.readouterr().err
    assert "FAILED org1: the note (ValueError: odd[2J entry)" in printed
    assert "\x1b" not in printed

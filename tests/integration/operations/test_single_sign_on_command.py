"""``saas-app provision --single-sign-on``, against a Logto that was never provisioned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result

from saas_app.config import load_settings
from saas_app.operations.env_file import read_env_file
from tests.commands import ask, bare_environment, run, tally
from tests.processes import Provider, running_provider

pytestmark = pytest.mark.one_database

EXPERIENCE = {"signInMode": "SignIn", "termsOfUseUrl": "https://work.example/terms"}
"""What somebody set in the console, which must stay."""


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Provider]:
    """A provider for one test, not provisioned."""
    with running_provider(tmp_path) as provider:
        ask(provider, lambda client: client.change_sign_in_experience(EXPERIENCE))
        yield provider


@pytest.fixture(autouse=True)
def environment(fresh: Provider, tmp_path: Path) -> Iterator[None]:
    """Variables that say only how to reach the Management API and the database."""
    with bare_environment(fresh, tmp_path):
        yield


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    """What ``provision`` wrote without the option."""
    path = tmp_path / "work.env"
    provisioned("--write-env", path)
    return path


def provisioned(*arguments: object) -> Result:
    done = run("provision", *arguments)
    assert done.exit_code == 0, done.output
    return done


def is_offered(fresh: Provider) -> bool:
    """Return whether Logto signs people in at their company's provider. Everything else must be as it was."""
    found = ask(fresh, lambda client: client.get_sign_in_experience())
    assert found | EXPERIENCE == found
    return bool(found["singleSignOnEnabled"])


def test_without_the_option_it_is_neither_planned_nor_turned_on_or_off(
    fresh: Provider, env_file: Path
) -> None:
    done = provisioned("--write-env", env_file)

    assert not is_offered(fresh)
    assert "single sign-on" not in done.output
    assert "SINGLE_SIGN_ON" not in read_env_file(env_file)


def test_check_reports_what_the_option_would_turn_on(fresh: Provider, env_file: Path) -> None:
    checked = run("provision", "--single-sign-on", "--check", "--env-file", env_file)

    assert (checked.exit_code, tally(checked)[0]) == (1, 1)
    assert "differs  single sign-on" in checked.output
    assert "it is off" in checked.output
    assert not is_offered(fresh)


def test_the_option_turns_it_on_and_stores_the_setting(
    fresh: Provider, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = provisioned("--single-sign-on", "--write-env", env_file)

    assert tally(done)[0] == 1
    assert is_offered(fresh)
    for name, value in read_env_file(env_file).items():
        monkeypatch.setenv(name, value)
    assert load_settings().offers_single_sign_on


def test_a_later_run_keeps_what_is_stored(fresh: Provider, env_file: Path) -> None:
    provisioned("--single-sign-on", "--write-env", env_file)
    stored = read_env_file(env_file)

    again = provisioned("--write-env", env_file)

    assert tally(again)[0] == 0
    assert read_env_file(env_file) == stored
    assert run("provision", "--check", "--env-file", env_file).exit_code == 0


def test_somebody_who_turned_it_off_in_the_console_is_reported_and_it_is_repaired(
    fresh: Provider, env_file: Path
) -> None:
    provisioned("--single-sign-on", "--write-env", env_file)
    ask(fresh, lambda client: client.change_sign_in_experience({"singleSignOnEnabled": False}))

    checked = run("provision", "--check", "--env-file", env_file)
    provisioned("--write-env", env_file)

    assert checked.exit_code == 1
    assert "single sign-on" in checked.output
    assert is_offered(fresh)


def test_a_setting_that_was_turned_off_stays_off(fresh: Provider, env_file: Path) -> None:
    with env_file.open("a") as file:
        file.write("SINGLE_SIGN_ON=false\n")

    provisioned("--write-env", env_file)

    assert not is_offered(fresh)
    assert read_env_file(env_file)["SINGLE_SIGN_ON"] == "false"

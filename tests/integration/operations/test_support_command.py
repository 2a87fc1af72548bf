"""``saas-app provision --support`` and ``saas-app support``, against a Logto that was never provisioned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from saas_app.logto import Application, LogtoUser, ManagementClient
from saas_app.operations.env_file import read_env_file
from saas_app.operations.support_team import ROLE
from tests.commands import ask, bare_environment, run, tally
from tests.processes import Provider, running_provider

pytestmark = pytest.mark.one_database

EMAIL = "sue@example.test"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A provider for this module, empty at first."""
    with running_provider(tmp_path_factory.mktemp("fresh")) as provider:
        yield provider


@pytest.fixture(scope="module", autouse=True)
def environment(fresh: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Variables that say only how to reach the Management API and the database."""
    with bare_environment(fresh, tmp_path_factory.mktemp("database")):
        yield


@pytest.fixture(scope="module")
def env_file(fresh: Provider, environment: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``provision --support`` wrote."""
    path = tmp_path_factory.mktemp("deployment") / "work.env"
    done = run("provision", "--support", "--write-env", path)
    assert done.exit_code == 0, done.output
    assert run("migrate", "--env-file", path).exit_code == 0
    return path


@pytest.fixture(scope="module")
def sue(fresh: Provider) -> LogtoUser:
    """A person with an account, who belongs to no organization."""
    return ask(
        fresh,
        lambda client: client.create_user(
            username="sue", email=EMAIL, name="Sue Park", password="Workroom-test-1"
        ),
    )


def test_exactly_the_support_application_may_exchange_tokens(env_file: Path, fresh: Provider) -> None:
    stored = read_env_file(env_file)
    ids = [stored[name] for name in ("SUPPORT_APP_ID", "LOGTO_APP_ID", "LOGTO_MANAGEMENT_APP_ID")]

    async def find_all(client: ManagementClient) -> list[Application | None]:
        return [await client.find_application(app_id) for app_id in ids]

    found = ask(fresh, find_all)

    may = [app.id for app in found if app and app.custom_metadata.get("allowTokenExchange")]
    assert may == [stored["SUPPORT_APP_ID"]]


def test_a_second_run_finds_everything_and_changes_nothing(env_file: Path) -> None:
    stored = read_env_file(env_file)

    again = run("provision", "--write-env", env_file)

    assert tally(again)[0] == 0
    assert read_env_file(env_file) == stored
    assert stored["SUPPORT_APP_SECRET"] not in again.output
    assert run("provision", "--check", "--env-file", env_file).exit_code == 0


def test_without_the_stored_ids_the_same_team_is_found(env_file: Path, tmp_path: Path) -> None:
    stored, other = read_env_file(env_file), tmp_path / "other.env"

    done = run("provision", "--support", "--write-env", other)

    assert done.exit_code == 0, done.output
    found = read_env_file(other)
    for name in ("SUPPORT_ORGANIZATION_ID", "SUPPORT_APP_ID", "SUPPORT_APP_SECRET"):
        assert found[name] == stored[name]


def test_an_application_that_may_no_longer_exchange_tokens_is_repaired(
    env_file: Path, fresh: Provider
) -> None:
    app_id = read_env_file(env_file)["SUPPORT_APP_ID"]

    async def switch_off(client: ManagementClient) -> None:
        found = await client.find_application(app_id)
        assert found is not None
        await client.replace_application_metadata(
            app_id, oidc_metadata=found.oidc_metadata, custom={"allowTokenExchange": False}
        )

    ask(fresh, switch_off)

    checked = run("provision", "--check", "--env-file", env_file)
    run("provision", "--write-env", env_file)

    assert checked.exit_code == 1
    assert "support application" in checked.output
    application = ask(fresh, lambda client: client.find_application(app_id))
    assert application is not None
    assert application.custom_metadata["allowTokenExchange"] is True


def test_an_application_of_somebody_else_is_not_taken_over(env_file: Path, fresh: Provider) -> None:
    theirs = ask(fresh, lambda client: client.create_machine("Theirs", "", custom_data={}))

    refused = run("provision", "--check", "--env-file", env_file, SUPPORT_APP_ID=theirs.id)

    assert refused.exit_code == 1
    assert "did not create" in refused.output


def test_a_person_joins_the_team_and_leaves_it(env_file: Path, fresh: Provider, sue: LogtoUser) -> None:
    """One scenario: each step begins where the last one ended."""
    team = read_env_file(env_file)["SUPPORT_ORGANIZATION_ID"]

    def roles() -> set[str] | None:
        held = ask(fresh, lambda client: client.find_member_roles(team, sue.id))
        return None if held is None else set(held)

    granted = run("support", "grant", EMAIL, "--env-file", env_file)
    assert (granted.exit_code, roles()) == (0, {ROLE.value}), granted.output
    assert "already" in run("support", "grant", EMAIL, "--env-file", env_file).output

    revoked = run("support", "revoke", EMAIL, "--env-file", env_file)
    assert (revoked.exit_code, roles()) == (0, None), revoked.output
    assert "did not belong" in run("support", "revoke", EMAIL, "--env-file", env_file).output


def test_nobody_without_an_account_joins(env_file: Path) -> None:
    refused = run("support", "grant", "nobody@example.test", "--env-file", env_file)

    assert refused.exit_code == 1
    assert "Nobody in Logto has the email address" in refused.output


def test_without_a_team_nobody_joins() -> None:
    refused = run("support", "grant", EMAIL)

    assert refused.exit_code == 1
    assert "provision --support" in refused.output


def test_settings_that_are_incomplete_keep_the_application_from_starting(
    env_file: Path,
) -> None:
    refused = run("serve", "--env-file", env_file, SUPPORT_APP_SECRET="")

    assert refused.exit_code == 1
    assert "SUPPORT_APP_SECRET must be set together" in refused.output


def test_the_demo_has_an_agent_and_an_organization_that_allows_support(
    env_file: Path, fresh: Provider
) -> None:
    team = read_env_file(env_file)["SUPPORT_ORGANIZATION_ID"]

    first = run("seed-demo", "--env-file", env_file)
    again = run("seed-demo", "--env-file", env_file)

    assert "support access Acme Robotics" in " ".join(first.output.split())
    assert "written" not in again.stdout
    user = ask(fresh, lambda client: client.find_user_by_username("sam"))
    assert user is not None
    assert ask(fresh, lambda client: client.find_member_roles(team, user.id)) == {ROLE.value}

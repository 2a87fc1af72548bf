"""``saas-app provision`` and ``seed-demo`` against a Logto that was never provisioned."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result
from sqlalchemy.ext.asyncio import create_async_engine

from saas_app.demo.people import ORGANIZATIONS, PEOPLE, workers_of
from saas_app.identity.claims import decode_unverified
from saas_app.logto import Invitation, ManagementClient, OrganizationRole
from saas_app.models import FormerMembership, Organization, Task, User
from saas_app.operations.env_file import read_env_file
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Carrier, Permission, Role
from saas_app.text.pictures import shown_picture
from tests.commands import ask, bare_environment, run, tally
from tests.processes import Provider, running_provider
from tests.scraping import Scrape
from tests.tokens import scopes_of

pytestmark = pytest.mark.one_database

_DECLARED = len(Permission) + len(Role) + 6
"""And resource, application, secret, ID-token claims, account center, webhook."""


@dataclass(frozen=True)
class FirstRun:
    """The output of the first commands on the empty provider, and the file they wrote."""

    check: Result
    empty_after_check: bool
    run: Result
    env_file: Path


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
def first(fresh: Provider, environment: None, tmp_path_factory: pytest.TempPathFactory) -> FirstRun:
    """The output of ``--check``, and of the first provisioning after it."""
    env_file = tmp_path_factory.mktemp("deployment") / "work.env"
    env_file.write_text("# mine\nLOG_FORMAT=json\n")
    check = run("provision", "--check")
    empty = not ask(fresh, ManagementClient.list_organization_scopes) and not ask(
        fresh, ManagementClient.list_traditional_applications
    )
    return FirstRun(check, empty, run("provision", "--write-env", env_file), env_file)


def test_check_reports_what_a_run_then_writes(first: FirstRun) -> None:
    assert first.check.exit_code == 1
    assert first.empty_after_check
    assert first.run.exit_code == 0, first.run.output
    assert tally(first.check) == tally(first.run)
    assert sum(tally(first.run)) == _DECLARED


def test_a_second_run_changes_nothing(first: FirstRun) -> None:
    stored = read_env_file(first.env_file)

    again = run("provision", "--write-env", first.env_file)

    assert tally(again) == (0, _DECLARED)
    assert read_env_file(first.env_file) == stored
    check = run("provision", "--check", "--env-file", first.env_file)
    assert (check.exit_code, tally(check)) == (0, (0, _DECLARED))


def test_roles_have_exactly_the_permissions_of_the_registry(first: FirstRun, fresh: Provider) -> None:
    scopes = {scope.id: scope.name for scope in ask(fresh, ManagementClient.list_organization_scopes)}
    (resource,) = [
        resource
        for resource in ask(fresh, ManagementClient.list_resources)
        if resource.indicator == "https://api.workroom.example"
    ]
    api_scopes = {scope.id: scope.name for scope in resource.scopes}
    roles = {role.name: role for role in ask(fresh, ManagementClient.list_organization_roles)}

    assert set(roles) >= {role.value for role in Role}
    for role in Role:
        held = {
            carrier: {p.value for p in ROLE_PERMISSIONS[role] if p.carrier is carrier} for carrier in Carrier
        }
        found = roles[role.value]
        assert found.type == role.type.value
        assert {scopes[scope_id] for scope_id in found.scope_ids} == held[Carrier.ORGANIZATION_TOKEN]
        assert {api_scopes[scope_id] for scope_id in found.resource_scope_ids} == held[Carrier.API_TOKEN]


def test_the_environment_file_has_what_serve_needs_and_keeps_other_lines(
    first: FirstRun, fresh: Provider
) -> None:
    stored = read_env_file(first.env_file)

    assert first.env_file.read_text().startswith("# mine\nLOG_FORMAT=json\n")
    assert stat.S_IMODE(first.env_file.stat().st_mode) == 0o600
    assert stored["LOGTO_ENDPOINT"] == fresh.endpoint
    assert stored["APP_URL"] == "http://localhost:3000"
    (secret,) = ask(fresh, lambda client: client.list_secrets(stored["LOGTO_APP_ID"]))
    assert stored["LOGTO_APP_SECRET"] == secret.value
    assert secret.value not in first.run.output
    assert {"APP_ENCRYPTION_KEYS", "LOGTO_MANAGEMENT_APP_SECRET", "DATABASE_URL"} <= set(stored)


def test_drift_is_reported_and_repaired_and_nothing_else_is_touched(first: FirstRun, fresh: Provider) -> None:
    """One scenario: the report, the repair and the next report must agree."""

    async def change_in_logto(client: ManagementClient) -> OrganizationRole:
        roles = {role.name: role for role in await client.list_organization_roles()}
        await client.replace_role_scopes(roles["editor"].id, [])
        theirs = await client.create_organization_scope("books:read", "theirs")
        auditor = roles.get("auditor") or await client.create_organization_role("auditor", "theirs", "User")
        await client.replace_role_scopes(auditor.id, [theirs.id])
        return auditor

    auditor = ask(fresh, change_in_logto)

    check = run("provision", "--check")
    assert check.exit_code == 1
    assert "differs  organization role       editor  (+members:read)" in check.stdout
    assert tally(check) == (1, _DECLARED - 1)
    assert tally(run("provision")) == (1, _DECLARED - 1)
    assert run("provision", "--check").exit_code == 0
    roles = {role.id: role for role in ask(fresh, ManagementClient.list_organization_roles)}
    assert len(roles[auditor.id].scope_ids) == 1


def test_an_application_that_moved_gets_its_new_urls(first: FirstRun, fresh: Provider) -> None:
    stored = read_env_file(first.env_file)

    moved = run("provision", "--env-file", first.env_file, APP_URL="http://localhost:3999")

    assert tally(moved) == (2, _DECLARED - 2)  # the application, and a webhook that leads there
    application = ask(fresh, lambda client: client.find_application(stored["LOGTO_APP_ID"]))
    assert application is not None
    assert "http://localhost:3000/callback" in application.oidc_metadata["redirectUris"]
    assert "http://localhost:3999/callback" in application.oidc_metadata["redirectUris"]
    assert application.oidc_metadata["backchannelLogoutUri"] == "http://localhost:3999/backchannel-logout"
    assert tally(run("provision", "--env-file", first.env_file)) == (1, _DECLARED - 1)  # and back again


WEBHOOK = "http://localhost:3000/webhooks/logto"


@pytest.fixture
def without_webhook(first: FirstRun, fresh: Provider) -> Iterator[None]:
    """The provider without the application's webhook, which is created again afterwards."""

    async def remove(client: ManagementClient) -> None:
        for hook in await client.list_hooks():
            if hook.url == WEBHOOK:
                await client._transport.call("DELETE", f"/hooks/{hook.id}")

    ask(fresh, remove)
    yield
    run("provision", "--write-env", first.env_file)


@pytest.mark.usefixtures("without_webhook")
def test_a_webhook_that_was_removed_is_reported_by_doctor(first: FirstRun) -> None:
    assert run("migrate").exit_code == 0

    told = run("doctor", "--env-file", first.env_file)

    assert told.exit_code == 1
    assert "FAILED  webhook" in told.output


@pytest.mark.usefixtures("without_webhook")
def test_a_webhook_that_was_removed_is_reported_by_check(first: FirstRun) -> None:
    assert "missing  webhook" in run("provision", "--check", "--env-file", first.env_file).output


@pytest.mark.usefixtures("without_webhook")
def test_a_webhook_that_was_removed_is_created_again_with_a_new_key(first: FirstRun, fresh: Provider) -> None:
    before = read_env_file(first.env_file)["LOGTO_WEBHOOK_SIGNING_KEY"]

    assert tally(run("provision", "--write-env", first.env_file)) == (1, _DECLARED - 1)

    (hook,) = [found for found in ask(fresh, ManagementClient.list_hooks) if found.url == WEBHOOK]
    stored = read_env_file(first.env_file)["LOGTO_WEBHOOK_SIGNING_KEY"]
    assert stored == hook.signing_key != before


def test_a_disabled_webhook_is_enabled_and_keeps_its_headers(first: FirstRun, fresh: Provider) -> None:
    async def change_in_logto(client: ManagementClient) -> str:
        (hook,) = [found for found in await client.list_hooks() if ":3000/" in found.url]
        config = {"url": hook.url, "headers": {"x-theirs": "1"}}
        body = {"enabled": False, "events": ["User.Deleted", "PostSignIn"], "config": config}
        await client._transport.call("PATCH", f"/hooks/{hook.id}", body=body)
        return hook.id

    hook_id = ask(fresh, change_in_logto)

    assert tally(run("provision", "--env-file", first.env_file)) == (1, _DECLARED - 1)

    (hook,) = [found for found in ask(fresh, ManagementClient.list_hooks) if found.id == hook_id]
    assert hook.is_enabled
    assert hook.events >= {"PostSignIn", "Organization.Membership.Updated", "User.Deleted"}
    assert hook.config["headers"] == {"x-theirs": "1"}
    assert run("provision", "--check", "--env-file", first.env_file).exit_code == 0


def test_reconcile_repairs_and_reports_and_then_has_nothing_to_do(first: FirstRun, fresh: Provider) -> None:
    assert run("migrate").exit_code == 0

    async def make(client: ManagementClient) -> str:
        return (await client.create_organization("Nobody told us")).id

    organization_id = ask(fresh, make)

    result = run("reconcile", "--env-file", first.env_file)
    assert result.exit_code == 0, result.output
    assert f"{organization_id} renamed to 'Nobody told us'" in result.output
    again = run("reconcile", "--env-file", first.env_file, "--organization", organization_id)
    assert (again.exit_code, again.output) == (0, "Nothing to repair.\n")


def test_reconcile_writes_its_result_for_prometheus(first: FirstRun, tmp_path: Path) -> None:
    assert run("migrate").exit_code == 0
    run("reconcile", "--env-file", first.env_file)
    file = tmp_path / "reconcile.prom"

    result = run("reconcile", "--env-file", first.env_file, "--metrics-file", file)

    assert result.exit_code == 0, result.output
    written = Scrape.of(file.read_text(encoding="utf-8"))
    assert written.value("workroom_reconcile_failed") == 0
    assert written.value("workroom_reconcile_repaired") == 0
    assert time.time() - written.value("workroom_reconcile_last_run_timestamp_seconds") < 60


def test_reconcile_rejects_an_unknown_organization(first: FirstRun) -> None:
    unknown = run("reconcile", "--env-file", first.env_file, "--organization", "doesnotexist")
    assert unknown.exit_code == 1
    assert "doesnotexist" in unknown.output


def test_reconcile_rejects_a_logto_without_the_application(first: FirstRun) -> None:
    elsewhere = run("reconcile", "--env-file", first.env_file, LOGTO_APP_ID="another")
    assert elsewhere.exit_code == 1
    assert "does not have the application" in elsewhere.output


def test_a_wrong_secret_is_reported_in_one_line(first: FirstRun) -> None:
    result = run("provision", LOGTO_MANAGEMENT_APP_SECRET="wrong")

    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert "LOGTO_MANAGEMENT_APP_SECRET" in line


@pytest.fixture(scope="module")
def seeded(first: FirstRun) -> None:
    """The demo people and organizations, on the provider of this module."""
    assert run("seed-demo").exit_code == 0


def written(result: Result) -> list[str]:
    """Return the lines about what a command wrote."""
    return [line for line in result.stdout.splitlines() if line.startswith("written")]


@pytest.mark.usefixtures("seeded")
def test_seeding_again_writes_nothing() -> None:
    assert "written" not in run("seed-demo").stdout


@pytest.mark.usefixtures("seeded")
def test_seeding_again_restores_only_what_was_changed(fresh: Provider) -> None:
    async def promote_carol(client: ManagementClient) -> tuple[str, str]:
        (acme,) = [found for found in await client.list_organizations() if found.name == "Acme Robotics"]
        carol = await client.find_user_by_username("carol")
        assert carol is not None
        await client.replace_roles(acme.id, carol.id, ["admin"])
        return acme.id, carol.id

    acme_id, carol_id = ask(fresh, promote_carol)

    assert written(run("seed-demo")) == ["written  membership    carol as viewer of Acme Robotics"]

    members = {member.user.id: member for member in ask(fresh, lambda c: c.list_members(acme_id))}
    assert members[carol_id].role_names == {"viewer"}


@pytest.mark.usefixtures("seeded")
def test_people_of_an_earlier_demo_get_their_phone_numbers(fresh: Provider) -> None:
    async def remove_the_number_of_dave(client: ManagementClient) -> None:
        dave = await client.find_user_by_username("dave")
        assert dave is not None
        await client._body("PATCH", f"/users/{dave.id}", {"primaryPhone": None})

    ask(fresh, remove_the_number_of_dave)

    assert written(run("seed-demo")) == ["written  person        dave <dave@workroom.example>"]

    dave = ask(fresh, lambda client: client.find_user_by_username("dave"))
    assert dave is not None
    assert dave.phone == "12025550104"


def stored(statement: sa.Select[*tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """Return different rows of the database that the commands use."""

    async def read() -> set[tuple[Any, ...]]:
        engine = create_async_engine(os.environ["DATABASE_URL"])
        async with engine.connect() as connection:
            rows = {tuple(row) for row in await connection.execute(statement)}
        await engine.dispose()
        return rows

    return asyncio.run(read())


@pytest.mark.usefixtures("seeded")
def test_tasks_are_assigned_to_members_who_may_work_on_them_and_some_to_nobody() -> None:
    assigned = stored(
        sa.select(Organization.name, User.username)
        .select_from(Task)
        .join(Organization, Organization.id == Task.organization_id)
        .outerjoin(User, User.id == Task.assignee_id)
    )

    for organization in ORGANIZATIONS:
        assignees = {username for name, username in assigned if name == organization.name}
        assert assignees == {None, *(person.username for person in workers_of(organization))}


@pytest.mark.usefixtures("seeded")
def test_dave_is_a_former_member_of_acme_as_its_audit_log_says() -> None:
    former = sa.select(FormerMembership.organization_name, User.username).join(
        User, User.id == FormerMembership.user_id
    )

    assert stored(former) == {("Acme Robotics", "dave")}


@pytest.mark.usefixtures("seeded")
def test_people_of_the_demo_have_their_pictures_in_logto_and_here(fresh: Provider) -> None:
    async def remove_the_picture_of_carol(client: ManagementClient) -> None:
        carol = await client.find_user_by_username("carol")
        assert carol is not None
        await client._body("PATCH", f"/users/{carol.id}", {"avatar": None})

    ask(fresh, remove_the_picture_of_carol)  # as in a demo of an earlier version

    assert written(run("seed-demo")) == ["written  person        carol <carol@workroom.example>"]

    assert stored(sa.select(User.username, User.picture)) == {
        (person.username, person.picture) for person in PEOPLE
    }
    assert {person.username for person in PEOPLE if shown_picture(person.picture)} == {
        "alice", "carol", "dave"
    }  # fmt: skip


@pytest.mark.usefixtures("seeded")
def test_the_demo_people_have_the_memberships_of_the_table(fresh: Provider) -> None:
    names = {organization.key: organization.name for organization in ORGANIZATIONS}

    for person in PEOPLE:
        user = ask(fresh, lambda client, person=person: client.find_user_by_email(person.email))  # type: ignore[misc]
        assert user is not None
        memberships = ask(fresh, lambda client, user=user: client.list_user_organizations(user.id))  # type: ignore[misc]
        assert {m.organization_name: m.role_names for m in memberships} == {
            names[key]: {role.value} for key, role in person.roles.items()
        }


@pytest.mark.usefixtures("seeded")
def test_erin_has_one_pending_invitation_however_often_the_demo_is_seeded(fresh: Provider) -> None:
    assert run("seed-demo").exit_code == 0

    async def invitations(client: ManagementClient) -> list[Invitation]:
        (acme,) = [found for found in await client.list_organizations() if found.name == "Acme Robotics"]
        return await client.list_invitations(acme.id)

    (invitation,) = ask(fresh, invitations)
    assert (invitation.invitee, invitation.status) == ("erin@workroom.example", "Pending")
    assert invitation.role_names == {"editor"}


@pytest.mark.usefixtures("seeded")
def test_the_demos_api_clients_get_tokens_by_name() -> None:
    for organization in ORGANIZATIONS:
        token = run("token", "--client", organization.machine)
        assert token.exit_code == 0, token.output
        claims = decode_unverified(token.stdout.strip())
        assert set(claims["scope"].split()) == set(scopes_of(Role.INTEGRATION))

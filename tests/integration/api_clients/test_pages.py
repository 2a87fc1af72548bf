"""Creating and listing API clients, with real tokens of a real provider."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from saas_app.api_clients import changes
from saas_app.api_clients.values import NewSecret
from saas_app.models import ActorType, ApiClient, MembershipChange
from saas_app.organizations.removal import remove_pending
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import text_of
from tests.integration.api_clients.conftest import Acme, Programs, new_form, shown
from tests.integration.records import events_of, pending_in
from tests.removals import order_removal
from tests.tokens import scopes_of


async def test_a_new_client_can_use_the_api_at_once_within_its_role(acme: Acme, programs: Programs) -> None:
    robot = await programs.connect(await acme.create("Nightly export"), acme.id)

    project = await robot.json("POST", "/projects", 201, json={"name": "By a robot"})

    await robot.call("DELETE", f"/projects/{project['id']}", 403)
    assert project["created_by"] == "Nightly export"
    page = await text_of(await acme.browser.follow(f"{acme.root}/projects/{project['id']}"))
    assert "<dd>Nightly export</dd>" in page


async def test_what_a_client_does_is_recorded_under_its_name(
    acme: Acme, programs: Programs, runtime: Runtime
) -> None:
    machine = await acme.create("Nightly export")
    robot = await programs.connect(machine, acme.id)
    project = await robot.json("POST", "/projects", 201, json={"name": "By a robot"})
    await robot.call("DELETE", f"/projects/{project['id']}", 403)

    by_action = {event.action: event for event in await events_of(runtime, acme.id)}

    made = by_action["api-client.create"]
    assert (made.actor_id, made.target_id, made.target_name) == (acme.admin.id, machine.id, "Nightly export")
    for action in ("project.create", "access.deny"):
        event = by_action[action]
        assert (event.actor_type, event.actor_id) == (ActorType.MACHINE, machine.id)
        assert event.actor_name == "Nightly export"
    assert await pending_in(runtime, acme.id) == []


async def test_the_first_token_of_a_new_client_is_not_stale(acme: Acme, runtime: Runtime) -> None:
    machine = await acme.create()
    async with runtime.jobs.writing() as db:
        assert await db.get(MembershipChange, (acme.id, machine.id)) is None


async def test_a_client_that_asks_who_it_is_gets_its_name(acme: Acme, programs: Programs) -> None:
    robot = await programs.connect(await acme.create("Billing"), acme.id)
    headers = {"Authorization": f"Bearer {robot.token}"}
    me = await (await robot.app.test_client().get("/api/v1/me", headers=headers)).get_json()
    assert (me["type"], me["name"]) == ("machine", "Billing")


async def test_a_secret_is_shown_on_a_page_that_is_not_cached_and_in_no_header(acme: Acme) -> None:
    answer = await acme.send("/new", new_form("Once"))

    machine = await shown(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Location" not in answer.headers
    assert not [name for name, value in answer.headers.items() if machine.secret in value]
    assert (await text_of(answer)).count(machine.secret) == 2  # alone, and in the command


async def test_a_secret_is_neither_listed_nor_stored_nor_logged(
    acme: Acme, runtime: Runtime, capfd: pytest.CaptureFixture[str]
) -> None:
    machine = await acme.create()

    listed = await acme.browser.text(acme.clients)
    assert machine.id in listed
    assert machine.secret not in listed
    async with runtime.work.writing(acme.id) as db:
        (client,) = await db.scalars(sa.select(ApiClient))
    stored = [str(vars(client))]
    stored += [str(vars(event)) for event in await events_of(runtime, acme.id)]
    assert machine.secret not in "".join(stored)
    logged = capfd.readouterr()
    assert machine.secret not in logged.out + logged.err


async def test_the_page_of_a_new_client_shows_a_command_that_is_ready_to_run(
    acme: Acme, programs: Programs
) -> None:
    answer = await acme.send("/new", new_form("Ready"))
    page, machine = await text_of(answer), await shown(answer)
    settings = programs.settings
    for part in (
        f"-u {machine.id}:{machine.secret}",
        "grant_type=client_credentials",
        f"resource={settings.api_resource}",
        f"organization_id={acme.id}",
        f"'scope={' '.join(scopes_of(Role.INTEGRATION))}'",
        f"{settings.logto_endpoint}/oidc/token",
        f"{settings.app_url}/api/v1/organizations/{acme.id}/projects",
    ):
        assert part in page


@pytest.mark.parametrize(
    ("typed", "told"),
    [("", "Enter a name."), (" \t ", "Enter a name."), ("x" * 81, "Use at most 80 characters.")],
)
async def test_a_name_is_required_and_limited(acme: Acme, typed: str, told: str) -> None:
    page = await acme.browser.submit(f"{acme.clients}/new", new_form(typed), expect=422)
    assert told in page
    assert 'aria-invalid="true"' in page


async def test_a_name_is_cleaned(acme: Acme) -> None:
    await acme.create("  Nightly\x00 export\n")
    assert '<span class="name">Nightly export</span>' in await acme.browser.text(acme.clients)


async def test_a_name_is_taken_in_any_case(acme: Acme) -> None:
    await acme.create("Nightly export")

    page = await acme.browser.submit(f"{acme.clients}/new", new_form("nightly EXPORT"), 409)

    assert "already has an API client with this name" in page
    assert 'value="nightly EXPORT"' in page
    listed = await acme.management.list_machines_page(acme.id, page=1, page_size=100)
    assert listed.total == 1


async def test_the_number_of_clients_in_an_organization_is_limited(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    await acme.create("First")
    monkeypatch.setattr(changes, "MAX_CLIENTS", 1)
    answer = await acme.browser.post(f"{acme.clients}/new", new_form("Second"), expect=409)
    page = await text_of(answer)
    assert "The limit is 1" in page
    assert 'value="Second"' in page


async def test_of_two_requests_that_create_a_client_with_one_name_one_succeeds(acme: Acme) -> None:
    requests = (acme.browser.post(f"{acme.clients}/new", new_form("Twice"), None) for _ in range(2))
    answers = await asyncio.gather(*requests)
    assert sorted(answer.status_code for answer in answers) == [303, 409]


async def test_the_list_shows_who_created_a_client_and_when_it_was_rotated(acme: Acme) -> None:
    machine = await acme.create()
    await acme.management.create_secret(machine.id, "second")
    page = await acme.browser.text(acme.clients)
    assert "by Ada" in page
    assert "2 secrets" in page
    assert "Never rotated" in page


@pytest.mark.parametrize("client_id", ["unknown", "a b", "x" * 65, "%2e%2e"])
async def test_a_client_that_does_not_exist_is_not_found(acme: Acme, client_id: str) -> None:
    for what in ("rotate", "revoke"):
        await acme.browser.get(f"{acme.clients}/{client_id}/{what}", 404)
        await acme.browser.post(f"{acme.clients}/{client_id}/{what}", expect=404)


async def test_an_application_of_another_kind_is_not_found(acme: Acme, programs: Programs) -> None:
    own = programs.settings.logto_app_id
    await acme.browser.post(f"{acme.clients}/{own}/revoke", expect=404)
    assert await acme.management.find_application(own) is not None


async def test_clients_are_deleted_with_their_organization(acme: Acme, runtime: Runtime) -> None:
    await acme.create()
    await order_removal(runtime.jobs, acme.id, "Acme", acme.admin.id)
    await remove_pending(runtime.jobs, runtime.management)
    async with runtime.work.reading(acme.id) as db:
        assert await db.scalar(sa.select(sa.func.count(ApiClient.id))) == 0


async def test_without_clients_the_list_says_so(acme: Acme) -> None:
    assert "No API clients yet" in await acme.browser.text(acme.clients)
    assert "No API clients yet" in await acme.browser.text(f"{acme.clients}?page=7")


async def test_a_page_behind_the_end_links_to_the_first(acme: Acme) -> None:
    await acme.create()
    page = await acme.browser.text(f"{acme.clients}?page=7")
    assert "Page 7 is empty" in page
    assert f'href="{acme.clients}">First page' in page


def test_the_repr_of_a_new_secret_does_not_contain_it() -> None:
    made = NewSecret("id", "Name", "s3cret")
    assert "s3cret" not in repr(made)

"""Creating, rotating and revoking API clients, with real tokens of a real provider."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from saas_app.api_clients import changes
from saas_app.changes.organization_change import Systems
from saas_app.identity.membership_changes import note_change
from saas_app.identity.standing import AccessChanged
from saas_app.models import ActorType, ApiClient, MembershipChange
from saas_app.organizations.removal import remove_pending
from saas_app.rbac.permissions import Carrier, Permission, Role
from saas_app.runtime import Runtime
from tests.clients import Browser, text_of
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory
from tests.integration.api_clients.conftest import Acme, Programs, shown
from tests.integration.records import actions_of, events_of, pending_in
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
    answer = await acme.send("/new", {"name": "Once"})

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
    answer = await acme.send("/new", {"name": "Ready"})
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


async def test_rotating_asks_for_confirmation(acme: Acme) -> None:
    machine = await acme.create()
    page = await acme.browser.text(f"{acme.clients}/{machine.id}/rotate")
    assert "The old secret is deleted immediately" in page


async def test_rotating_shows_a_new_secret_and_is_recorded(acme: Acme, runtime: Runtime) -> None:
    machine = await acme.create()

    answer = await acme.send(f"/{machine.id}/rotate")

    assert answer.headers["Cache-Control"] == "no-store"
    rotated = await shown(answer)
    assert rotated.id == machine.id
    assert rotated.secret != machine.secret
    assert "never" not in await acme.browser.text(acme.clients)
    assert await actions_of(runtime, acme.id) == ["api-client.create", "api-client.rotate"]


async def test_after_a_rotation_only_the_new_secret_gets_tokens(acme: Acme, programs: Programs) -> None:
    machine = await acme.create()
    at_work = await programs.connect(machine, acme.id)

    rotated = await shown(await acme.send(f"/{machine.id}/rotate"))

    status, refusal = await programs.ask(machine, acme.id)
    assert (status, refusal["error"]) == (401, "invalid_client")
    await (await programs.connect(rotated, acme.id)).call("GET", "/projects")
    await at_work.call("GET", "/projects")  # its token stays valid, as the page says
    assert [secret.value for secret in await acme.management.list_secrets(machine.id)] == [rotated.secret]


async def test_revoking_asks_for_confirmation(acme: Acme) -> None:
    machine = await acme.create("Robot")
    assert "Revoke Robot?" in await acme.browser.text(f"{acme.clients}/{machine.id}/revoke")


async def test_a_revoked_client_is_refused_at_its_next_request(acme: Acme, programs: Programs) -> None:
    machine = await acme.create()
    robot = await programs.connect(machine, acme.id)
    await robot.call("GET", "/projects")

    await acme.browser.post(f"{acme.clients}/{machine.id}/revoke")

    assert (await robot.json("GET", "/projects", 401))["code"] == "invalid-token"
    status, refusal = await programs.ask(machine, acme.id)
    assert (status, refusal["error"]) == (400, "invalid_client")
    assert await acme.management.find_application(machine.id) is None


async def test_a_revoked_client_is_no_longer_listed_and_the_revocation_is_recorded(
    acme: Acme, runtime: Runtime
) -> None:
    machine = await acme.create("Robot")
    path = f"{acme.clients}/{machine.id}/revoke"

    await acme.browser.post(path)

    listed = await acme.browser.text(acme.clients)
    assert "Robot was revoked." in listed
    assert machine.id not in listed
    assert (await actions_of(runtime, acme.id))[-1] == "api-client.revoke"
    await acme.browser.post(path, expect=404)


async def test_what_a_revoked_client_created_keeps_its_name(acme: Acme, programs: Programs) -> None:
    machine = await acme.create("Long gone")
    project = await (await programs.connect(machine, acme.id)).json(
        "POST", "/projects", 201, json={"name": "Kept"}
    )
    await acme.browser.post(f"{acme.clients}/{machine.id}/revoke")
    page = await acme.browser.follow(f"{acme.root}/projects/{project['id']}")
    assert "<dd>Long gone</dd>" in await text_of(page)


async def test_a_client_gets_no_token_for_another_organization(
    acme: Acme, make: Factory, programs: Programs
) -> None:
    globex, machine = await make.organization("Globex"), await acme.create()

    status, refusal = await programs.ask(machine, globex)

    assert (status, refusal["error"]) == (403, "access_denied")
    elsewhere = (await programs.connect(machine, acme.id)).at(globex)
    assert (await elsewhere.json("GET", "/projects", 404))["code"] == "not-found"


async def test_an_admin_of_another_organization_can_neither_see_nor_change_a_client(
    acme: Acme, open_office: OpenOffice, programs: Programs
) -> None:
    machine = await acme.create()
    globex = Acme(**vars(await open_office("Globex", admin="Gail")))

    assert machine.id not in await globex.browser.text(globex.clients)
    for action in ("rotate", "revoke"):
        path = f"{globex.clients}/{machine.id}/{action}"
        assert "API client not found" in await globex.browser.text(path, 404)
        await globex.browser.post(path, expect=404)

    robot = await programs.connect(machine, acme.id)
    await robot.call("GET", "/projects")


async def test_a_client_added_in_logto_cannot_be_rotated_here(acme: Acme, make: Factory) -> None:
    machine = await make.machine(acme.id)
    listed = await acme.browser.text(acme.clients)
    assert "Added in Logto" in listed
    assert f"{machine.id}/rotate" not in listed

    path = f"{acme.clients}/{machine.id}/rotate"
    assert "The secret cannot be rotated here" in await acme.browser.text(path, 409)
    assert machine.secret not in await acme.browser.submit(path, expect=409)

    assert [secret.value for secret in await make.management.list_secrets(machine.id)] == [machine.secret]


async def test_revoking_a_client_added_in_logto_only_removes_it_from_the_organization(
    acme: Acme, make: Factory, programs: Programs, runtime: Runtime
) -> None:
    machine = await make.machine(acme.id)
    robot = await programs.connect(machine, acme.id)
    path = f"{acme.clients}/{machine.id}/revoke"
    assert "It stays in Logto Console" in await acme.browser.text(path)

    await acme.browser.post(path)

    assert (await robot.json("GET", "/projects", 401))["code"] == "invalid-token"
    assert await make.management.find_application(machine.id) is not None
    assert (await programs.ask(machine, acme.id))[0] == 403
    assert await actions_of(runtime, acme.id) == ["api-client.remove"]


async def test_a_client_of_several_organizations_is_neither_rotated_nor_deleted(
    acme: Acme, make: Factory, programs: Programs
) -> None:
    machine = await acme.create("Lent by the operator")
    globex = await make.organization("Globex")
    await make.management.add_machine(globex, machine.id)
    path = f"{acme.clients}/{machine.id}"
    refused = await acme.browser.submit(f"{path}/rotate", expect=409)
    assert "also belongs to other organizations" in refused
    assert "where it keeps working" in await acme.browser.text(f"{path}/revoke")

    await acme.browser.post(f"{path}/revoke")

    assert (await programs.ask(machine, acme.id))[0] == 403
    assert (await programs.ask(machine, globex))[0] == 200


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
async def test_members_without_the_permission_can_neither_see_nor_change_clients(
    acme: Acme, make: Factory, open_browser: OpenBrowser, role: Role
) -> None:
    person = await make.member(acme.id, "Sam", role)
    machine = await acme.create()
    browser = await open_browser(person)
    assert acme.clients not in await browser.text(f"{acme.root}/")
    for path in ("", "/new", f"/{machine.id}/rotate", f"/{machine.id}/revoke"):
        await browser.get(acme.clients + path, 403)
    for path in ("/new", f"/{machine.id}/rotate", f"/{machine.id}/revoke"):
        await browser.post(acme.clients + path, {"name": "Mine"}, expect=403)
    assert acme.clients in await acme.browser.text(f"{acme.root}/")
    assert len(await acme.management.list_secrets(machine.id)) == 1


async def test_an_admin_demoted_while_the_form_was_on_its_way_changes_nothing(
    acme: Acme, runtime: Runtime
) -> None:
    machine = await acme.create()
    caller = await runtime.browser_sessions.prove(acme.browser.session_cookie, acme.id)
    tenant = await caller.get_tenant(acme.id, tuple(Carrier))
    await note_change(runtime.work, acme.id, acme.admin.id)
    change = Systems(runtime.work, acme.management, runtime.change_limits).by(tenant)
    for attempt in (
        changes.create(change, "Too late"),
        changes.rotate(change, machine.id),
        changes.revoke(change, machine.id),
    ):
        with pytest.raises(AccessChanged):
            await attempt
    assert await actions_of(runtime, acme.id) == ["api-client.create"]


@pytest.fixture
async def key_manager(acme: Acme, make: Factory, open_browser: OpenBrowser) -> Browser:
    """The browser of a member whose role, made in Logto, only lets them manage API clients."""
    role = await make.role(f"keys {acme.id}", Permission.API_CLIENTS_MANAGE)
    return await open_browser(await make.member(acme.id, "Sam", role))


async def test_nobody_creates_or_rotates_a_client_whose_permissions_they_lack(
    acme: Acme, key_manager: Browser
) -> None:
    machine = await acme.create()

    refused = await key_manager.submit(f"{acme.clients}/new", {"name": "Mine"}, 403)
    await key_manager.post(f"{acme.clients}/{machine.id}/rotate", expect=403)

    assert "The role integration includes projects:read, which you do not have." in refused
    assert len(await acme.management.list_secrets(machine.id)) == 1


async def test_a_client_whose_permissions_one_lacks_can_be_revoked(acme: Acme, key_manager: Browser) -> None:
    machine = await acme.create()
    await key_manager.get(acme.clients)
    await key_manager.post(f"{acme.clients}/{machine.id}/revoke")


@pytest.mark.parametrize(
    ("typed", "told"),
    [("", "Enter a name."), (" \t ", "Enter a name."), ("x" * 81, "Use at most 80 characters.")],
)
async def test_a_name_is_required_and_limited(acme: Acme, typed: str, told: str) -> None:
    page = await acme.browser.submit(f"{acme.clients}/new", {"name": typed}, expect=422)
    assert told in page
    assert 'aria-invalid="true"' in page


async def test_a_name_is_cleaned(acme: Acme) -> None:
    await acme.create("  Nightly\x00 export\n")
    assert '<span class="name">Nightly export</span>' in await acme.browser.text(acme.clients)


async def test_a_name_is_taken_in_any_case(acme: Acme) -> None:
    await acme.create("Nightly export")

    page = await acme.browser.submit(f"{acme.clients}/new", {"name": "nightly EXPORT"}, 409)

    assert "already has an API client with this name" in page
    assert 'value="nightly EXPORT"' in page
    listed = await acme.management.list_machines_page(acme.id, page=1, page_size=100)
    assert listed.total == 1


async def test_the_number_of_clients_in_an_organization_is_limited(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    await acme.create("First")
    monkeypatch.setattr(changes, "MAX_CLIENTS", 1)
    answer = await acme.browser.post(f"{acme.clients}/new", {"name": "Second"}, expect=409)
    page = await text_of(answer)
    assert "The limit is 1" in page
    assert 'value="Second"' in page


async def test_of_two_requests_that_create_a_client_with_one_name_one_succeeds(acme: Acme) -> None:
    requests = (acme.browser.post(f"{acme.clients}/new", {"name": "Twice"}, None) for _ in range(2))
    answers = await asyncio.gather(*requests)
    assert sorted(answer.status_code for answer in answers) == [303, 409]


async def test_the_list_shows_who_created_a_client_and_when_it_was_rotated(acme: Acme) -> None:
    machine = await acme.create()
    await acme.management.create_secret(machine.id, "second")
    page = await acme.browser.text(acme.clients)
    assert "by Ada" in page
    assert '<span class="fact-label">Secrets</span> 2' in page
    assert '<span class="muted">Never</span>' in page


async def test_a_rotation_deletes_every_old_secret_whatever_its_name(acme: Acme) -> None:
    machine = await acme.create()
    for name in ("?x#y", "50 %", "é", "..%2f..", "plus+plus"):
        await acme.management.create_secret(machine.id, name)
    answer = await acme.send(f"/{machine.id}/rotate")
    rotated = await shown(answer)
    assert [secret.value for secret in await acme.management.list_secrets(machine.id)] == [rotated.secret]
    assert "still work" not in await text_of(answer)


async def test_a_secret_that_no_url_can_name_is_reported_and_nothing_else_is_deleted(acme: Acme) -> None:
    machine = await acme.create()
    for name in (".", ".."):
        await acme.management.create_secret(machine.id, name)
    answer = await acme.send(f"/{machine.id}/rotate")
    assert "2 old secrets still work." in await text_of(answer)
    assert await acme.management.find_application(machine.id) is not None
    assert len(await acme.management.list_secrets(machine.id)) == 3


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
    await remove_pending(runtime.jobs)
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
    made = changes.NewSecret("id", "Name", "s3cret")
    assert "s3cret" not in repr(made)

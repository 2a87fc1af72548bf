"""Making, rotating and revoking machine clients, with real tokens at a real provider."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from quart.wrappers import Response

from saas_app.api_clients import changes
from saas_app.changes.organization_change import Systems
from saas_app.identity.membership_changes import note_change
from saas_app.identity.standing import AccessChanged
from saas_app.models import ActorType, ApiClient, MembershipChange
from saas_app.organizations.removal import remove_pending
from saas_app.rbac.permissions import Carrier, Permission, Role
from saas_app.runtime import Runtime
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.api_clients.conftest import Acme, Programs, create, root_of, send, shown
from tests.integration.invitations.conftest import actions_of
from tests.integration.members.conftest import events_of, join_as, pending_in, text_of
from tests.removals import order_removal
from tests.tokens import scopes_of


async def page_of(acme: Acme) -> str:
    return await text_of(await acme.browser.get(root_of(acme.id)))


async def test_a_client_works_at_once_and_under_its_own_name(
    acme: Acme, programs: Programs, runtime: Runtime
) -> None:
    machine = await create(acme.browser, acme.id, "Nightly export")
    robot = await programs.connect(machine, acme.id)
    project = await robot.json("POST", "/projects", 201, json={"name": "By a robot"})
    assert project["created_by"] == "Nightly export"
    await robot.call("DELETE", f"/projects/{project['id']}", 403)

    shown_page = await acme.browser.follow(f"/o/{acme.id}/projects/{project['id']}")
    assert "<dd>Nightly export</dd>" in await text_of(shown_page)
    by_actor = {event.action: event for event in await events_of(runtime, acme.id)}
    made = by_actor["api-client.create"]
    assert (made.actor_id, made.target_id, made.target_name) == (acme.admin.id, machine.id, "Nightly export")
    for action in ("project.create", "access.deny"):
        event = by_actor[action]
        assert (event.actor_type, event.actor_id) == (ActorType.MACHINE, machine.id)
        assert event.actor_name == "Nightly export"
    assert await pending_in(runtime, acme.id) == []


async def test_nothing_makes_the_first_token_of_a_new_client_stale(acme: Acme, runtime: Runtime) -> None:
    machine = await create(acme.browser, acme.id)
    async with runtime.work.reading() as db:
        assert await db.get(MembershipChange, (acme.id, machine.id)) is None


async def test_a_client_is_called_by_its_name_wherever_it_says_who_it_is(
    acme: Acme, programs: Programs
) -> None:
    robot = await programs.connect(await create(acme.browser, acme.id, "Billing"), acme.id)
    headers = {"Authorization": f"Bearer {robot.token}"}
    me = await (await robot.app.test_client().get("/api/v1/me", headers=headers)).get_json()
    assert (me["type"], me["name"]) == ("machine", "Billing")


async def test_the_secret_is_shown_once_and_kept_nowhere(
    acme: Acme, runtime: Runtime, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = await send(acme.browser, f"{root_of(acme.id)}/new", {"name": "Once"})
    machine = await shown(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Location" not in answer.headers
    assert not [name for name, value in answer.headers.items() if machine.secret in value]
    assert (await text_of(answer)).count(machine.secret) == 2  # alone, and in the command

    listed = await page_of(acme)
    assert machine.id in listed
    assert machine.secret not in listed
    async with runtime.work.reading(acme.id) as db:
        rows = (await db.execute(sa.select(ApiClient.__table__.c).select_from(ApiClient))).all()
        assert len(rows) == 1
    kept = [str(row) for row in rows]
    kept += [str(vars(event)) for event in await events_of(runtime, acme.id)]
    assert machine.secret not in "".join(kept)
    told = capfd.readouterr()
    assert machine.secret not in told.out + told.err


async def test_the_page_has_commands_ready_to_run(acme: Acme, programs: Programs) -> None:
    answer = await send(acme.browser, f"{root_of(acme.id)}/new", {"name": "Ready"})
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


async def test_after_a_rotation_only_the_new_secret_gets_tokens(
    acme: Acme, programs: Programs, runtime: Runtime
) -> None:
    machine = await create(acme.browser, acme.id)
    at_work = await programs.connect(machine, acme.id)
    path = f"{root_of(acme.id)}/{machine.id}/rotate"
    assert "The old secret is deleted immediately" in await text_of(await acme.browser.get(path))
    answer = await send(acme.browser, path)
    assert answer.headers["Cache-Control"] == "no-store"
    rotated = await shown(answer)
    assert rotated.id == machine.id
    assert rotated.secret != machine.secret

    status, refusal = await programs.ask(machine, acme.id)
    assert (status, refusal["error"]) == (401, "invalid_client")
    await (await programs.connect(rotated, acme.id)).call("GET", "/projects")
    await at_work.call("GET", "/projects")  # its token goes on, as the page says
    assert [secret.value for secret in await acme.management.list_secrets(machine.id)] == [rotated.secret]
    assert "never" not in await page_of(acme)
    assert await actions_of(runtime, acme.id) == ["api-client.create", "api-client.rotate"]


async def test_a_revoked_client_is_refused_at_its_next_request(
    acme: Acme, programs: Programs, runtime: Runtime
) -> None:
    machine = await create(acme.browser, acme.id, "Robot")
    robot = await programs.connect(machine, acme.id)
    await robot.call("GET", "/projects")
    path = f"{root_of(acme.id)}/{machine.id}/revoke"
    assert "Revoke Robot?" in await text_of(await acme.browser.get(path))
    await acme.browser.post(path)

    assert (await robot.json("GET", "/projects", 401))["code"] == "invalid-token"
    status, refusal = await programs.ask(machine, acme.id)
    assert (status, refusal["error"]) == (400, "invalid_client")
    assert await acme.management.find_application(machine.id) is None
    listed = await page_of(acme)
    assert "Robot was revoked." in listed
    assert machine.id not in listed
    assert (await actions_of(runtime, acme.id))[-1] == "api-client.revoke"
    await acme.browser.post(path, expect=404)


async def test_what_a_revoked_client_made_keeps_its_name(acme: Acme, programs: Programs) -> None:
    machine = await create(acme.browser, acme.id, "Long gone")
    project = await (await programs.connect(machine, acme.id)).json(
        "POST", "/projects", 201, json={"name": "Kept"}
    )
    await acme.browser.post(f"{root_of(acme.id)}/{machine.id}/revoke")
    page = await acme.browser.follow(f"/o/{acme.id}/projects/{project['id']}")
    assert "<dd>Long gone</dd>" in await text_of(page)


async def test_a_client_of_one_organization_is_nothing_in_another(
    acme: Acme, make: Factory, open_browser: OpenBrowser, programs: Programs
) -> None:
    gail = await make.person("Gail")
    globex = await make.organization("Globex", admin=gail)
    machine = await create(acme.browser, acme.id)
    status, refusal = await programs.ask(machine, globex)
    assert (status, refusal["error"]) == (403, "access_denied")
    robot = await programs.connect(machine, acme.id)
    elsewhere = type(robot)(robot.app, globex, robot.token)
    assert (await elsewhere.json("GET", "/projects", 404))["code"] == "not-found"

    browser = await open_browser(gail)
    assert machine.id not in await text_of(await browser.get(root_of(globex)))
    for what in ("rotate", "revoke"):
        path = f"{root_of(globex)}/{machine.id}/{what}"
        assert "API client not found" in await text_of(await browser.get(path, 404))
        await browser.post(path, expect=404)
    await robot.call("GET", "/projects")
    assert (await programs.ask(machine, acme.id))[0] == 200


async def test_a_machine_added_in_logto_is_marked_and_only_removed(
    acme: Acme, make: Factory, programs: Programs, runtime: Runtime
) -> None:
    machine = await make.machine(acme.id)
    robot = await programs.connect(machine, acme.id)
    listed = await page_of(acme)
    assert "Added in Logto" in listed
    assert f"{machine.id}/rotate" not in listed
    path = f"{root_of(acme.id)}/{machine.id}"
    assert "The secret cannot be rotated here" in await text_of(await acme.browser.get(f"{path}/rotate", 409))
    refused = await acme.browser.post(f"{path}/rotate", expect=409)
    assert machine.secret not in await text_of(refused)
    assert [secret.value for secret in await make.management.list_secrets(machine.id)] == [machine.secret]

    assert "It stays in Logto Console" in await text_of(await acme.browser.get(f"{path}/revoke"))
    await acme.browser.post(f"{path}/revoke")
    assert (await robot.json("GET", "/projects", 401))["code"] == "invalid-token"
    assert await make.management.find_application(machine.id) is not None
    assert (await programs.ask(machine, acme.id))[0] == 403
    assert await actions_of(runtime, acme.id) == ["api-client.remove"]


async def test_a_client_that_others_use_too_is_taken_out_and_never_deleted(
    acme: Acme, make: Factory, programs: Programs
) -> None:
    machine = await create(acme.browser, acme.id, "Lent by the operator")
    globex = await make.organization("Globex")
    await make.management.add_machine(globex, machine.id)
    path = f"{root_of(acme.id)}/{machine.id}"
    assert "also belongs to other organizations" in await text_of(
        await acme.browser.post(f"{path}/rotate", expect=409)
    )
    assert "where it keeps working" in await text_of(await acme.browser.get(f"{path}/revoke"))
    await acme.browser.post(f"{path}/revoke")
    assert (await programs.ask(machine, acme.id))[0] == 403
    assert (await programs.ask(machine, globex))[0] == 200


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
async def test_other_roles_are_refused_and_offered_nothing(
    acme: Acme, make: Factory, open_browser: OpenBrowser, role: Role
) -> None:
    person = await make.person()
    await make.join(acme.id, person, role)
    machine = await create(acme.browser, acme.id)
    browser = await open_browser(person)
    assert root_of(acme.id) not in await text_of(await browser.get(f"/o/{acme.id}/"))
    for path in ("", "/new", f"/{machine.id}/rotate", f"/{machine.id}/revoke"):
        await browser.get(root_of(acme.id) + path, 403)
    for path in ("/new", f"/{machine.id}/rotate", f"/{machine.id}/revoke"):
        await browser.post(root_of(acme.id) + path, {"name": "Mine"}, expect=403)
    assert root_of(acme.id) in await text_of(await acme.browser.get(f"/o/{acme.id}/"))
    assert len(await acme.management.list_secrets(machine.id)) == 1


async def test_who_was_demoted_while_the_form_was_on_its_way_changes_nothing(
    acme: Acme, runtime: Runtime
) -> None:
    machine = await create(acme.browser, acme.id)
    cookie = next(kept.value for kept in acme.browser.app.cookie_jar if kept.name == "workroom_session")
    caller = await runtime.browser_sessions.prove(str(cookie), acme.id)
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


async def test_nobody_makes_a_program_that_reaches_further_than_they_do(
    acme: Acme, make: Factory, open_browser: OpenBrowser
) -> None:
    scopes = {scope.name: scope.id for scope in await make.management.list_organization_scopes()}
    role = await make.management.create_organization_role(f"keys {acme.id}", "Manages clients", "User")
    await make.management.replace_role_scopes(role.id, [scopes[Permission.API_CLIENTS_MANAGE.value]])
    person = await make.person()
    await join_as(make, acme.id, person, role.name)
    machine = await create(acme.browser, acme.id)
    browser = await open_browser(person)
    refused = await browser.post(f"{root_of(acme.id)}/new", {"name": "Mine"}, expect=403)
    assert "The role integration includes projects:read, which you do not have." in await text_of(refused)
    await browser.post(f"{root_of(acme.id)}/{machine.id}/rotate", expect=403)
    assert len(await acme.management.list_secrets(machine.id)) == 1
    await browser.post(f"{root_of(acme.id)}/{machine.id}/revoke")


@pytest.mark.parametrize(
    ("typed", "told"),
    [("", "Enter a name."), (" \t ", "Enter a name."), ("x" * 81, "Use at most 80 characters.")],
)
async def test_a_name_is_asked_for_and_bounded(acme: Acme, typed: str, told: str) -> None:
    page = await text_of(await acme.browser.post(f"{root_of(acme.id)}/new", {"name": typed}, expect=422))
    assert told in page
    assert 'aria-invalid="true"' in page


async def test_a_name_is_cleaned_and_taken_once(acme: Acme) -> None:
    await create(acme.browser, acme.id, "  Nightly\x00 export\n")
    assert '<span class="name">Nightly export</span>' in await page_of(acme)
    again = await acme.browser.post(f"{root_of(acme.id)}/new", {"name": "nightly EXPORT"}, expect=409)
    page = await text_of(again)
    assert "already has an API client with this name" in page
    assert 'value="nightly EXPORT"' in page
    listed = await acme.management.list_machines_page(acme.id, page=1, page_size=100)
    assert listed.total == 1


async def test_an_organization_has_only_so_many(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    await create(acme.browser, acme.id, "First")
    monkeypatch.setattr(changes, "MOST_CLIENTS", 1)
    answer = await acme.browser.post(f"{root_of(acme.id)}/new", {"name": "Second"}, expect=409)
    page = await text_of(answer)
    assert "The limit is 1" in page
    assert 'value="Second"' in page


async def test_two_who_make_a_client_of_one_name_at_once_make_one(acme: Acme) -> None:
    async def send() -> Response:
        headers = {"Sec-Fetch-Site": "same-origin"}
        answer = await acme.browser.app.post(
            f"{root_of(acme.id)}/new", form={"name": "Twice"}, headers=headers
        )
        assert isinstance(answer, Response)
        return answer

    answers = await asyncio.gather(send(), send())
    assert sorted(answer.status_code for answer in answers) == [303, 409]


async def test_who_made_a_client_and_when_is_listed(acme: Acme) -> None:
    machine = await create(acme.browser, acme.id)
    await acme.management.create_secret(machine.id, "second")
    page = await text_of(await acme.browser.get(root_of(acme.id)))
    assert "by Ada" in page
    assert '<span class="fact-label">Secrets</span> 2' in page
    assert '<span class="muted">Never</span>' in page


async def test_every_secret_but_the_new_one_is_deleted_whatever_it_is_called(acme: Acme) -> None:
    machine = await create(acme.browser, acme.id)
    for name in ("?x#y", "50 %", "é", "..%2f..", "plus+plus"):
        await acme.management.create_secret(machine.id, name)
    answer = await send(acme.browser, f"{root_of(acme.id)}/{machine.id}/rotate")
    rotated = await shown(answer)
    assert [secret.value for secret in await acme.management.list_secrets(machine.id)] == [rotated.secret]
    assert "still work" not in await text_of(answer)


async def test_a_secret_no_address_can_name_is_told_and_nothing_else_is_deleted(acme: Acme) -> None:
    machine = await create(acme.browser, acme.id)
    for name in (".", ".."):
        await acme.management.create_secret(machine.id, name)
    answer = await send(acme.browser, f"{root_of(acme.id)}/{machine.id}/rotate")
    assert "2 old secrets still work." in await text_of(answer)
    assert await acme.management.find_application(machine.id) is not None
    assert len(await acme.management.list_secrets(machine.id)) == 3


@pytest.mark.parametrize("client_id", ["unknown", "a b", "x" * 65, "%2e%2e"])
async def test_what_is_no_client_is_not_found(acme: Acme, client_id: str) -> None:
    for what in ("rotate", "revoke"):
        await acme.browser.get(f"{root_of(acme.id)}/{client_id}/{what}", 404)
        await acme.browser.post(f"{root_of(acme.id)}/{client_id}/{what}", expect=404)


async def test_an_application_of_another_kind_is_no_client(acme: Acme, programs: Programs) -> None:
    own = programs.settings.logto_app_id
    await acme.browser.post(f"{root_of(acme.id)}/{own}/revoke", expect=404)
    assert await acme.management.find_application(own) is not None


async def test_with_its_organization_what_is_known_of_a_client_goes(acme: Acme, runtime: Runtime) -> None:
    await create(acme.browser, acme.id)
    await order_removal(runtime.work, acme.id, "Acme", acme.admin.id)
    await remove_pending(runtime.work)
    async with runtime.work.reading(acme.id) as db:
        assert await db.scalar(sa.select(sa.func.count(ApiClient.id))) == 0


async def test_nothing_here_yet(acme: Acme) -> None:
    assert "No API clients yet" in await page_of(acme)
    assert "No API clients yet" in await text_of(await acme.browser.get(f"{root_of(acme.id)}?page=7"))


async def test_a_page_behind_the_end_leads_back(acme: Acme) -> None:
    await create(acme.browser, acme.id)
    page = await text_of(await acme.browser.get(f"{root_of(acme.id)}?page=7"))
    assert "Page 7 is empty" in page
    assert f'href="{root_of(acme.id)}">First page' in page


def test_a_secret_does_not_show_in_a_record() -> None:
    made = changes.NewSecret("id", "Name", "s3cret")
    assert "s3cret" not in repr(made)

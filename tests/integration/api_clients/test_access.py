"""Which members may see and change API clients. Clients that Workroom did not create stay as they are."""

from __future__ import annotations

import pytest

from saas_app.api_clients import changes
from saas_app.api_clients.values import WantedClient
from saas_app.changes.organization_change import Systems
from saas_app.identity.membership_changes import note_change
from saas_app.identity.standing import AccessChanged
from saas_app.rbac.permissions import Carrier, Permission, Role
from saas_app.runtime import Runtime
from tests.clients import Browser
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory
from tests.integration.api_clients.conftest import Acme, Programs, new_form
from tests.integration.records import actions_of


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
        await browser.post(acme.clients + path, new_form("Mine"), expect=403)
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
        changes.create(change, WantedClient("Too late")),
        changes.rotate(change, machine.id, None),
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

    refused = await key_manager.submit(f"{acme.clients}/new", new_form("Mine"), 403)
    await key_manager.post(f"{acme.clients}/{machine.id}/rotate", expect=403)

    assert "The integration role includes projects:read, which you do not have." in refused
    assert len(await acme.management.list_secrets(machine.id)) == 1


async def test_a_client_whose_permissions_one_lacks_can_be_revoked(acme: Acme, key_manager: Browser) -> None:
    machine = await acme.create()
    await key_manager.get(acme.clients)
    await key_manager.post(f"{acme.clients}/{machine.id}/revoke")

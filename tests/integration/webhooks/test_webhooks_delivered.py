"""Changes made in Logto: its webhooks reach the application and take effect at once.

The application is provisioned and started as its users do, with two workers. It caches tokens for five
minutes, so only a delivered webhook can explain a refusal within seconds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest
from pydantic import SecretStr

from saas_app.config import ManagementSettings
from saas_app.logto import ManagementClient, connect
from saas_app.operations.env_file import read_env_file
from saas_app.webhooks.events import WebhookEvent
from tests.clients import Person
from tests.databases import migrated_database
from tests.factories import Factory
from tests.processes import Application, Provider, running_application, running_provider
from tests.remote import RemoteBrowser, eventually


@pytest.fixture(scope="module")
def logto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A provider for this module: its only webhook leads to this module's application."""
    with running_provider(tmp_path_factory.mktemp("webhooks-provider")) as running:
        yield running


@pytest.fixture(scope="module")
def site(logto: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    directory = tmp_path_factory.mktemp("webhooks-application")
    with (
        migrated_database(directory) as database,
        running_application(logto, database, directory, workers=2) as running,
    ):
        yield running


@pytest.fixture(scope="module")
async def logto_api(logto: Provider) -> AsyncIterator[ManagementClient]:
    settings = ManagementSettings(
        endpoint=logto.endpoint,
        app_id=logto.management_app_id,
        app_secret=SecretStr(logto.management_app_secret),
        token_endpoint="",
    )
    async with connect(settings) as client:
        yield client


@pytest.fixture(scope="module")
def make_there(logto_api: ManagementClient) -> Factory:
    return Factory(logto_api)


class Visitors:
    """Browsers at the running application, closed after the test."""

    def __init__(self, url: str, stack: AsyncExitStack) -> None:
        self._url = url
        self._stack = stack

    async def visit(self, person: Person) -> RemoteBrowser:
        browser = await self._stack.enter_async_context(RemoteBrowser(self._url))
        await browser.sign_in(person)
        return browser


@pytest.fixture
async def visitors(site: Application) -> AsyncIterator[Visitors]:
    async with AsyncExitStack() as stack:
        yield Visitors(site.url, stack)


async def test_provisioning_registers_the_webhook_and_stores_its_key(
    site: Application, logto_api: ManagementClient
) -> None:
    (hook,) = await logto_api.list_hooks()

    assert hook.url == f"{site.url}/webhooks/logto"
    assert hook.is_enabled
    assert hook.events == set(WebhookEvent)
    assert read_env_file(site.env_file)["LOGTO_WEBHOOK_SIGNING_KEY"] == hook.signing_key


async def test_a_member_removed_in_logto_is_refused_in_every_browser(
    make_there: Factory, visitors: Visitors
) -> None:
    person = await make_there.person()
    organization_id = await make_there.organization("Acme", editor=person)
    page = f"/o/{organization_id}/projects"
    desk, phone = await visitors.visit(person), await visitors.visit(person)
    for browser in (desk, phone):
        assert (await browser.get(page)).status == 200

    await make_there.management.remove_member(organization_id, person.id)

    for browser in (desk, phone):

        async def is_refused(browser: RemoteBrowser = browser) -> bool:
            return (await browser.get(page)).status == 404

        await eventually(is_refused, "the removed member is refused")
        assert (await browser.get("/account")).status == 200


async def test_a_suspended_person_is_signed_out_everywhere(make_there: Factory, visitors: Visitors) -> None:
    person, other = await make_there.person(), await make_there.person()
    organization_id = await make_there.organization("Acme", editor=person, viewer=other)
    desk, phone = await visitors.visit(person), await visitors.visit(person)
    bystander = await visitors.visit(other)

    await make_there.management._transport.call(
        "PATCH", f"/users/{person.id}/is-suspended", body={"isSuspended": True}
    )

    for browser in (desk, phone):

        async def is_signed_out(browser: RemoteBrowser = browser) -> bool:
            return (await browser.get("/account")).location.startswith("/sign-in?")

        await eventually(is_signed_out, "the suspended person is signed out")
    assert (await bystander.get(f"/o/{organization_id}/projects")).status == 200


async def test_a_deleted_person_is_signed_out(make_there: Factory, visitors: Visitors) -> None:
    person = await make_there.person()
    browser = await visitors.visit(person)

    await make_there.management._transport.call("DELETE", f"/users/{person.id}")

    async def is_signed_out() -> bool:
        return (await browser.get("/account")).location.startswith("/sign-in?")

    await eventually(is_signed_out, "the deleted person is signed out")


async def test_an_organization_deleted_in_logto_is_not_found(make_there: Factory, visitors: Visitors) -> None:
    admin, viewer = await make_there.person(), await make_there.person()
    organization_id = await make_there.organization("Gone", admin=admin, viewer=viewer)
    page = f"/o/{organization_id}/projects"
    browsers = [await visitors.visit(person) for person in (admin, viewer)]
    for browser in browsers:
        assert (await browser.get(page)).status == 200

    await make_there.management.delete_organization(organization_id)

    for browser in browsers:

        async def is_gone(browser: RemoteBrowser = browser) -> bool:
            return (await browser.get(page)).status == 404

        await eventually(is_gone, "the deleted organization is not found")


async def test_a_permission_removed_from_a_role_is_denied_to_its_members(
    make_there: Factory, visitors: Visitors, logto_api: ManagementClient
) -> None:
    admin = await make_there.person()
    organization_id = await make_there.organization("Acme", admin=admin)
    browser = await visitors.visit(admin)
    (role,) = [role for role in await logto_api.list_organization_roles() if role.name == "admin"]
    (left_out,) = [
        scope.id for scope in await logto_api.list_organization_scopes() if scope.name == "audit:read"
    ]
    audit = f"/o/{organization_id}/audit"
    assert (await browser.get(audit)).status == 200

    try:
        await logto_api.replace_role_scopes(role.id, role.scope_ids - {left_out})

        async def is_denied() -> bool:
            return (await browser.get(audit)).status in (303, 403)

        await eventually(is_denied, "the permission is gone")
    finally:
        await logto_api.replace_role_scopes(role.id, role.scope_ids)


async def test_an_organization_renamed_in_logto_appears_under_its_new_name(
    make_there: Factory, visitors: Visitors
) -> None:
    admin = await make_there.person()
    organization_id = await make_there.organization("Before", admin=admin)
    browser = await visitors.visit(admin)
    assert "Before" in (await browser.get(f"/o/{organization_id}/projects")).text

    await make_there.management.update_organization(organization_id, name="Afterwards")

    async def is_renamed() -> bool:
        return "Afterwards" in (await browser.get(f"/o/{organization_id}/projects")).text

    await eventually(is_renamed, "the new name is shown")


async def test_signing_out_at_logto_ends_the_session_of_that_browser_only(
    make_there: Factory, visitors: Visitors, site: Application, logto: Provider
) -> None:
    person = await make_there.person()
    desk, phone = await visitors.visit(person), await visitors.visit(person)
    client_id = read_env_file(site.env_file)["LOGTO_APP_ID"]

    await desk.logto.sign_out(logto.endpoint, client_id)

    async def is_signed_out() -> bool:
        return (await desk.get("/account")).location.startswith("/sign-in?")

    await eventually(is_signed_out, "the browser that signed out at Logto is signed out here")
    assert (await phone.get("/account")).status == 200

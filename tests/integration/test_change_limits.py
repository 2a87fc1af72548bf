"""How often people may create organizations, invite and change things in Logto: by pages and API together."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

import pytest
import sqlalchemy as sa
from quart import Quart

from saas_app.app import create_app
from saas_app.config import Rate, Settings
from saas_app.db.base import utc_now
from saas_app.errors import LogtoUnavailable
from saas_app.models import RateCounter
from saas_app.rbac.permissions import Carrier, Role
from saas_app.runtime import Runtime
from tests.clients import SAME_ORIGIN, Browser, Person
from tests.factories import Factory
from tests.integration.invitations.conftest import new_address
from tests.integration.members.conftest import events_of, roles_form, send, text_of
from tests.tokens import token_of

DAY = 86_400
LIMITS = {
    "rate_limit_new_organizations": Rate(3, DAY),
    "rate_limit_invitations_user": Rate(4, DAY),
    "rate_limit_invitations_organization": Rate(6, DAY),
    "rate_limit_invitations_address": Rate(2, DAY),
    "rate_limit_changes": Rate(30, 60),
}


@dataclass(frozen=True, slots=True)
class Site:
    """Two workers of one installation with small limits, and who asks of which."""

    workers: tuple[Quart, Quart]
    open_browser: Callable[..., Awaitable[Browser]]

    @property
    def runtime(self) -> Runtime:
        """The services of the first worker."""
        found: Runtime = self.workers[0].extensions["workroom"]
        return found


@pytest.fixture
async def open_site(settings: Settings) -> AsyncIterator[Callable[..., Awaitable[Site]]]:
    async with AsyncExitStack() as stack:

        async def open_one(**limits: Rate) -> Site:
            given = settings.model_copy(update={**LIMITS, **limits})
            workers = (create_app(given), create_app(given))
            for worker in workers:
                await stack.enter_async_context(worker.test_app())

            async def open_browser(person: Person, worker: int = 0) -> Browser:
                browser = Browser(workers[worker], settings.redirect_uri)
                await stack.enter_async_context(browser)
                await browser.sign_in(person)
                return browser

            return Site(workers, open_browser)

        yield open_one


def invitation_form(*addresses: str) -> dict[str, str | list[str]]:
    return {"addresses": "\n".join(addresses), "roles": ["viewer"], "days": "7"}


async def test_one_person_creates_so_many_organizations_on_all_workers_together(
    open_site: Callable[..., Awaitable[Site]], make: Factory
) -> None:
    site, person = await open_site(), await make.person("Pat")
    browsers = [await site.open_browser(person, worker) for worker in (0, 1)]
    name = f"Org {secrets.token_hex(4)}"
    for browser in (browsers[0], browsers[1], browsers[0]):
        await browser.post("/o/new", {"name": name})

    for browser in browsers:
        answer = await browser.post("/o/new", {"name": name, "description": "All about it"}, expect=429)
        page = await text_of(answer)
        assert 0 < int(answer.headers["Retry-After"]) <= DAY
        assert "One person can create 3 organizations in a day. Try again in" in page
        assert f'value="{name}"' in page
        assert "All about it</textarea>" in page
    made = [found for found in await make.management.list_organizations() if found.name == name]
    assert len(made) == 3

    await (await site.open_browser(await make.person("Quinn"))).post("/o/new", {"name": name})


async def test_the_limit_holds_however_many_ask_at_once(
    open_site: Callable[..., Awaitable[Site]], make: Factory
) -> None:
    site, person = await open_site(), await make.person("Pat")
    browsers = [await site.open_browser(person, worker) for worker in (0, 1)]
    name = f"Org {secrets.token_hex(4)}"
    answers = await asyncio.gather(
        *(
            browsers[number % 2].app.post("/o/new", form={"name": name}, headers=SAME_ORIGIN)
            for number in range(8)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [303] * 3 + [429] * 5


async def test_an_organization_that_was_not_made_does_not_count(
    open_site: Callable[..., Awaitable[Site]], make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, person = await open_site(), await make.person("Pat")
    browser = await site.open_browser(person)
    with monkeypatch.context() as patched:
        patched.setattr("saas_app.logto.client.ManagementClient.add_members", _refuse)
        for _ in range(4):
            await browser.post("/o/new", {"name": "Never"}, expect=503)
    await browser.post("/o/new", {"name": "At last"})


async def _refuse(*_: object) -> None:
    raise LogtoUnavailable("Logto did not answer.")


async def test_invitations_are_limited_for_a_person_and_the_rest_stays_in_the_form(
    open_site: Callable[..., Awaitable[Site]], make: Factory
) -> None:
    site, admin = await open_site(), await make.person("Ada")
    organization_id = await make.organization("Acme", admin=admin)
    browser, path = await site.open_browser(admin), f"/o/{organization_id}/invitations/new"
    wanted = [new_address() for _ in range(6)]

    answer = await send(browser, path, invitation_form(*wanted), 429)

    page = await text_of(answer)
    assert 0 < int(answer.headers["Retry-After"]) <= DAY
    assert "One person can send 4 invitations in a day. Try again in" in page
    made = {entry.invitee for entry in await make.management.list_invitations(organization_id)}
    assert made == set(wanted[:4])
    assert "\n".join(wanted[4:]) + "</textarea>" in page


async def test_the_api_counts_with_the_pages(
    open_site: Callable[..., Awaitable[Site]], make: Factory
) -> None:
    site, admin = await open_site(), await make.person("Ada")
    organization_id = await make.organization("Acme", admin=admin)
    browser = await site.open_browser(admin)
    await send(
        browser, f"/o/{organization_id}/invitations/new", invitation_form(new_address(), new_address())
    )
    token = await token_of(site.runtime, browser, organization_id, Carrier.ORGANIZATION_TOKEN)
    path, client = f"/api/v1/organizations/{organization_id}/invitations", site.workers[1].test_client()

    async def invite() -> tuple[int, str | None]:
        body = {"email": new_address(), "roles": ["viewer"]}
        answer = await client.post(path, json=body, headers={"Authorization": f"Bearer {token}"})
        return answer.status_code, answer.headers.get("Retry-After")

    assert [await invite(), await invite()] == [(201, None), (201, None)]
    status, retry_after = await invite()
    assert status == 429
    assert 0 < int(retry_after or 0) <= DAY


async def test_invitations_are_limited_for_an_organization(
    open_site: Callable[..., Awaitable[Site]], make: Factory
) -> None:
    site, ada, bob = await open_site(), await make.person("Ada"), await make.person("Bob")
    organization_id = await make.organization("Acme", admin=ada)
    await make.join(organization_id, bob, Role.ADMIN)
    path = f"/o/{organization_id}/invitations/new"
    await send(await site.open_browser(ada), path, invitation_form(*(new_address() for _ in range(4))))
    there = await site.open_browser(bob)
    await send(there, path, invitation_form(new_address(), new_address()))

    page = await text_of(await send(there, path, invitation_form(new_address()), 429))

    assert "An organization can send 6 invitations in a day." in page


async def test_an_address_gets_so_many_messages_and_the_others_are_invited_all_the_same(
    open_site: Callable[..., Awaitable[Site]], make: Factory
) -> None:
    site, ada = await open_site(), await make.person("Ada")
    acme, globex = await make.organization("Acme", admin=ada), await make.organization("Globex", admin=ada)
    browser, address, other = await site.open_browser(ada), new_address(), new_address()
    await send(browser, f"/o/{acme}/invitations/new", invitation_form(address))
    (invitation,) = await make.management.list_invitations(acme)
    await browser.post(f"/o/{acme}/invitations/{invitation.id}/resend")

    refused = await browser.post(f"/o/{acme}/invitations/{invitation.id}/resend", expect=429)
    form = invitation_form(address.upper(), other)
    page = await text_of(await send(browser, f"/o/{globex}/invitations/new", form, 429))

    assert refused.headers["Retry-After"]
    assert "One address can receive 2 invitations in a day." in page
    assert f"{address}</textarea>" in page
    assert [entry.invitee for entry in await make.management.list_invitations(globex)] == [other]


async def test_what_came_to_nothing_does_not_count(
    open_site: Callable[..., Awaitable[Site]], make: Factory
) -> None:
    site, ada = await open_site(), await make.person("Ada")
    organization_id = await make.organization("Acme", admin=ada)
    browser, path, address = (
        await site.open_browser(ada),
        f"/o/{organization_id}/invitations/new",
        new_address(),
    )
    await send(browser, path, invitation_form(address))
    for _ in range(5):  # invited already
        await send(browser, path, invitation_form(address), 200)
    await send(browser, path, invitation_form(*(new_address() for _ in range(3))))


async def test_every_change_in_logto_counts_and_a_form_over_the_limit_is_kept(
    open_site: Callable[..., Awaitable[Site]], make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = await open_site(rate_limit_changes=Rate(2, 3600))
    ada, bob = await make.person("Ada"), await make.person("Bob")
    organization_id = await make.organization("Acme", admin=ada)
    await make.join(organization_id, bob, Role.VIEWER)
    browser, root = await site.open_browser(ada), f"/o/{organization_id}"
    await send(browser, f"{root}/members/{bob.id}/roles", roles_form(["viewer"], ["editor"]))
    await send(browser, f"{root}/members/{bob.id}/roles", roles_form(["editor"], ["viewer"]))

    answer = await send(browser, f"{root}/members/{bob.id}/roles", roles_form(["viewer"], ["editor"]), 429)

    page = await text_of(answer)
    assert 0 < int(answer.headers["Retry-After"]) <= 3600
    assert f'action="{root}/members/{bob.id}/roles"' in page
    assert 'name="roles" value="editor"' in page
    assert "Keep this page open: what you entered is still here" in page
    assert await make.management.find_member_roles(organization_id, bob.id) == {"viewer"}
    with monkeypatch.context() as patched:  # not even to be taken back
        patched.setattr("saas_app.logto.client.ManagementClient.create_machine", _refuse)
        described = await send(browser, f"{root}/api-clients/new", {"name": "Robot"}, 429)
    assert 'value="Robot"' in await text_of(described)
    assert [event.action for event in await events_of(site.runtime, organization_id)] == [
        "member.change-roles"
    ] * 2


async def test_a_stolen_session_cannot_keep_its_owner_from_ending_it(
    open_site: Callable[..., Awaitable[Site]], make: Factory
) -> None:
    site, person = await open_site(rate_limit_changes=Rate(1, 3600)), await make.person("Pat")
    thief, owner = await site.open_browser(person), await site.open_browser(person)
    for expected in (404, 429):
        await thief.post("/account/sessions/01a1fe52-78a0-7104-af37-b0d579a9a234/end", expect=expected)
    await owner.post("/account/sign-out-everywhere")
    await thief.get("/account", 303)


async def test_counters_hold_no_address_and_are_forgotten_when_their_window_is_over(
    open_site: Callable[..., Awaitable[Site]],
) -> None:
    site, address = await open_site(rate_limit_invitations_address=Rate(5, 1)), new_address()
    limits, work = site.runtime.change_limits, site.runtime.work

    async def keys() -> set[str]:
        async with work.reading() as db:
            return set(await db.scalars(sa.select(RateCounter.key)))

    before = await keys()
    await limits.spend((limits.invited_address, address))
    (key,) = await keys() - before
    assert address not in key
    async with work.writing() as db:
        long_ago = utc_now() - timedelta(days=2)
        await db.execute(sa.update(RateCounter).where(RateCounter.key == key).values(until=long_ago))
    await limits.spend((limits.invited_address, new_address()))
    assert key not in await keys()

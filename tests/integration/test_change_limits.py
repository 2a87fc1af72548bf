"""Limits on new organizations, invitations and changes in Logto, shared by pages and API."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
import sqlalchemy as sa
from quart import Quart

from saas_app.config import Rate
from saas_app.db.base import utc_now
from saas_app.errors import LogtoUnavailable
from saas_app.models import RateCounter
from saas_app.rbac.permissions import Carrier, Role
from saas_app.runtime import Runtime
from tests.clients import SAME_ORIGIN, Browser, Person, text_of
from tests.conftest import OpenApp, OpenBrowser, runtime_of
from tests.factories import Factory, new_address
from tests.integration.members.conftest import roles_form
from tests.integration.records import events_of
from tests.tokens import token_of

DAY = 86_400
LIMITS = {
    "rate_limit_new_organizations": Rate(3, DAY),
    "rate_limit_invitations_user": Rate(4, DAY),
    "rate_limit_invitations_organization": Rate(6, DAY),
    "rate_limit_invitations_address": Rate(2, DAY),
    "rate_limit_changes": Rate(30, 60),
}


OpenSite = Callable[..., Awaitable["Site"]]


@dataclass(frozen=True, slots=True)
class Site:
    """Two workers of one installation with small limits."""

    workers: tuple[Quart, Quart]
    open_at: OpenBrowser

    @property
    def runtime(self) -> Runtime:
        """The services of the first worker."""
        return runtime_of(self.workers[0])

    async def open_browser(self, person: Person, worker: int = 0) -> Browser:
        """Sign a person in at one of the workers."""
        return await self.open_at(person, at=self.workers[worker])


@pytest.fixture
def open_site(open_app: OpenApp, open_browser: OpenBrowser) -> OpenSite:
    async def open_one(**limits: Rate) -> Site:
        first, second = [await open_app(**{**LIMITS, **limits}) for _ in range(2)]
        return Site((first, second), open_browser)

    return open_one


def invitation_form(*addresses: str) -> dict[str, str | list[str]]:
    return {"addresses": "\n".join(addresses), "roles": ["viewer"], "days": "7"}


async def test_a_person_creates_three_organizations_a_day_on_all_workers_together(
    open_site: OpenSite, make: Factory
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


async def test_the_limit_holds_for_requests_sent_at_once(open_site: OpenSite, make: Factory) -> None:
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


async def test_an_organization_whose_creation_failed_does_not_count(
    open_site: OpenSite, make: Factory, monkeypatch: pytest.MonkeyPatch
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


async def test_a_person_sends_four_invitations_a_day_and_the_rest_stay_in_the_form(
    open_site: OpenSite, make: Factory
) -> None:
    site, admin = await open_site(), await make.person("Ada")
    organization_id = await make.organization("Acme", admin=admin)
    browser, path = await site.open_browser(admin), f"/o/{organization_id}/invitations/new"
    wanted = [new_address() for _ in range(6)]

    answer = await browser.post(path, invitation_form(*wanted), 429)

    page = await text_of(answer)
    assert 0 < int(answer.headers["Retry-After"]) <= DAY
    assert "One person can send 4 invitations in a day. Try again in" in page
    made = {entry.invitee for entry in await make.management.list_invitations(organization_id)}
    assert made == set(wanted[:4])
    assert "\n".join(wanted[4:]) + "</textarea>" in page


async def test_invitations_by_pages_and_api_count_together(open_site: OpenSite, make: Factory) -> None:
    site, admin = await open_site(), await make.person("Ada")
    organization_id = await make.organization("Acme", admin=admin)
    browser = await site.open_browser(admin)
    await browser.post(f"/o/{organization_id}/invitations/new", invitation_form(new_address(), new_address()))
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


async def test_an_organization_sends_six_invitations_a_day(open_site: OpenSite, make: Factory) -> None:
    site, ada = await open_site(), await make.person("Ada")
    organization_id = await make.organization("Acme", admin=ada)
    bob = await make.member(organization_id, "Bob", Role.ADMIN)
    path = f"/o/{organization_id}/invitations/new"
    await (await site.open_browser(ada)).post(path, invitation_form(*(new_address() for _ in range(4))))
    there = await site.open_browser(bob)
    await there.post(path, invitation_form(new_address(), new_address()))

    page = await there.submit(path, invitation_form(new_address()), 429)

    assert "An organization can send 6 invitations in a day." in page


async def test_an_address_receives_two_messages_a_day_and_other_addresses_are_invited(
    open_site: OpenSite, make: Factory
) -> None:
    site, ada = await open_site(), await make.person("Ada")
    acme, globex = await make.organization("Acme", admin=ada), await make.organization("Globex", admin=ada)
    browser, address, other = await site.open_browser(ada), new_address(), new_address()
    await browser.post(f"/o/{acme}/invitations/new", invitation_form(address))
    (invitation,) = await make.management.list_invitations(acme)
    await browser.post(f"/o/{acme}/invitations/{invitation.id}/resend")

    refused = await browser.post(f"/o/{acme}/invitations/{invitation.id}/resend", expect=429)
    form = invitation_form(address.upper(), other)
    page = await browser.submit(f"/o/{globex}/invitations/new", form, 429)

    assert refused.headers["Retry-After"]
    assert "One address can receive 2 invitations in a day." in page
    assert f"{address}</textarea>" in page
    assert [entry.invitee for entry in await make.management.list_invitations(globex)] == [other]


async def test_invitations_that_were_not_sent_do_not_count(open_site: OpenSite, make: Factory) -> None:
    site, ada = await open_site(), await make.person("Ada")
    organization_id = await make.organization("Acme", admin=ada)
    browser, path, address = (
        await site.open_browser(ada),
        f"/o/{organization_id}/invitations/new",
        new_address(),
    )
    await browser.post(path, invitation_form(address))
    for _ in range(5):  # invited already
        await browser.post(path, invitation_form(address), 200)
    await browser.post(path, invitation_form(*(new_address() for _ in range(3))))


async def test_every_change_in_logto_counts_and_a_form_over_the_limit_stays_filled_in(
    open_site: OpenSite, make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = await open_site(rate_limit_changes=Rate(2, 3600))
    ada = await make.person("Ada")
    organization_id = await make.organization("Acme", admin=ada)
    bob = await make.member(organization_id, "Bob", Role.VIEWER)
    browser, root = await site.open_browser(ada), f"/o/{organization_id}"
    await browser.post(f"{root}/members/{bob.id}/roles", roles_form(["viewer"], ["editor"]))
    await browser.post(f"{root}/members/{bob.id}/roles", roles_form(["editor"], ["viewer"]))

    answer = await browser.post(f"{root}/members/{bob.id}/roles", roles_form(["viewer"], ["editor"]), 429)

    page = await text_of(answer)
    assert 0 < int(answer.headers["Retry-After"]) <= 3600
    assert f'action="{root}/members/{bob.id}/roles"' in page
    assert 'name="roles" value="editor"' in page
    assert "Keep this page open: what you entered is still here" in page
    assert await make.management.find_member_roles(organization_id, bob.id) == {"viewer"}
    with monkeypatch.context() as patched:  # a change to be undone is not begun either
        patched.setattr("saas_app.logto.client.ManagementClient.create_machine", _refuse)
        form = {"name": "Robot", "permissions": "projects:read"}
        described = await browser.post(f"{root}/api-clients/new", form, 429)
    assert 'value="Robot"' in await text_of(described)
    assert [event.action for event in await events_of(site.runtime, organization_id)] == [
        "member.change-roles"
    ] * 2


async def test_a_thief_cannot_use_up_the_limit_that_ending_a_stolen_session_needs(
    open_site: OpenSite, make: Factory
) -> None:
    site, person = await open_site(rate_limit_changes=Rate(1, 3600)), await make.person("Pat")
    thief, owner = await site.open_browser(person), await site.open_browser(person)
    for expected in (404, 429):
        await thief.post("/account/sessions/01a1fe52-78a0-7104-af37-b0d579a9a234/end", expect=expected)
    await owner.post("/account/sign-out-everywhere")
    await thief.get("/account", 303)


@pytest.mark.parametrize(
    "path", ["/account/settings", "/notifications/read", f"/notifications/{uuid.UUID(int=1)}/open"]
)
async def test_changes_of_a_persons_own_settings_and_notifications_count(
    open_site: OpenSite, make: Factory, path: str
) -> None:
    site, person = await open_site(rate_limit_changes=Rate(1, 3600)), await make.person("Pat")
    browser = await site.open_browser(person)
    await browser.post("/account/settings", {"theme": "dark", "language": "", "zone": ""})

    await browser.post(path, expect=429)


async def test_counters_contain_no_address_and_are_deleted_after_their_window(
    open_site: OpenSite,
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

"""What ends support access at once, between two requests, and what a stolen cookie is worth."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeAlias

import pytest
import sqlalchemy as sa

from saas_app.config import Settings
from saas_app.db.base import utc_now
from saas_app.identity.membership_changes import mark_changed
from saas_app.identity.role_ends import set_end
from saas_app.models import EVERYWHERE, OrganizationOptions, SupportAccess
from saas_app.runtime import Runtime
from tests.clients import FRESH, SAME_ORIGIN, URLENCODED, Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.records import events_of
from tests.integration.support.conftest import SUPPORT, Customer
from tests.integration.support.rows import act, allow_support

COOKIE = "workroom_support"
JSON = {"Content-Type": "application/json"}
Happen: TypeAlias = Callable[[Runtime, Settings, Customer, Person], Awaitable[None]]


@pytest.fixture
async def acting(acme: Customer, desk: Browser, runtime: Runtime) -> Browser:
    """The browser of an agent who acts for Carol in Acme, and may change projects."""
    await allow_support(runtime, acme.id, writes=True)
    await act(runtime, desk, acme.id, member_id=acme.carol.id, member_name="Carol", writes=True)
    return desk


async def _is_demoted(runtime: Runtime, settings: Settings, acme: Customer, agent: Person) -> None:
    await _mark(runtime, settings.support_organization_id, agent)


async def _is_suspended(runtime: Runtime, settings: Settings, acme: Customer, agent: Person) -> None:
    await _mark(runtime, EVERYWHERE, agent)


async def _member_is_demoted(runtime: Runtime, settings: Settings, acme: Customer, agent: Person) -> None:
    await _mark(runtime, acme.id, acme.carol)


async def _member_is_suspended(runtime: Runtime, settings: Settings, acme: Customer, agent: Person) -> None:
    await _mark(runtime, EVERYWHERE, acme.carol)


async def _mark(runtime: Runtime, organization_id: str, person: Person) -> None:
    """Note a change of a membership, as each change of a role, removal and suspension does."""
    async with runtime.jobs.writing() as db:
        await mark_changed(db, organization_id, [person.id])


async def _role_of_agent_ends(runtime: Runtime, settings: Settings, acme: Customer, agent: Person) -> None:
    await _end_role(runtime, settings.support_organization_id, agent, SUPPORT)


async def _role_of_member_ends(runtime: Runtime, settings: Settings, acme: Customer, agent: Person) -> None:
    await _end_role(runtime, acme.id, acme.carol, "viewer")


async def _end_role(runtime: Runtime, organization_id: str, person: Person, role: str) -> None:
    async with runtime.jobs.writing() as db:
        await set_end(db, organization_id, person.id, role, utc_now() - timedelta(seconds=1), "somebody")


async def _consent_is_withdrawn(runtime: Runtime, settings: Settings, acme: Customer, agent: Person) -> None:
    await _set_consent(runtime, acme, support_allowed=False)


async def _consent_ends(runtime: Runtime, settings: Settings, acme: Customer, agent: Person) -> None:
    await _set_consent(runtime, acme, support_until=utc_now() - timedelta(seconds=1))


async def _set_consent(runtime: Runtime, acme: Customer, **values: object) -> None:
    row = OrganizationOptions.organization_id == acme.id
    async with runtime.jobs.writing() as db:
        await db.execute(sa.update(OrganizationOptions).where(row).values(**values))


async def _ten_minutes_pass(runtime: Runtime, settings: Settings, acme: Customer, agent: Person) -> None:
    row = SupportAccess.organization_id == acme.id
    async with runtime.jobs.writing() as db:
        await db.execute(sa.update(SupportAccess).where(row).values(ends_at=utc_now()))


ENDINGS: dict[str, tuple[Happen, str]] = {
    "the agent's role is taken away": (_is_demoted, "Your own access to the support team has changed."),
    "the agent is suspended": (_is_suspended, "Your own access to the support team has changed."),
    "the agent's role ends": (_role_of_agent_ends, "Your own access to the support team has changed."),
    "the member's role is taken away": (_member_is_demoted, "The access of Carol to"),
    "the member is suspended": (_member_is_suspended, "The access of Carol to"),
    "the member's role ends": (_role_of_member_ends, "The access of Carol to"),
    "the organization withdraws it": (_consent_is_withdrawn, "no longer allows support access."),
    "what the organization allowed ends": (_consent_ends, "no longer allows support access."),
    "ten minutes pass": (_ten_minutes_pass, "Its ten minutes are over."),
}


@pytest.mark.parametrize("name", ENDINGS)
async def test_it_ends_with_the_next_request_and_the_agent_reads_why(
    acting: Browser, acme: Customer, sam: Person, runtime: Runtime, settings: Settings, name: str
) -> None:
    happen, why = ENDINGS[name]
    await acting.get(f"{acme.root}/projects")
    await happen(runtime, settings, acme, sam)

    page = await acting.text(f"{acme.root}/projects", 403)

    assert why in page
    await acting.get(f"{acme.root}/projects", 404)  # the cookie is gone, and the agent is themselves


@pytest.mark.parametrize("name", ENDINGS)
async def test_a_form_that_was_open_changes_nothing_after_the_end(
    acting: Browser, acme: Customer, sam: Person, runtime: Runtime, settings: Settings, name: str
) -> None:
    happen, _why = ENDINGS[name]
    await happen(runtime, settings, acme, sam)

    await acting.post(f"{acme.root}/projects/new", {"name": "Rover"}, 403)

    assert await events_of(runtime, acme.id) == []


@pytest.mark.parametrize("kind", ["form", "json"])
async def test_a_change_whose_body_arrives_after_the_end_changes_nothing(
    acting: Browser, acme: Customer, runtime: Runtime, kind: str
) -> None:
    path, body, headers = {
        "form": (f"{acme.root}/projects/new", b"name=Rover", URLENCODED),
        "json": (f"/api/v1/organizations/{acme.id}/projects", b'{"name": "Rover"}', JSON),
    }[kind]
    async with acting.app.request(path, method="POST", headers={**SAME_ORIGIN, **headers}) as slow:
        await slow.send(body[:5])
        await acting.get(f"{acme.root}/projects")  # begun later, so the other one has begun meanwhile
        await _set_consent(runtime, acme, support_allowed=False)
        await slow.send(body[5:])
        await slow.send_complete()

    assert slow.status_code == 403
    assert await events_of(runtime, acme.id) == []


async def test_what_the_organization_takes_back_is_gone_at_once_and_the_rest_stays(
    acting: Browser, acme: Customer, runtime: Runtime
) -> None:
    await _set_consent(runtime, acme, support_writes=False)

    await acting.post(f"{acme.root}/projects/new", {"name": "Rover"}, 403)

    await acting.get(f"{acme.root}/projects")


async def test_it_ends_when_the_agent_signs_out(acting: Browser, acme: Customer, sam: Person) -> None:
    await acting.post("/sign-out")

    response = await acting.get(f"{acme.root}/projects", 303)
    assert response.headers["Location"].startswith("/sign-in")


async def test_it_does_not_begin_again_when_the_agent_signs_in_again(
    acting: Browser, acme: Customer, sam: Person
) -> None:
    await acting.post("/sign-out")
    await acting.sign_in(sam, FRESH)

    page = await acting.text(f"{acme.root}/projects", 403)

    assert "It belongs to another sign-in of yours." in page


def take_cookie(thief: Browser, owner: Browser) -> None:
    """Copy the cookie of the support access to another browser."""
    (value,) = [cookie.value for cookie in owner.app.cookie_jar or () if cookie.name == COOKIE]
    thief.app.set_cookie("localhost", COOKIE, str(value))


async def test_a_stolen_cookie_opens_nothing_for_somebody_else(
    acting: Browser, acme: Customer, make: Factory, open_browser: OpenBrowser, settings: Settings
) -> None:
    colleague = await make.member(settings.support_organization_id, "Sue", SUPPORT)
    thief = await open_browser(colleague)
    take_cookie(thief, acting)

    await thief.get(f"{acme.root}/projects", 404)
    await acting.get(f"{acme.root}/projects")


async def test_a_stolen_cookie_opens_nothing_for_another_member_of_the_organization(
    acting: Browser, acme: Customer
) -> None:
    take_cookie(acme.browser, acting)

    page = await acme.browser.text(f"{acme.root}/projects")

    assert "You are acting for" not in page


async def test_a_stolen_cookie_opens_nothing_without_a_session(
    acting: Browser, acme: Customer, open_browser: OpenBrowser
) -> None:
    thief = await open_browser()
    take_cookie(thief, acting)

    response = await thief.get(f"{acme.root}/projects", 303)

    assert response.headers["Location"].startswith("/sign-in")


async def test_the_agents_cookie_opens_nothing_in_another_session_of_theirs(
    acting: Browser, acme: Customer, sam: Person, open_browser: OpenBrowser
) -> None:
    elsewhere = await open_browser(sam)
    take_cookie(elsewhere, acting)

    await elsewhere.get(f"{acme.root}/projects", 403)


async def test_it_opens_no_other_organization(
    acting: Browser, make: Factory, runtime: Runtime, acme: Customer
) -> None:
    other = await make.organization("Other", viewer=acme.carol)
    await allow_support(runtime, other)

    await acting.get(f"/o/{other}/projects", 404)


async def test_a_session_api_call_is_made_for_the_member_too(acting: Browser, acme: Customer) -> None:
    await acting.get(f"/api/v1/organizations/{acme.id}/projects")

    await acting.get(f"/api/v1/organizations/{acme.id}/access", 403)


async def test_a_change_of_another_site_is_rejected(
    acting: Browser, acme: Customer, runtime: Runtime
) -> None:
    response = await acting.app.post(
        f"{acme.root}/projects/new",
        form={"name": "Rover"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )

    assert response.status_code == 403
    assert await events_of(runtime, acme.id) == []


async def test_acting_for_an_admin_gives_nothing_that_only_admins_may(
    desk: Browser, acme: Customer, runtime: Runtime
) -> None:
    await allow_support(runtime, acme.id, writes=True)
    everything = "organization:update members:update members:remove audit:read members:read"
    api = "projects:read projects:write projects:delete projects:export"
    await act(
        runtime,
        desk,
        acme.id,
        member_id=acme.admin.id,
        member_name="Ada",
        writes=True,
        scopes_organization=everything,
        scopes_api=api,
    )

    for path in ("settings", "api-clients", "settings/delete", "invitations", "projects/export.csv"):
        await desk.get(f"{acme.root}/{path}", 403)
    await desk.get(f"{acme.root}/audit")


async def test_without_a_support_team_the_cookie_means_nothing(
    acting: Browser, acme: Customer, open_app: Callable[..., Awaitable[object]]
) -> None:
    without = await open_app(support_organization_id="", support_app_id="")

    await acting.at(without).get(f"{acme.root}/projects", 404)  # type: ignore[arg-type]

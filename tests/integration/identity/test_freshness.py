"""Changes of roles take effect at the next request, on every worker."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from saas_app import signals
from saas_app.db.base import utc_now
from saas_app.identity.logto_client import LogtoCore
from saas_app.identity.membership_changes import note_change
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.conftest import OpenApp, OpenBrowser, OpenOffice
from tests.factories import Factory
from tests.offices import Office


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts the calls to Logto's token endpoint, by grant type. The calls go through."""
    counted: Counter[str] = Counter()
    fetch = LogtoCore.fetch_token

    async def counting(self: LogtoCore, form: dict[str, str]) -> object:
        counted[form["grant_type"]] += 1
        return await fetch(self, form)

    monkeypatch.setattr(LogtoCore, "fetch_token", counting)
    return counted


async def expire(runtime: Runtime, office: Office) -> None:
    """Note a change of the only membership, so that its cached tokens are stale."""
    await note_change(runtime.work, office.id, office.person.id)


async def test_a_warm_page_costs_two_statements_and_no_call_to_logto(
    open_office: OpenOffice, calls: Counter[str]
) -> None:
    office = await open_office(editor="Sam")
    projects = f"{office.root}/projects"
    await office.browser.post(f"{projects}/new", {"name": "Something to show", "description": ""})
    await office.browser.get(projects)
    calls.clear()
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await office.browser.get(projects)
    finally:
        event.remove(Engine, "before_cursor_execute", note)

    assert not calls
    assert len(statements) == 2, statements


async def test_fifty_requests_with_a_stale_token_make_one_call(
    open_office: OpenOffice, runtime: Runtime, calls: Counter[str]
) -> None:
    office = await open_office(viewer="Sam")
    await office.browser.get(f"{office.root}/projects")
    await expire(runtime, office)
    calls.clear()

    responses = await asyncio.gather(*(office.browser.app.get(f"{office.root}/projects") for _ in range(50)))

    assert Counter(response.status_code for response in responses) == {200: 50}
    assert calls == {"refresh_token": 1}


async def test_two_workers_with_a_stale_token_make_one_call_between_them(
    open_office: OpenOffice, open_app: OpenApp, runtime: Runtime, calls: Counter[str]
) -> None:
    office = await open_office(viewer="Sam")
    page = f"{office.root}/projects"
    await office.browser.get(page)
    there = office.browser.at(await open_app())
    await expire(runtime, office)
    calls.clear()

    workers = (office.browser.app, there.app)
    shared: Counter[str] = Counter()
    with signals.refresh_shared.connected_to(lambda _sender, by: shared.update([by])):
        responses = await asyncio.gather(*(worker.get(page) for _ in range(25) for worker in workers))

    assert Counter(response.status_code for response in responses) == {200: 50}
    assert calls == {"refresh_token": 1}
    assert shared["worker"] >= 1  # a request that comes after the first ones finds the tokens, too
    assert shared["request"] > 0


async def test_a_demotion_takes_effect_at_the_next_request(
    make: Factory, open_office: OpenOffice, runtime: Runtime
) -> None:
    office = await open_office(editor="Sam")
    await office.browser.get(f"{office.root}/projects/new")

    await make.give_roles(office.id, office.person, Role.VIEWER)
    await expire(runtime, office)

    await office.browser.get(f"{office.root}/projects/new", 403)
    await office.browser.get(f"{office.root}/projects")


async def test_a_removed_member_is_refused_at_the_next_request_in_every_session(
    open_office: OpenOffice, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    office = await open_office(editor="Sam")
    desk, phone = office.browser, await open_browser(office.person)
    for browser in (desk, phone):
        await browser.get(f"{office.root}/projects")

    await office.management.remove_member(office.id, office.person.id)
    await expire(runtime, office)

    for browser in (desk, phone):
        await browser.get(f"{office.root}/projects", 404)
        await browser.get("/account")  # refused in one organization, still signed in


async def test_a_promotion_takes_effect_at_the_next_page_without_signing_in_again(
    make: Factory, open_office: OpenOffice, runtime: Runtime
) -> None:
    office = await open_office(viewer="Sam")
    await office.browser.get(f"{office.root}/projects/new", 403)

    await make.give_roles(office.id, office.person, Role.EDITOR)
    await expire(runtime, office)

    renewal = await office.browser.get(f"{office.root}/projects/new", 303)
    assert renewal.headers["Location"].startswith("/sign-in/renew?")
    assert (await office.browser.follow(f"{office.root}/projects/new")).status_code == 200


@pytest.fixture
async def promoted(open_office: OpenOffice, make: Factory, runtime: Runtime) -> Office:
    """An office whose only member was a viewer when they signed in, and is an editor now."""
    office = await open_office(viewer="Sam")
    await office.browser.get(f"{office.root}/projects")
    await make.give_roles(office.id, office.person, Role.EDITOR)
    await expire(runtime, office)
    return office


FORM = {"name": "Kept <over> the trip", "description": "a\nb"}


async def test_a_form_refused_for_an_old_token_offers_a_renewal_and_keeps_its_content(
    promoted: Office,
) -> None:
    refused = await promoted.browser.post(f"{promoted.root}/projects/new", FORM, 403)

    page = await refused.get_data(as_text=True)
    assert "/sign-in/renew" in page
    assert "Kept &lt;over&gt; the trip" in page


async def test_a_form_that_waited_for_a_renewal_can_be_sent_afterwards(promoted: Office) -> None:
    new, browser = f"{promoted.root}/projects/new", promoted.browser
    hidden = {"_action": new, "_for": f"{promoted.id} projects:write", **FORM}

    started = await browser.post("/sign-in/renew", hidden)
    finish = await browser.get(await browser.come_back(started.headers["Location"], None))

    page = await finish.get_data(as_text=True)
    assert f'action="{new}"' in page
    assert "Kept &lt;over&gt; the trip" in page
    await browser.post(new, FORM)
    listed = await (await browser.get(f"{promoted.root}/projects")).get_data(as_text=True)
    assert "Kept &lt;over&gt; the trip" in listed


async def test_a_person_who_joins_after_signing_in_has_access_at_once(
    make: Factory, open_browser: OpenBrowser
) -> None:
    person = await make.person()
    browser = await open_browser(person)
    organization_id = await make.organization("Late", admin=person)

    page = await browser.follow(f"/o/{organization_id}/projects/new")

    assert page.status_code == 200
    assert "Late" in await page.get_data(as_text=True)


async def test_a_renewal_that_brought_no_new_grant_is_not_repeated(
    promoted: Office, runtime: Runtime
) -> None:
    # as after a round trip for this permission that brought nothing new
    (session_id,) = await runtime.sessions.list_session_ids(promoted.person.id)
    await runtime.sessions.update(
        session_id, granted_at=utc_now(), renewed_for=f"{promoted.id} projects:write"
    )

    page = await promoted.browser.get(f"{promoted.root}/projects/new", 403)

    assert "Your role allows this" in await page.get_data(as_text=True)


async def test_a_suspended_person_is_signed_out(
    make: Factory, open_office: OpenOffice, runtime: Runtime
) -> None:
    office = await open_office(viewer="Sam")
    await office.browser.get(f"{office.root}/projects")

    await make.management._transport.call(
        "PATCH", f"/users/{office.person.id}/is-suspended", body={"isSuspended": True}
    )
    await expire(runtime, office)

    assert (
        (await office.browser.get(f"{office.root}/projects", 303)).headers["Location"].startswith("/sign-in?")
    )
    assert await runtime.sessions.list_session_ids(office.person.id) == []
    await office.browser.get("/account", 303)


async def test_refreshing_the_access_asks_logto_at_once(
    make: Factory, open_office: OpenOffice, calls: Counter[str]
) -> None:
    office = await open_office(editor="Sam")
    await office.browser.get(f"{office.root}/projects/new")
    await make.give_roles(office.id, office.person, Role.VIEWER)
    await office.browser.get(f"{office.root}/projects/new")  # the cached token still answers

    await office.browser.post(f"{office.root}/access/read-again")

    await office.browser.get(f"{office.root}/projects/new", 403)


def change_during_each_fetch(
    monkeypatch: pytest.MonkeyPatch, runtime: Runtime, office: Office, times: int
) -> None:
    """Change the membership ``times`` times, each while a token is being fetched."""
    fetch, left = LogtoCore.fetch_token, iter(range(times))

    async def fetch_and_change(self: LogtoCore, form: dict[str, str]) -> object:
        answer = await fetch(self, form)
        if next(left, None) is not None:
            await expire(runtime, office)
        return answer

    monkeypatch.setattr(LogtoCore, "fetch_token", fetch_and_change)


async def test_a_membership_that_changes_during_a_fetch_is_fetched_again(
    open_office: OpenOffice,
    runtime: Runtime,
    calls: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    office = await open_office(viewer="Sam")
    calls.clear()
    change_during_each_fetch(monkeypatch, runtime, office, times=2)

    await office.browser.get(f"{office.root}/projects")

    assert calls == {"refresh_token": 3}


async def test_a_membership_that_keeps_changing_is_unavailable_for_the_moment(
    open_office: OpenOffice, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = await open_office(viewer="Sam")
    change_during_each_fetch(monkeypatch, runtime, office, times=100)

    refused = await office.browser.get(f"{office.root}/projects", 503)

    assert int(refused.headers["Retry-After"]) > 0


async def test_a_token_that_is_stale_at_once_still_answers_the_request_that_fetched_it(
    open_office: OpenOffice, open_app: OpenApp
) -> None:
    office = await open_office(admin="Ada")
    forgetful = office.browser.at(await open_app(organization_token_max_age=0.000_001))
    for page in ("projects", "members", "access"):
        await forgetful.get(f"{office.root}/{page}")

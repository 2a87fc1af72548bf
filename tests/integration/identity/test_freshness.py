"""When a change of role takes effect: at once, on every worker, and never by believing an old token."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from saas_app.app import create_app
from saas_app.config import Settings
from saas_app.db.base import utc_now
from saas_app.identity.logto_client import LogtoCore
from saas_app.identity.membership_changes import note_change
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts the real calls to Logto's token endpoint, which go through unchanged."""
    counted: Counter[str] = Counter()
    fetch = LogtoCore.fetch_token

    async def counting(self: LogtoCore, form: dict[str, str]) -> object:
        counted[form["grant_type"]] += 1
        return await fetch(self, form)

    monkeypatch.setattr(LogtoCore, "fetch_token", counting)
    return counted


async def expire(runtime: Runtime, organization_id: str, person: Person) -> None:
    """As after a change we know of: what is cached for this membership answers no more."""
    await note_change(runtime.work, organization_id, person.id)


async def test_a_warm_page_costs_two_statements_and_no_call_to_logto(
    make: Factory, open_browser: OpenBrowser, calls: Counter[str]
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", editor=person)
    browser = await open_browser(person)
    projects = f"/o/{organization_id}/projects"
    await browser.post(f"{projects}/new", {"name": "Something to show", "description": ""})
    await browser.get(projects)
    calls.clear()
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await browser.get(projects)
    finally:
        event.remove(Engine, "before_cursor_execute", note)

    assert not calls
    assert len(statements) == 2, statements


async def test_fifty_requests_whose_token_has_expired_make_one_call(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, calls: Counter[str]
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", viewer=person)
    browser = await open_browser(person)
    await browser.get(f"/o/{organization_id}/projects")
    await expire(runtime, organization_id, person)
    calls.clear()

    responses = await asyncio.gather(*(browser.app.get(f"/o/{organization_id}/projects") for _ in range(50)))

    assert Counter(response.status_code for response in responses) == {200: 50}
    assert calls == {"refresh_token": 1}


async def test_two_workers_make_one_call_between_them(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, settings: Settings, calls: Counter[str]
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", viewer=person)
    browser = await open_browser(person)
    page = f"/o/{organization_id}/projects"
    await browser.get(page)
    second_worker = create_app(settings)
    async with second_worker.test_app():
        there = second_worker.test_client()
        there.cookie_jar = browser.app.cookie_jar
        await expire(runtime, organization_id, person)
        calls.clear()

        responses = await asyncio.gather(
            *(client.get(page) for _ in range(25) for client in (browser.app, there))
        )

    assert Counter(response.status_code for response in responses) == {200: 50}
    assert calls == {"refresh_token": 1}


async def test_a_role_taken_away_is_refused_at_the_next_request(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", editor=person)
    browser = await open_browser(person)
    await browser.get(f"/o/{organization_id}/projects/new")

    await make.give_roles(organization_id, person, Role.VIEWER)
    await expire(runtime, organization_id, person)

    await browser.get(f"/o/{organization_id}/projects/new", 403)
    await browser.get(f"/o/{organization_id}/projects")


async def test_a_removed_member_finds_nothing_at_the_next_request_in_any_session(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", editor=person)
    desk, phone = await open_browser(person), await open_browser(person)
    for browser in (desk, phone):
        await browser.get(f"/o/{organization_id}/projects")

    await make.management._transport.call("DELETE", f"/organizations/{organization_id}/users/{person.id}")
    await expire(runtime, organization_id, person)

    for browser in (desk, phone):
        await browser.get(f"/o/{organization_id}/projects", 404)
        await browser.get("/account")  # refused in one organization, still signed in


async def test_a_promotion_works_at_the_next_page_without_signing_in_again(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", viewer=person)
    browser = await open_browser(person)
    await browser.get(f"/o/{organization_id}/projects/new", 403)

    await make.give_roles(organization_id, person, Role.EDITOR)
    await expire(runtime, organization_id, person)

    renewal = await browser.get(f"/o/{organization_id}/projects/new", 303)
    assert renewal.headers["Location"].startswith("/sign-in/renew?")
    assert (await browser.follow(f"/o/{organization_id}/projects/new")).status_code == 200


async def test_a_form_refused_before_a_promotion_is_kept_and_sent_afterwards(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, settings: Settings
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", viewer=person)
    browser = await open_browser(person)
    projects = f"/o/{organization_id}/projects"
    await browser.get(projects)
    await make.give_roles(organization_id, person, Role.EDITOR)
    await expire(runtime, organization_id, person)

    form = {"name": "Kept <over> the trip", "description": "a\nb"}
    refused = await browser.post(f"{projects}/new", form, 403)
    page = await refused.get_data(as_text=True)
    assert "/sign-in/renew" in page
    assert "Kept &lt;over&gt; the trip" in page

    hidden = {"_action": f"{projects}/new", "_for": f"{organization_id} projects:write", **form}
    started = await browser.post("/sign-in/renew", hidden)
    callback = await browser.logto.authorize(started.headers["Location"], None, settings.redirect_uri)
    done = await browser.get(callback.removeprefix(settings.app_url), 303)
    finish = await (await browser.get(done.headers["Location"])).get_data(as_text=True)
    assert f'action="{projects}/new"' in finish
    assert "Kept &lt;over&gt; the trip" in finish

    await browser.post(f"{projects}/new", form)
    assert "Kept &lt;over&gt; the trip" in await (await browser.get(projects)).get_data(as_text=True)


async def test_who_joined_after_signing_in_works_there_at_once(
    make: Factory, open_browser: OpenBrowser
) -> None:
    person = await make.person()
    browser = await open_browser(person)
    organization_id = await make.organization("Late", admin=person)

    page = await browser.follow(f"/o/{organization_id}/projects/new")

    assert page.status_code == 200
    assert "Late" in await page.get_data(as_text=True)


async def test_a_grant_that_does_not_change_by_a_round_trip_is_not_sent_round_and_round(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", viewer=person)
    browser = await open_browser(person)
    await browser.get(f"/o/{organization_id}/projects")
    await make.give_roles(organization_id, person, Role.EDITOR)
    await expire(runtime, organization_id, person)
    # As if the round trip for this permission had just been made, and had brought nothing new.
    (session_id,) = await runtime.sessions.list_session_ids(person.id)
    await runtime.sessions.update(
        session_id, granted_at=utc_now(), renewed_for=f"{organization_id} projects:write"
    )

    page = await browser.get(f"/o/{organization_id}/projects/new", 403)

    assert "Your role allows this" in await page.get_data(as_text=True)


async def test_a_grant_that_is_gone_ends_the_session(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", viewer=person)
    browser = await open_browser(person)
    await browser.get(f"/o/{organization_id}/projects")

    await make.management._transport.call(
        "PATCH", f"/users/{person.id}/is-suspended", body={"isSuspended": True}
    )
    await expire(runtime, organization_id, person)

    assert (
        (await browser.get(f"/o/{organization_id}/projects", 303)).headers["Location"].startswith("/sign-in?")
    )
    assert await runtime.sessions.list_session_ids(person.id) == []
    await browser.get("/account", 303)


async def test_read_again_now_asks_logto(
    make: Factory, open_browser: OpenBrowser, calls: Counter[str]
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", editor=person)
    browser = await open_browser(person)
    await browser.get(f"/o/{organization_id}/projects/new")
    await make.give_roles(organization_id, person, Role.VIEWER)
    await browser.get(f"/o/{organization_id}/projects/new")  # the cached token still answers

    await browser.post(f"/o/{organization_id}/access/read-again")

    await browser.get(f"/o/{organization_id}/projects/new", 403)


def changing_while_it_is_read(
    monkeypatch: pytest.MonkeyPatch, runtime: Runtime, organization_id: str, person: Person, times: int
) -> None:
    """Let the membership change ``times`` times, each while a token is on its way."""
    fetch, left = LogtoCore.fetch_token, iter(range(times))

    async def fetch_and_change(self: LogtoCore, form: dict[str, str]) -> object:
        answer = await fetch(self, form)
        if next(left, None) is not None:
            await expire(runtime, organization_id, person)
        return answer

    monkeypatch.setattr(LogtoCore, "fetch_token", fetch_and_change)


async def test_a_membership_that_changes_while_it_is_read_is_read_again(
    make: Factory,
    open_browser: OpenBrowser,
    runtime: Runtime,
    calls: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", viewer=person)
    browser = await open_browser(person)
    calls.clear()
    changing_while_it_is_read(monkeypatch, runtime, organization_id, person, times=2)

    await browser.get(f"/o/{organization_id}/projects")

    assert calls == {"refresh_token": 3}


async def test_a_membership_that_never_stops_changing_is_unavailable_for_the_moment(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", viewer=person)
    browser = await open_browser(person)
    changing_while_it_is_read(monkeypatch, runtime, organization_id, person, times=100)

    refused = await browser.get(f"/o/{organization_id}/projects", 503)

    assert int(refused.headers["Retry-After"]) > 0


async def test_a_token_that_is_not_believed_for_long_answers_the_request_it_was_fetched_for(
    make: Factory, open_browser: OpenBrowser, settings: Settings
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", admin=person)
    browser = await open_browser(person)
    forgetful = create_app(settings.model_copy(update={"organization_token_max_age": 0.000_001}))
    async with forgetful.test_app():
        client = forgetful.test_client()
        client.cookie_jar = browser.app.cookie_jar
        for page in ("projects", "members", "access"):
            response = await client.get(f"/o/{organization_id}/{page}")
            assert response.status_code == 200

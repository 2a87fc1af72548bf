"""Sessions, sign-ins and tokens that expire, and responses of Logto that do not match the request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.errors import LogtoUnavailable
from saas_app.identity.logto_client import LogtoCore, ScopedTokenResponse
from saas_app.models import SessionToken, SignInAttemptRow
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory


async def session_of(runtime: Runtime, person: Person) -> Any:
    """Return the id of a person's only session."""
    (session_id,) = await runtime.sessions.list_session_ids(person.id)
    return session_id


@pytest.mark.parametrize(
    "past",
    [
        {"expires_at": timedelta(seconds=-1)},
        {"last_seen_at": timedelta(hours=-12, seconds=-1)},
    ],
    ids=["absolute", "idle"],
)
async def test_a_session_that_is_too_old_or_idle_has_ended(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, past: Mapping[str, timedelta]
) -> None:
    person = await make.person()
    browser = await open_browser(person)
    await browser.get("/account")

    moved = {name: utc_now() + distance for name, distance in past.items()}
    await runtime.sessions.update(await session_of(runtime, person), **moved)

    await browser.get("/account", 303)


async def test_a_session_in_use_does_not_end(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    person = await make.person()
    browser = await open_browser(person)
    session_id = await session_of(runtime, person)
    for _ in range(3):
        await runtime.sessions.update(session_id, last_seen_at=utc_now() - timedelta(hours=11))
        await browser.get("/account")


async def test_a_sign_in_that_took_too_long_has_expired(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    browser = await open_browser()
    callback = await browser.callback(await make.person())
    async with runtime.jobs.writing() as db:
        await db.execute(sa.update(SignInAttemptRow).values(expires_at=utc_now() - timedelta(seconds=1)))

    page = await browser.text(callback, 400)

    assert "expired" in page
    assert "/sign-in" in page


@pytest.mark.parametrize(
    "moved",
    [
        {"fetched_at": timedelta(seconds=-301)},
        {"expires_at": timedelta(seconds=59)},
        {"expires_at": timedelta(seconds=-1)},
    ],
    ids=["older than the maximum age", "about to expire", "expired"],
)
async def test_a_token_that_is_no_longer_fresh_is_fetched_once(
    open_office: OpenOffice,
    runtime: Runtime,
    monkeypatch: pytest.MonkeyPatch,
    moved: Mapping[str, timedelta],
) -> None:
    office = await open_office(viewer="Vera")
    await office.browser.get(f"{office.root}/projects")
    session_id = await session_of(runtime, office.person)
    async with runtime.jobs.writing() as db:
        values = {name: utc_now() + distance for name, distance in moved.items()}
        of_session = SessionToken.session_id == session_id
        await db.execute(sa.update(SessionToken).where(of_session).values(values))
    asked: list[str] = []
    fetch = LogtoCore.fetch_token

    async def counting(self: LogtoCore, form: Mapping[str, str]) -> ScopedTokenResponse:
        asked.append(form["organization_id"])
        return await fetch(self, form)

    monkeypatch.setattr(LogtoCore, "fetch_token", counting)

    for _ in range(2):
        await office.browser.get(f"{office.root}/projects")

    assert asked == [office.id]


async def test_a_token_for_another_organization_is_not_used(
    make: Factory, open_browser: OpenBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await make.person()
    mine = await make.organization("Mine", admin=person)
    other = await make.organization("Other", viewer=person)
    browser = await open_browser(person)
    fetch = LogtoCore.fetch_token

    async def swapped(self: LogtoCore, form: Mapping[str, str]) -> ScopedTokenResponse:
        return await fetch(self, {**form, "organization_id": mine})

    monkeypatch.setattr(LogtoCore, "fetch_token", swapped)
    await browser.get(f"/o/{other}/projects", 503)
    await browser.get(f"/o/{other}/access", 503)


async def down(self: LogtoCore, form: Mapping[str, str]) -> ScopedTokenResponse:
    raise LogtoUnavailable("Logto did not answer.")


async def test_while_logto_is_down_a_fresh_token_still_works(
    open_office: OpenOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = await open_office(viewer="Vera")
    await office.browser.get(f"{office.root}/projects")
    monkeypatch.setattr(LogtoCore, "fetch_token", down)

    await office.browser.get(f"{office.root}/projects")


async def test_while_logto_is_down_a_page_without_a_token_asks_to_retry_and_works_afterwards(
    open_office: OpenOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = await open_office(viewer="Vera")
    with monkeypatch.context() as broken:
        broken.setattr(LogtoCore, "fetch_token", down)
        refused = await office.browser.get(f"{office.root}/projects", 503)
        assert int(refused.headers["Retry-After"]) > 0

    await office.browser.get(f"{office.root}/projects")

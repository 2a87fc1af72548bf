"""Limits in time, and answers of Logto's that do not fit the question."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from saas_app.config import Settings
from saas_app.db.base import utc_now
from saas_app.errors import LogtoUnavailable
from saas_app.identity.logto_client import LogtoCore, ScopedTokenResponse
from saas_app.models import SessionToken, SignInAttemptRow
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory


async def session_of(runtime: Runtime, person: Person) -> Any:
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
async def test_a_session_ends_by_itself(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, past: Mapping[str, timedelta]
) -> None:
    person = await make.person()
    browser = await open_browser(person)
    await browser.get("/account")

    moved = {name: utc_now() + distance for name, distance in past.items()}
    await runtime.sessions.update(await session_of(runtime, person), **moved)

    await browser.get("/account", 303)


async def test_a_session_in_use_goes_on(make: Factory, open_browser: OpenBrowser, runtime: Runtime) -> None:
    person = await make.person()
    browser = await open_browser(person)
    session_id = await session_of(runtime, person)
    for _ in range(3):
        await runtime.sessions.update(session_id, last_seen_at=utc_now() - timedelta(hours=11))
        await browser.get("/account")


async def test_an_attempt_that_took_too_long_is_refused(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, settings: Settings
) -> None:
    browser = await open_browser()
    started = await browser.get("/sign-in", 303)
    callback = await browser.logto.authorize(
        started.headers["Location"], await make.person(), settings.redirect_uri
    )
    async with runtime.work.writing() as db:
        await db.execute(sa.update(SignInAttemptRow).values(expires_at=utc_now() - timedelta(seconds=1)))

    page = await (await browser.get(callback.removeprefix(settings.app_url), 400)).get_data(as_text=True)
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
async def test_a_token_that_is_no_longer_fresh_is_read_again(
    make: Factory,
    open_browser: OpenBrowser,
    runtime: Runtime,
    monkeypatch: pytest.MonkeyPatch,
    moved: Mapping[str, timedelta],
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", viewer=person)
    browser = await open_browser(person)
    await browser.get(f"/o/{organization_id}/projects")
    session_id = await session_of(runtime, person)
    asked: list[str] = []
    fetch = LogtoCore.fetch_token

    async def counting(self: LogtoCore, form: Mapping[str, str]) -> ScopedTokenResponse:
        asked.append(form["organization_id"])
        return await fetch(self, form)

    monkeypatch.setattr(LogtoCore, "fetch_token", counting)
    async with runtime.work.writing() as db:
        await db.execute(
            sa.update(SessionToken)
            .where(SessionToken.session_id == session_id)
            .values({name: utc_now() + distance for name, distance in moved.items()})
        )

    await browser.get(f"/o/{organization_id}/projects")
    await browser.get(f"/o/{organization_id}/projects")

    assert asked == [organization_id]


async def test_a_token_for_another_organization_opens_nothing(
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


async def test_a_failing_logto_is_said_so_and_heals(
    make: Factory, open_browser: OpenBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await make.person()
    warm = await make.organization("Warm", viewer=person)
    cold = await make.organization("Cold", viewer=person)
    browser = await open_browser(person)
    await browser.get(f"/o/{warm}/projects")

    async def down(self: LogtoCore, form: Mapping[str, str]) -> ScopedTokenResponse:
        raise LogtoUnavailable("Logto did not answer.")

    with monkeypatch.context() as broken:
        broken.setattr(LogtoCore, "fetch_token", down)
        await browser.get(f"/o/{warm}/projects")  # a fresh token goes on answering
        refused = await browser.get(f"/o/{cold}/projects", 503)
        assert int(refused.headers["Retry-After"]) > 0

    await browser.get(f"/o/{cold}/projects")

"""Only what somebody opens leaves a trace: not HEAD, and not what a browser fetches ahead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from saas_app.audit.recorder import Action
from saas_app.models import SessionRow, SignInAttemptRow
from saas_app.runtime import Runtime
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.audit.conftest import Office

AHEAD = [
    {"Sec-Purpose": "prefetch"},
    {"Sec-Purpose": "prefetch;prerender"},
    {"Purpose": "prefetch"},
    {"X-Moz": "prefetch"},
    {"X-Purpose": "preview"},
]
EXPORTS = ["/projects/export.csv", "/audit/export.csv"]


@pytest.fixture
async def office(open_office: Callable[..., Any]) -> Office:
    office: Office = await open_office("admin", "viewer")
    return office


@pytest.mark.parametrize("path", EXPORTS)
async def test_an_export_counts_only_when_somebody_downloads_it(office: Office, path: str) -> None:
    admin = office.browsers["admin"].app
    head = await admin.head(office.root + path)
    assert (head.status_code, await head.get_data()) == (200, b"")
    for headers in AHEAD:
        answer = await admin.get(office.root + path, headers=headers)
        assert (answer.status_code, await answer.get_data()) == (204, b""), "no data without a record"
        assert answer.headers["Cache-Control"] == "no-store"
    assert "exported</span>" not in await office.page()

    await office.get("admin", path)

    assert (await office.page()).count("exported</span>") == 1


async def test_whoever_looks_for_open_doors_is_recorded_whatever_the_purpose(office: Office) -> None:
    answer = await office.browsers["viewer"].app.get(f"{office.root}/audit", headers=AHEAD[0])
    assert answer.status_code == 403
    (line,) = await office.trail()
    assert line["Action"] == Action.ACCESS_DENY


async def test_an_organization_that_was_fetched_ahead_is_not_where_somebody_worked_last(
    office: Office, make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    person = await make.person("Pat")
    first = await make.organization("First", viewer=person)
    second = await make.organization("Second", viewer=person)
    browser = await open_browser(person)
    await browser.get(f"/o/{first}/projects")
    await browser.app.get(f"/o/{second}/projects", headers=AHEAD[0])
    await browser.app.head(f"/o/{second}/projects")
    async with runtime.work.reading() as db:
        last = await db.scalar(
            sa.select(SessionRow.last_organization_id).where(SessionRow.subject == person.id)
        )
    assert last == first


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/sign-in/renew", "/sign-in/fresh"])
async def test_no_sign_in_is_begun_ahead(office: Office, runtime: Runtime, path: str) -> None:
    async def attempts() -> int:
        async with runtime.work.reading() as db:
            return await db.scalar(sa.select(sa.func.count()).select_from(SignInAttemptRow)) or 0

    before = await attempts()
    answer = await office.browsers["admin"].app.get(path, headers=AHEAD[0])
    assert (answer.status_code, await attempts()) == (204, before)


async def test_a_callback_that_was_fetched_ahead_still_counts_when_it_is_opened(
    make: Factory, open_browser: OpenBrowser
) -> None:
    person, browser = await make.person("Pat"), await open_browser()
    started = await browser.get("/sign-in", 303)
    callback = await browser.logto.authorize(started.headers["Location"], person, browser._redirect_uri)
    path = "/callback?" + callback.partition("?")[2]
    await browser.app.head(path)
    await browser.app.get(path, headers=AHEAD[0])
    await browser.get(path, 303)
    await browser.get("/account")

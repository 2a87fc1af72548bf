"""Only pages that a person opens leave a trace. HEAD requests and prefetched pages leave none."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from saas_app.audit.recorder import Action
from saas_app.models import SessionRow, SignInAttemptRow
from saas_app.runtime import Runtime
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.audit.conftest import AuditedOffice, OpenAudited

AHEAD = [
    {"Sec-Purpose": "prefetch"},
    {"Sec-Purpose": "prefetch;prerender"},
    {"Purpose": "prefetch"},
    {"X-Moz": "prefetch"},
    {"X-Purpose": "preview"},
]
EXPORTS = ["/projects/export.csv", "/audit/export.csv"]


@pytest.fixture
async def office(open_audited: OpenAudited) -> AuditedOffice:
    return await open_audited(admin="Ada", viewer="Vera")


@pytest.mark.parametrize("path", EXPORTS)
async def test_an_export_that_is_only_prefetched_is_neither_sent_nor_recorded(
    office: AuditedOffice, path: str
) -> None:
    admin = office.browsers["admin"].app
    head = await admin.head(office.root + path)
    assert (head.status_code, await head.get_data()) == (200, b"")
    for headers in AHEAD:
        answer = await admin.get(office.root + path, headers=headers)
        assert (answer.status_code, await answer.get_data()) == (204, b""), "no data without a record"
        assert answer.headers["Cache-Control"] == "no-store"
    assert "exported</span>" not in await office.page()


@pytest.mark.parametrize("path", EXPORTS)
async def test_an_export_that_is_downloaded_is_recorded_once(office: AuditedOffice, path: str) -> None:
    await office.get("admin", path)
    assert (await office.page()).count("</b> exported ") == 1


async def test_a_denied_prefetch_is_recorded(office: AuditedOffice) -> None:
    answer = await office.browsers["viewer"].app.get(f"{office.root}/audit", headers=AHEAD[0])
    assert answer.status_code == 403
    (line,) = await office.entries()
    assert line["Action"] == Action.ACCESS_DENY


async def test_a_prefetched_organization_does_not_become_the_last_one(
    office: AuditedOffice, make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    person = await make.person("Pat")
    first = await make.organization("First", viewer=person)
    second = await make.organization("Second", viewer=person)
    browser = await open_browser(person)
    await browser.get(f"/o/{first}/projects")
    await browser.app.get(f"/o/{second}/projects", headers=AHEAD[0])
    await browser.app.head(f"/o/{second}/projects")
    async with runtime.jobs.reading() as db:
        last = await db.scalar(
            sa.select(SessionRow.last_organization_id).where(SessionRow.subject == person.id)
        )
    assert last == first


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/sign-in/renew", "/sign-in/fresh"])
async def test_a_prefetch_begins_no_sign_in(office: AuditedOffice, runtime: Runtime, path: str) -> None:
    async def attempts() -> int:
        async with runtime.jobs.reading() as db:
            return await db.scalar(sa.select(sa.func.count()).select_from(SignInAttemptRow)) or 0

    before = await attempts()
    answer = await office.browsers["admin"].app.get(path, headers=AHEAD[0])
    assert (answer.status_code, await attempts()) == (204, before)


async def test_a_callback_that_was_prefetched_works_when_it_is_opened(
    make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser()
    callback = await browser.callback(await make.person("Pat"))
    await browser.app.head(callback)
    await browser.app.get(callback, headers=AHEAD[0])

    await browser.get(callback, 303)

    await browser.get("/account")

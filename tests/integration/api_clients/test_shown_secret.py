"""A new secret survives a reload for a minute, in the session that made it and nowhere else."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.errors import DatabaseBusy
from saas_app.identity.shown_secrets import SHOWN_FOR
from saas_app.models import ShownSecretRow
from saas_app.runtime import Runtime
from tests.conftest import OpenBrowser
from tests.integration.api_clients.conftest import Acme, create, root_of, send, shown
from tests.integration.members.conftest import text_of


async def rows_of(runtime: Runtime, client_id: str) -> list[ShownSecretRow]:
    async with runtime.work.reading() as db:
        named = ShownSecretRow.name.endswith(client_id)
        return list(await db.scalars(sa.select(ShownSecretRow).where(named)))


async def let_a_minute_pass(runtime: Runtime) -> None:
    async with runtime.work.writing() as db:
        await db.execute(sa.update(ShownSecretRow).values(expires_at=utc_now() - timedelta(seconds=1)))


async def test_a_reload_shows_the_secret_again_and_makes_nothing(acme: Acme) -> None:
    machine = await create(acme.browser, acme.id)
    for _ in range(2):
        page = await acme.browser.get(f"{root_of(acme.id)}/{machine.id}/secret")
        assert (await shown(page)).secret == machine.secret
        assert page.headers["Cache-Control"] == "no-store"
    assert len(await acme.management.list_secrets(machine.id)) == 1


async def test_after_a_rotation_the_reload_shows_the_new_one_and_what_was_told(acme: Acme) -> None:
    machine = await create(acme.browser, acme.id)
    for name in (".", ".."):
        await acme.management.create_secret(machine.id, name)
    rotated = await shown(await send(acme.browser, f"{root_of(acme.id)}/{machine.id}/rotate"))
    page = await text_of(await acme.browser.get(f"{root_of(acme.id)}/{machine.id}/secret"))
    assert rotated.secret in page
    assert "2 old secrets still work." in page


async def test_after_a_minute_it_is_gone_from_the_page_and_the_database(acme: Acme, runtime: Runtime) -> None:
    machine = await create(acme.browser, acme.id)
    (row,) = await rows_of(runtime, machine.id)
    assert utc_now() < row.expires_at <= utc_now() + SHOWN_FOR <= utc_now() + timedelta(seconds=90)
    await let_a_minute_pass(runtime)

    page = await text_of(await acme.browser.get(f"{root_of(acme.id)}/{machine.id}/secret", 410))

    assert machine.secret not in page
    assert f'href="{root_of(acme.id)}/{machine.id}/rotate"' in page
    assert await rows_of(runtime, machine.id) == []


async def test_a_busy_session_of_anybody_clears_what_is_due(acme: Acme, runtime: Runtime) -> None:
    machine = await create(acme.browser, acme.id)
    await let_a_minute_pass(runtime)
    (session_id,) = await runtime.sessions.list_session_ids(acme.admin.id)
    await runtime.sessions.update(session_id, last_seen_at=utc_now() - timedelta(seconds=90))
    await acme.browser.get("/account")
    assert await rows_of(runtime, machine.id) == []


async def test_another_session_of_the_same_person_does_not_see_it(
    acme: Acme, open_browser: OpenBrowser
) -> None:
    machine = await create(acme.browser, acme.id)
    other = await open_browser(acme.admin)
    page = await text_of(await other.get(f"{root_of(acme.id)}/{machine.id}/secret", 410))
    assert machine.secret not in page


async def test_it_goes_with_the_session(acme: Acme, runtime: Runtime) -> None:
    machine = await create(acme.browser, acme.id)
    await acme.browser.post("/sign-out")
    assert await rows_of(runtime, machine.id) == []


async def test_what_waits_is_encrypted_and_in_no_address(acme: Acme, runtime: Runtime) -> None:
    led_to = await acme.browser.post(f"{root_of(acme.id)}/new", {"name": "Sealed"})
    machine = await shown(await acme.browser.get(led_to.headers["Location"]))
    assert machine.secret not in str(led_to.headers)
    (row,) = await rows_of(runtime, machine.id)
    assert row.payload.startswith(b"gAAAA")
    assert machine.secret.encode() not in row.payload


async def test_a_client_that_is_not_there_is_not_found(acme: Acme) -> None:
    await acme.browser.get(f"{root_of(acme.id)}/nobody/secret", 404)


async def test_a_secret_that_cannot_be_put_aside_is_shown_at_once(
    acme: Acme, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object) -> None:
        raise DatabaseBusy

    monkeypatch.setattr("saas_app.identity.shown_secrets.ShownSecrets.put", busy)
    answer = await acme.browser.post(f"{root_of(acme.id)}/new", {"name": "At once"}, expect=200)
    assert len((await shown(answer)).secret) > 20

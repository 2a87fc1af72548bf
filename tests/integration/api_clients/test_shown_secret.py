"""A new secret can be shown again for a minute, in the session that created it and nowhere else."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.errors import DatabaseBusy
from saas_app.identity.membership_changes import note_change
from saas_app.identity.shown_secrets import SHOWN_FOR
from saas_app.models import ShownSecretRow
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import text_of
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.api_clients.conftest import Acme, new_form, shown
from tests.integration.faulty_logto import Fault, Faulty


async def rows_of(runtime: Runtime, client_id: str) -> list[ShownSecretRow]:
    async with runtime.jobs.writing() as db:
        named = ShownSecretRow.name.endswith(client_id)
        return list(await db.scalars(sa.select(ShownSecretRow).where(named)))


async def let_a_minute_pass(runtime: Runtime) -> None:
    async with runtime.jobs.writing() as db:
        await db.execute(sa.update(ShownSecretRow).values(expires_at=utc_now() - timedelta(seconds=1)))


async def test_reloading_shows_the_secret_again_and_creates_no_other(acme: Acme) -> None:
    machine = await acme.create()
    for _ in range(2):
        page = await acme.browser.get(f"{acme.clients}/{machine.id}/secret")
        assert (await shown(page)).secret == machine.secret
        assert page.headers["Cache-Control"] == "no-store"
    assert len(await acme.management.list_secrets(machine.id)) == 1


async def test_reloading_after_a_rotation_shows_the_new_secret_and_the_warning(acme: Acme) -> None:
    machine = await acme.create()
    for name in (".", ".."):
        await acme.management.create_secret(machine.id, name)
    rotated = await shown(await acme.send(f"/{machine.id}/rotate"))
    page = await acme.browser.text(f"{acme.clients}/{machine.id}/secret")
    assert rotated.secret in page
    assert "2 old secrets still work." in page


async def test_after_a_minute_the_secret_is_gone_from_the_page_and_the_database(
    acme: Acme, runtime: Runtime
) -> None:
    machine = await acme.create()
    (row,) = await rows_of(runtime, machine.id)
    assert utc_now() < row.expires_at <= utc_now() + SHOWN_FOR <= utc_now() + timedelta(seconds=90)
    await let_a_minute_pass(runtime)

    page = await acme.browser.text(f"{acme.clients}/{machine.id}/secret", 410)

    assert machine.secret not in page
    assert f'href="{acme.clients}/{machine.id}/rotate"' in page
    assert await rows_of(runtime, machine.id) == []


async def test_any_active_session_deletes_expired_secrets(acme: Acme, runtime: Runtime) -> None:
    machine = await acme.create()
    await let_a_minute_pass(runtime)
    (session_id,) = await runtime.sessions.list_session_ids(acme.admin.id)
    await runtime.sessions.update(session_id, last_seen_at=utc_now() - timedelta(seconds=90))
    await acme.browser.get("/account")
    assert await rows_of(runtime, machine.id) == []


async def test_another_session_of_the_same_person_does_not_see_the_secret(
    acme: Acme, open_browser: OpenBrowser
) -> None:
    machine = await acme.create()
    other = await open_browser(acme.admin)
    page = await other.text(f"{acme.clients}/{machine.id}/secret", 410)
    assert machine.secret not in page


async def test_another_admin_does_not_see_the_secret(
    acme: Acme, make: Factory, open_browser: OpenBrowser
) -> None:
    machine = await acme.create()
    other = await open_browser(await make.member(acme.id, "Bob", Role.ADMIN))
    answer = await other.get(f"{acme.clients}/{machine.id}/secret", 410)
    assert machine.secret not in await answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store"


async def test_an_admin_who_is_demoted_within_the_minute_does_not_see_the_secret(
    acme: Acme, make: Factory, runtime: Runtime
) -> None:
    machine = await acme.create()
    await make.give_roles(acme.id, acme.admin, Role.VIEWER)
    await note_change(runtime.work, acme.id, acme.admin.id)
    assert machine.secret not in await acme.browser.text(f"{acme.clients}/{machine.id}/secret", 403)


async def test_the_secret_is_not_shown_in_another_organization_of_the_same_person(
    acme: Acme, make: Factory
) -> None:
    machine = await acme.create()
    globex = await make.organization("Globex", admin=acme.admin)
    page = await text_of(await acme.browser.follow(f"/o/{globex}/api-clients/{machine.id}/secret"))
    assert machine.secret not in page


async def test_the_secrets_of_two_clients_are_shown_each_on_its_own_page(acme: Acme) -> None:
    first, second = await acme.create("First"), await acme.create("Second")
    for machine, other in ((first, second), (second, first)):
        page = await acme.browser.text(f"{acme.clients}/{machine.id}/secret")
        assert machine.secret in page
        assert other.secret not in page


async def test_the_secret_of_a_client_that_was_revoked_meanwhile_is_not_shown(acme: Acme) -> None:
    machine = await acme.create()
    await acme.browser.post(f"{acme.clients}/{machine.id}/revoke")
    page = await acme.browser.text(f"{acme.clients}/{machine.id}/secret", 404)
    assert machine.secret not in page


async def test_while_logto_does_not_respond_the_secret_is_shown(faulty: Faulty) -> None:
    machine = await faulty.acme.create()
    faulty.gate.fail(Fault("GET", r"/applications/", status=503))
    assert machine.secret in await faulty.acme.browser.text(f"{faulty.acme.clients}/{machine.id}/secret")


async def test_after_signing_out_and_in_again_the_secret_is_gone(acme: Acme) -> None:
    machine = await acme.create()
    await acme.browser.post("/sign-out")
    await acme.browser.sign_in(acme.admin)
    page = await acme.browser.text(f"{acme.clients}/{machine.id}/secret", 410)
    assert machine.secret not in page


async def test_the_secret_is_deleted_with_the_session(acme: Acme, runtime: Runtime) -> None:
    machine = await acme.create()
    await acme.browser.post("/sign-out")
    assert await rows_of(runtime, machine.id) == []


async def test_the_stored_secret_is_encrypted_and_in_no_url(acme: Acme, runtime: Runtime) -> None:
    led_to = await acme.browser.post(f"{acme.clients}/new", new_form("Sealed"))
    machine = await shown(await acme.browser.get(led_to.headers["Location"]))
    assert machine.secret not in str(led_to.headers)
    (row,) = await rows_of(runtime, machine.id)
    assert row.payload.startswith(b"gAAAA")
    assert machine.secret.encode() not in row.payload


async def test_the_secret_of_an_unknown_client_is_not_found(acme: Acme) -> None:
    await acme.browser.get(f"{acme.clients}/nobody/secret", 404)


async def test_a_secret_that_cannot_be_stored_is_shown_in_the_response(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object) -> None:
        raise DatabaseBusy

    monkeypatch.setattr("saas_app.identity.shown_secrets.ShownSecrets.put", busy)
    answer = await acme.browser.post(f"{acme.clients}/new", new_form("At once"), expect=200)
    assert len((await shown(answer)).secret) > 20

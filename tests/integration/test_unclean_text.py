"""NUL, lone surrogates and the like in every input: rejected or cleaned, never an internal error."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from quart import Quart, request

from saas_app.audit.recorder import SYSTEM, Action, AuditEntry, Target
from saas_app.coordination.jobs import Failure
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.upsert import upsert
from saas_app.identity.directory import Directory, organizations_of
from saas_app.models import AuditEvent, Organization, PendingChange, User
from saas_app.operations.reconciliation.service import Repair
from saas_app.organizations.removal import Removals, remove_pending
from saas_app.runtime import Runtime
from saas_app.web.context import browser as browser_of
from tests.clients import SAME_ORIGIN
from tests.factories import Factory
from tests.integration.reconciling import reconciler_of
from tests.integration.records import pending_in
from tests.offices import Office
from tests.removals import order_removal

UNCLEAN = "\x00\x1b\x9f\ufffe"


@pytest.mark.parametrize("char", ["\x00", "\x1b", "\x9f", "\ufffe", "\u2028"])
async def test_an_unclean_email_address_is_not_invited(
    shared_acme: Office, runtime: Runtime, char: str
) -> None:
    response = await shared_acme.browser.app.post(
        f"/api/v1/organizations/{shared_acme.id}/invitations",
        json={"email": f"a{char}b@example.test", "roles": ["viewer"]},
        headers=SAME_ORIGIN,
    )
    assert response.status_code == 422
    assert await pending_in(runtime, shared_acme.id) == []
    assert await shared_acme.management.list_invitations(shared_acme.id) == []


@pytest.mark.parametrize(
    "path",
    [
        "/o/{acme}%00/",
        "/o/%ED%A0%80/",
        "/invitations/a%00b",
        "/invitations/a%EF%BF%BEb",
        "/invitations/%E2%80%8B",
        "/api/v1/organizations/{acme}/members/a%00b",
        "/o/{acme}/members/%1b/roles",
        "/o/{acme}/api-clients/a%00/revoke",
    ],
)
async def test_an_unclean_url_is_not_found(shared_acme: Office, path: str) -> None:
    assert (await shared_acme.browser.app.get(path.format(acme=shared_acme.id))).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/o?q=%00a%ED%A0%80",
        "/o?after=%00",
        "/o/switch?q=%00&feature=%00&current=%00",
        "/o/{acme}/projects?q=%00a%1b&status=%00&sort=%00",
        "/o/{acme}/members?q=%00a&role=%00",
        "/o/{acme}/audit?actor=%00a&actor_id=%00&target=%00&target_id=%00",
        "/o/{acme}/invitations/new?address=%00a@example.test",
        "/sign-in/renew?for=%00&next=/o%00",
        "/sign-in?login_hint=%00&next=%00",
    ],
)
async def test_control_characters_in_a_query_are_ignored(shared_acme: Office, path: str) -> None:
    response = await shared_acme.browser.app.get(path.format(acme=shared_acme.id))
    assert response.status_code in (200, 303, 400)
    assert "\x00" not in await response.get_data(as_text=True)


async def test_unclean_headers_are_cleaned(app: Quart) -> None:
    headers = {"User-Agent": "Fire\x85fox\x9f\x01/1"}
    async with app.test_request_context("/", headers=headers):
        assert browser_of(request).user_agent == "Fire fox/1"


async def test_text_that_no_input_cleaned_is_cleaned_before_it_is_stored(runtime: Runtime) -> None:
    row = {"id": f"u{new_uuid().hex}", "name": "A\x00da \ud800", "seen_at": utc_now()}
    async with runtime.jobs.writing() as db:
        await upsert(db, User, [row], key=("id",))
    async with runtime.jobs.reading() as db:
        assert await db.scalar(sa.select(User.name).where(User.id == row["id"])) == "A\ufffdda \ufffd"
        assert await db.scalar(sa.select(User.id).where(User.name == "A\x00da \ud800")) == row["id"]


async def test_names_from_claims_and_userinfo_are_stored_clean(runtime: Runtime) -> None:
    directory, subject = Directory(runtime.work), f"u{new_uuid().hex}"
    organization_id = f"o{new_uuid().hex}"
    await directory.remember_user({"sub": subject, "name": f"A{UNCLEAN}da\ud800", "email": 7, "picture": []})
    info = {
        "organization_data": [
            {"id": organization_id, "name": f"Ac{UNCLEAN}me\ud800"},
            {"id": "a\x00b", "name": "x"},
            "no object",
        ]
    }
    await directory.remember_organizations(organizations_of(info))
    assert organizations_of({"organization_data": "text"}) == []
    async with runtime.jobs.writing() as db:
        person = await db.get_one(User, subject)
        assert (person.name, person.email, person.picture) == ("Ada", None, None)
        assert (await db.get_one(Organization, organization_id)).name == "Acme"


async def _notes(runtime: Runtime, organization_id: str) -> int:
    """Return the number of notes. Unreadable ones count too."""
    async with runtime.work.reading(organization_id) as db:
        return await db.scalar(sa.select(sa.func.count()).select_from(PendingChange)) or 0


def _note(organization_id: str, entry: dict[str, Any]) -> PendingChange:
    return PendingChange(id=new_uuid(), entry=entry, subjects=[], started_at=utc_now() - timedelta(hours=1))


async def _add_unreadable_note(runtime: Runtime, organization_id: str, entry: str) -> None:
    """Add a note whose row holds JSON of another kind, or no JSON at all."""
    note = _note(organization_id, {})
    async with runtime.work.writing(organization_id) as db:
        db.add(note)
    async with runtime.jobs.writing() as db:
        text = sa.type_coerce(entry, sa.Text) if db.dialect_name == "sqlite" else sa.cast(entry, sa.JSON)
        table = sa.Table(
            PendingChange.__tablename__, sa.MetaData(), sa.Column("id", sa.Uuid), sa.Column("entry")
        )
        await db.execute(sa.update(table).where(table.c.id == note.id).values(entry=text))


UNREADABLE = ["null", "[]", '"text"', "7", '{"actor": 1}']
NO_JSON = ["", "{", "[" * 5000]  # PostgreSQL can store none of them


@pytest.fixture
async def unreadable_notes(runtime: Runtime, acme: Office) -> list[str]:
    """Unreadable notes of an organization, beside a readable one."""
    is_sqlite = runtime.settings.database_url.startswith("sqlite")
    entries = [*UNREADABLE, *(NO_JSON if is_sqlite else ())]
    for entry in entries:
        await _add_unreadable_note(runtime, acme.id, entry)
    return entries


@pytest.fixture
async def poisoned(runtime: Runtime, acme: Office) -> AsyncIterator[str]:
    """An organization with one unreadable note, and one with text that no database can store."""
    good = AuditEntry(SYSTEM, Action.INVITATION_CREATE, Target("invitation", "a\x00b", "a\x00b@example.test"))
    async with runtime.work.writing(acme.id) as db:
        db.add(_note(acme.id, {"action": "no.such.thing"}))
        db.add(_note(acme.id, good.as_json()))
    yield acme.id
    async with runtime.work.writing(acme.id) as db:
        await db.execute(sa.delete(PendingChange).execution_options(synchronize_session=False))


@pytest.mark.parametrize("run", [1, 2])
async def test_unreadable_notes_are_reported_and_do_not_stop_reconciling(
    runtime: Runtime, make: Factory, poisoned: str, unreadable_notes: list[str], run: int
) -> None:
    reconciler = reconciler_of(runtime.jobs, make)
    repairs: list[Repair] = []
    failures: list[Failure] = []
    for _ in range(run):
        found = [item async for item in reconciler.run(poisoned)]
        repairs += [item for item in found if isinstance(item, Repair)]
        failures = [item for item in found if isinstance(item, Failure)]

    assert len(failures) == len(unreadable_notes) + 1
    assert all("the note" in failure.item for failure in failures)
    assert any("invitation.create" in item.what for item in repairs)
    assert await _notes(runtime, poisoned) == len(unreadable_notes) + 1
    async with runtime.work.writing(poisoned) as db:
        (event,) = await db.scalars(
            sa.select(AuditEvent).where(AuditEvent.action == Action.INVITATION_CREATE)
        )
    assert event.target_name == "a\ufffdb@example.test"


@pytest.mark.usefixtures("no_pending_removals")
async def test_unreadable_notes_do_not_stop_a_removal(
    runtime: Runtime, poisoned: str, unreadable_notes: list[str]
) -> None:
    await order_removal(runtime.jobs, poisoned, "Gone", "somebody")
    assert await remove_pending(runtime.jobs, runtime.management) == Removals(1)
    assert await _notes(runtime, poisoned) == 0


@pytest.mark.usefixtures("no_pending_removals")
async def test_a_removal_that_fails_does_not_stop_the_others(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = f"bad{new_uuid().hex}", f"good{new_uuid().hex}"
    for organization_id in (bad, good):
        await order_removal(runtime.jobs, organization_id, "Gone", "somebody")
    async with runtime.work.writing(bad) as db:
        deletion = AuditEntry(SYSTEM, Action.ORGANIZATION_DELETE, Target("organization", bad, "Gone"))
        db.add(_note(bad, deletion.as_json() | {"outcome": "neither"}))
    assert await remove_pending(runtime.jobs, runtime.management) == Removals(2)
    async with runtime.work.reading(bad) as db:
        actions = list(await db.scalars(sa.select(AuditEvent.action)))
    assert actions == [Action.ORGANIZATION_REMOVE_DATA]

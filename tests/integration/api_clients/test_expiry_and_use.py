"""How long the secret of an API client works, what it is for, and when it was last used."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from saas_app.api_clients import values
from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity import client_use
from saas_app.models import ApiClient
from saas_app.runtime import Runtime
from tests.clients import Machine
from tests.integration.api_clients.conftest import Acme, Programs, new_form, shown
from tests.integration.records import events_of


async def create(acme: Acme, name: str = "Dashboard", **form: str) -> Machine:
    return await shown(await acme.send("/new", new_form(name, **form)))


async def ends_of(acme: Acme, machine: Machine) -> list[datetime | None]:
    """Return when the secrets of a client expire."""
    secrets = await acme.management.list_secrets(machine.id)
    return [values.Secrets.of([secret]).expires_at for secret in secrets]


async def test_the_only_secret_of_a_client_expires_as_chosen(
    acme: Acme, programs: Programs, runtime: Runtime
) -> None:
    machine = await create(acme, expires="30")

    (end,) = await ends_of(acme, machine)
    assert end is not None
    assert timedelta(days=29) < end - utc_now() <= timedelta(days=30)
    assert (await programs.ask(machine, acme.id))[0] == 200
    assert "The secret expires on <time" in await acme.browser.text(f"{acme.clients}/{machine.id}/secret")
    (made,) = await events_of(runtime, acme.id)
    assert (made.after or {})["secret_expires_at"][:16] == end.isoformat()[:16]


async def test_a_rotated_secret_expires_as_chosen_then(acme: Acme) -> None:
    machine = await create(acme)
    assert await ends_of(acme, machine) == [None]

    await acme.send(f"/{machine.id}/rotate", {"expires": "365"})

    (end,) = await ends_of(acme, machine)
    assert end is not None
    assert end - utc_now() > timedelta(days=364)


async def test_without_a_choice_a_new_secret_expires_after_90_days(acme: Acme) -> None:
    form = {"name": "Dashboard", "permissions": "projects:read"}
    machine = await shown(await acme.send("/new", form))
    (first,) = await ends_of(acme, machine)

    await acme.send(f"/{machine.id}/rotate")

    (second,) = await ends_of(acme, machine)
    for end in (first, second):
        assert end is not None
        assert timedelta(days=89) < end - utc_now() <= timedelta(days=90)


async def test_a_lifetime_that_is_not_offered_is_refused(acme: Acme) -> None:
    machine = await create(acme)

    await acme.browser.submit(f"{acme.clients}/new", new_form("Other", expires="36500"), 422)
    page = await acme.browser.submit(f"{acme.clients}/{machine.id}/rotate", {"expires": "soon"}, 422)

    assert 'aria-invalid="true"' in page
    (secret,) = await acme.management.list_secrets(machine.id)
    assert secret.value == machine.secret


async def test_the_list_warns_before_a_secret_expires_and_marks_it_afterwards(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create(acme, expires="30")
    assert "Expires soon" not in await acme.browser.text(acme.clients)

    monkeypatch.setattr(values, "WARNED_BEFORE", timedelta(days=31))
    assert "Expires soon" in await acme.browser.text(acme.clients)

    monkeypatch.setattr(values, "utc_now", lambda: utc_now() + timedelta(days=31))
    assert ">Expired</span>" in await acme.browser.text(acme.clients)


async def test_a_description_is_stored_at_logto_and_shown(acme: Acme) -> None:
    machine = await create(acme, description="  Runs at <night>\n")
    await create(acme, name="Other")

    application = await acme.management.find_application(machine.id)
    listed = await (await acme.browser.get(acme.clients)).get_data(as_text=True)
    assert application is not None
    assert '<span class="client-about">Runs at &lt;night&gt;</span>' in listed
    assert "created in Workroom" not in listed


async def used_at(work: UnitOfWork, organization_id: str) -> datetime | None:
    async with work.reading(organization_id) as db:
        moment: datetime | None = await db.scalar(sa.select(ApiClient.last_used_at))
    return moment


async def test_the_list_shows_when_a_client_was_last_used(
    acme: Acme, programs: Programs, work: UnitOfWork
) -> None:
    robot = await programs.connect(await create(acme), acme.id)
    assert await used_at(work, acme.id) is None

    await robot.json("GET", "/projects")

    noted = await used_at(work, acme.id)
    assert noted is not None
    assert utc_now() - noted < timedelta(minutes=1)
    assert '<span class="fact-label">Last used</span> <time' in await acme.browser.text(acme.clients)


async def test_use_is_noted_once_in_a_quarter_of_an_hour(
    acme: Acme, programs: Programs, work: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot = await programs.connect(await create(acme), acme.id)
    await robot.json("GET", "/projects")
    first = await used_at(work, acme.id)

    await robot.json("GET", "/projects")
    assert await used_at(work, acme.id) == first

    later = utc_now() + client_use.NOTED_EVERY
    monkeypatch.setattr(client_use, "utc_now", lambda: later)
    await robot.json("GET", "/projects")
    assert await used_at(work, acme.id) == later


async def test_a_request_succeeds_although_its_use_cannot_be_noted(
    acme: Acme, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot = await programs.connect(await create(acme), acme.id)
    monkeypatch.setattr(client_use, "utc_now", lambda: "not a moment")

    await robot.json("GET", "/projects")

"""What a webhook about an organization or a person changes: names, deletions and suspensions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from saas_app.models import EVERYONE, EVERYWHERE, Organization, OrganizationRemoval, User
from saas_app.runtime import Runtime
from saas_app.text.branding import Branding
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.webhooks.webhook_sender import Sender, an_id, changed_at, event, past_event

pytestmark = pytest.mark.usefixtures("no_mark_on_every_membership")


async def name_of(runtime: Runtime, organization_id: str) -> str | None:
    found = (await runtime.directory.list_organizations([organization_id])).get(organization_id)
    return found.name if found else None


async def test_a_deleted_organization_is_closed_and_its_data_is_due_for_removal(
    logto: Sender, runtime: Runtime
) -> None:
    organization_id = an_id()
    await logto.accepted(event("Organization.Created", data={"id": organization_id, "name": "Acme"}))

    await logto.accepted(
        event(
            "Organization.Deleted",
            params={"id": organization_id},
            matchedRoute="/organizations/:id",
            data=None,
        )
    )

    assert await changed_at(runtime, organization_id, EVERYONE) is not None
    async with runtime.jobs.writing() as db:
        removal = await db.get(OrganizationRemoval, organization_id)
    assert removal is not None
    assert (removal.organization_name, removal.requested_by) == ("Acme", "logto")


async def test_a_logo_and_color_set_in_logto_are_copied_if_pages_may_show_them(
    logto: Sender, runtime: Runtime
) -> None:
    organization_id, logo = an_id(), "https://logos.example.com/acme.svg"
    named = {"id": organization_id, "name": "Acme"}
    branded = {"branding": {"logoUrl": logo}, "color": {"primaryColor": "#36C"}}
    unsafe = {"branding": {"logoUrl": "http://10.0.0.1/"}, "color": {"primaryColor": "url(//x)"}}
    found = []
    for data in (branded, {}, unsafe):
        await logto.accepted(event("Organization.Data.Updated", data={**named, **data}))
        found.append(
            (await runtime.directory.list_organizations([organization_id]))[organization_id].branding
        )

    assert found == [Branding(logo, None, "#3366cc"), Branding(logo, None, "#3366cc"), Branding()]


async def test_a_renamed_organization_is_renamed_here_and_its_tokens_become_stale(
    logto: Sender, runtime: Runtime
) -> None:
    organization_id = an_id()
    for name in ("Before", "Afterwards"):
        data = {"id": organization_id, "name": name, "isMfaRequired": True}
        await logto.accepted(event("Organization.Data.Updated", data=data))

    async with runtime.jobs.writing() as db:
        kept = await db.get(Organization, organization_id)
    assert kept is not None
    assert kept.name == "Afterwards"
    assert await changed_at(runtime, organization_id, EVERYONE) is not None


@pytest.mark.parametrize(("is_suspended", "status"), [(False, 200), (True, 303)])
async def test_a_suspended_person_is_signed_out_and_a_readmitted_one_is_not(
    logto: Sender,
    runtime: Runtime,
    make: Factory,
    open_browser: OpenBrowser,
    is_suspended: bool,
    status: int,
) -> None:
    person = await make.person()
    browser = await open_browser(person)
    data = {"id": person.id, "isSuspended": is_suspended}

    await logto.accepted(event("User.SuspensionStatus.Updated", params={"userId": person.id}, data=data))

    await browser.get("/account", status)
    assert (await changed_at(runtime, EVERYWHERE, person.id) is not None) is is_suspended


async def test_a_changed_name_is_stored_and_custom_data_is_not(
    logto: Sender, runtime: Runtime, make: Factory, open_browser: OpenBrowser
) -> None:
    person = await make.person()
    await open_browser(person)
    params = {"userId": person.id}
    user = {"id": person.id, "name": "New Name", "primaryEmail": "new@example.test", "username": "new"}

    await logto.accepted(event("User.Data.Updated", matchedRoute="/users/:userId", params=params, data=user))
    await logto.accepted(
        event(
            "User.Data.Updated",
            matchedRoute="/users/:userId/custom-data",
            params=params,
            data={"id": person.id, "name": "Their own data"},
        )
    )

    async with runtime.jobs.writing() as db:
        kept = await db.get(User, person.id)
    assert kept is not None
    assert (kept.name, kept.email, kept.username) == ("New Name", "new@example.test", "new")


@pytest.mark.parametrize("late", [2, 45, 3600])
@pytest.mark.parametrize("name", ["Organization.Data.Updated", "Organization.Created"])
async def test_an_older_name_that_arrives_late_does_not_replace_a_newer_one(
    logto: Sender, runtime: Runtime, name: str, late: float
) -> None:
    organization_id, renamed = an_id(), "Organization.Data.Updated"
    await logto.accepted(past_event(renamed, 1, data={"id": organization_id, "name": "Newer"}))

    await logto.accepted(past_event(name, 1 + late, data={"id": organization_id, "name": "Older"}))

    assert await name_of(runtime, organization_id) == "Newer"
    await logto.accepted(past_event(renamed, 0, data={"id": organization_id, "name": "Newest"}))
    assert await name_of(runtime, organization_id) == "Newest"


async def test_an_older_name_does_not_replace_one_that_was_read_since(
    logto: Sender, runtime: Runtime
) -> None:
    organization_id = an_id()
    await runtime.directory.remember_organizations([{"id": organization_id, "name": "Read"}])
    await logto.accepted(
        past_event("Organization.Data.Updated", 5, data={"id": organization_id, "name": "Told late"})
    )
    assert await name_of(runtime, organization_id) == "Read"


@pytest.mark.parametrize("name", ["Organization.Data.Updated", "Organization.Created"])
async def test_a_late_event_does_not_bring_a_deleted_organization_back(
    logto: Sender, runtime: Runtime, name: str
) -> None:
    organization_id = an_id()
    gone = {"params": {"id": organization_id}, "matchedRoute": "/organizations/:id"}
    await logto.accepted(past_event("Organization.Deleted", 1, **gone))
    await logto.accepted(past_event(name, 2, data={"id": organization_id, "name": "Back"}))
    await runtime.directory.remember_organizations([{"id": organization_id, "name": "Back"}])
    assert await name_of(runtime, organization_id) is None


async def test_a_person_has_the_newest_of_several_names(
    logto: Sender, runtime: Runtime, make: Factory, open_browser: OpenBrowser
) -> None:
    person = await make.person("Sam")
    await open_browser(person)

    def renamed(name: str, seconds_ago: float) -> dict[str, Any]:
        data = {"id": person.id, "username": person.username, "name": name}
        return past_event("User.Data.Updated", seconds_ago, data=data, params={"userId": person.id})

    await asyncio.sleep(0.002)  # Logto tells milliseconds
    await logto.accepted(renamed("Samantha", 0))
    await logto.accepted(renamed("Samuel", 30))
    async with runtime.jobs.reading() as db:
        assert await db.scalar(sa.select(User.name).where(User.id == person.id)) == "Samantha"

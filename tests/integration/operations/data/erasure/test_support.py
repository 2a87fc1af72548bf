"""After support access, neither the agent nor the member is left in the audit log once they are erased."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from saas_app.config import Settings
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.models import AuditEvent
from saas_app.operations.data.erasure import erase_person
from saas_app.runtime import Runtime
from tests.clients import FRESH, Person
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory
from tests.integration.operations.data.erasure.zoe import find_texts
from tests.integration.records import events_of
from tests.integration.support.conftest import SUPPORT
from tests.integration.support.rows import allow_support
from tests.integration.support.test_starting import accesses_to

OTHER = {"agent": "member", "member": "agent"}


@dataclass(frozen=True, slots=True)
class Acted:
    """An access that a customer's admin ended, during which the agent was denied a page."""

    organization_id: str
    people: dict[str, Person]
    names: dict[str, str]
    reason: str


@pytest.fixture
async def acted(
    open_office: OpenOffice, open_browser: OpenBrowser, make: Factory, settings: Settings, runtime: Runtime
) -> Acted:
    acme, team = await open_office(admin="Ada"), settings.support_organization_id
    names = {who: f"{who.title()}_{secrets.token_hex(4)}" for who in OTHER}
    people = {
        "agent": await make.member(team, names["agent"], SUPPORT),
        "member": await make.member(acme.id, names["member"], "viewer"),
    }
    reason = f"{names['member']} sees no error.\nThe “export” stops."
    await allow_support(runtime, acme.id)
    desk = await open_browser()
    await desk.sign_in(people["agent"], FRESH)
    form = {"organization": acme.id, "member": people["member"].id, "ticket": "4711", "level": "read"}
    await desk.post(f"/o/{team}/support/start", {**form, "reason": reason})
    await desk.get(f"{acme.root}/settings", 403)
    (access,) = await accesses_to(runtime, acme.id)
    await acme.browser.post(f"{acme.root}/support-access/{access.id}/end")
    return Acted(acme.id, people, names, reason)


async def events_about(acted: Acted, runtime: Runtime) -> list[AuditEvent]:
    """Return the start, the denial and the end of the access."""
    wanted = ("support.start", "access.deny", "support.end")
    return [event for event in await events_of(runtime, acted.organization_id) if event.action in wanted]


async def test_before_the_erasure_each_event_names_both(acted: Acted, runtime: Runtime) -> None:
    for event in await events_about(acted, runtime):
        assert all(name in str(vars(event)) for name in acted.names.values())
        assert all(person.id in str(vars(event)) for person in acted.people.values())


@pytest.mark.parametrize("who", OTHER)
async def test_neither_their_name_nor_the_reason_is_left(
    acted: Acted, operator: UnitOfWork, plain: AsyncEngine, who: str
) -> None:
    before = await find_texts(plain, [acted.reason])
    assert before == {("audit_events", "after"), ("support_accesses", "reason")}

    await erase_person(operator, acted.people[who].id)

    assert await find_texts(plain, [acted.names[who], acted.reason]) == set()


@pytest.mark.parametrize("who", OTHER)
async def test_the_other_person_stays_in_each_event(
    acted: Acted, operator: UnitOfWork, runtime: Runtime, who: str
) -> None:
    await erase_person(operator, acted.people[who].id)

    events = await events_about(acted, runtime)
    assert [acted.names[OTHER[who]] in str(vars(event)) for event in events] == [True, True, True]

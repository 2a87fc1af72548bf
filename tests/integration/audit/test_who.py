"""The filter *Who*, the time zone of the page, and the audit log of the demo."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from saas_app.audit.queries import find_events
from saas_app.audit.recorder import Action, Actor, AuditEntry, Target, record
from saas_app.audit.seed import seed_entries
from saas_app.audit.values import EventFilter
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.demo.audit_history import history_of
from saas_app.demo.people import ORGANIZATIONS, PEOPLE, DemoOrganization, members_of
from saas_app.logto import LogtoUser
from saas_app.models import Outcome
from saas_app.rbac.permissions import Role
from tests.integration.audit.conftest import AuditedOffice, OpenAudited

DEMO_USERS = {
    person.username: LogtoUser(
        id=person.username, username=person.username, email=person.email, name=person.name
    )
    for person in PEOPLE
}


@pytest.fixture
async def office(open_audited: OpenAudited) -> AuditedOffice:
    office = await open_audited(admin="Ada", viewer="Vera")
    await office.get("viewer", "/audit", 403)
    await office.post("admin", "/projects/new", {"name": "Apollo"})
    return office


@pytest.mark.parametrize(
    "wanted",
    [
        lambda person: f"{person.username}@example.test",
        lambda person: f"{person.username}@EXAMPLE".upper(),
        lambda person: person.username,
        lambda person: person.id,
        lambda person: "Vera",
    ],
)
async def test_a_person_is_found_by_address_username_id_or_name(
    office: AuditedOffice, wanted: Callable[[Any], str]
) -> None:
    lines = await office.entries(f"?actor={wanted(office.people['viewer'])}")
    assert [line["Actor id"] for line in lines] == [office.people["viewer"].id]


async def test_a_person_is_found_by_ip_address(office: AuditedOffice) -> None:
    assert len(await office.entries("?actor=%3Clocal%3E")) == 2
    assert await office.entries("?actor=203.0.113.99") == []


def shown_times(page: str) -> list[str]:
    return re.findall(r"<time[^>]*>([^<]*)</time>", page.partition("<main")[2])


async def test_all_times_are_in_utc_until_the_zone_of_the_reader_is_known(office: AuditedOffice) -> None:
    page = await office.page()

    assert "Times are in UTC." in page
    assert "data-local" not in page
    assert len(shown_times(page)) == 2


async def test_times_and_days_of_the_filter_are_in_the_zone_of_the_reader(
    office: AuditedOffice, work: UnitOfWork
) -> None:
    """The event is on 20 November in UTC, and on the 21st in Auckland."""
    story = AuditEntry(Actor("sam", "Sam"), Action.PROJECT_CREATE, Target("project", "1", "Midnight"))
    async with work.writing(office.id) as db:
        record(db, story, at=datetime(2026, 11, 20, 12, 30, tzinfo=UTC))
    office.browsers["admin"].app.set_cookie("localhost", "workroom_zone", "Pacific/Auckland")

    page = await office.page("?since=2026-11-21&until=2026-11-21")

    assert "Times are in Pacific/Auckland." in page
    assert [time.split(",")[-1].strip() for time in shown_times(page)] == ["1:30\u202fAM"]
    assert "Midnight" not in await office.page("?until=2026-11-20")
    (line,) = await office.entries("?since=2026-11-21&until=2026-11-21")
    assert line["Time (UTC)"] == "2026-11-20 12:30:00"


@pytest.mark.parametrize("declared", ORGANIZATIONS, ids=lambda declared: declared.key)
def test_the_history_of_the_demo_leads_to_its_members_and_their_roles(declared: DemoOrganization) -> None:
    roles: dict[str, str] = {}
    for event in history_of(declared, "acme", DEMO_USERS):
        entry = event.entry
        if entry.action is Action.ORGANIZATION_CREATE:
            roles[entry.actor.id] = Role.ADMIN
        elif entry.action is Action.INVITATION_ACCEPT:
            (roles[entry.actor.id],) = (entry.after or {})["roles"]
        elif entry.action is Action.MEMBER_CHANGE_ROLES:
            assert entry.before == {"roles": [roles[entry.target.id]]}
            (roles[entry.target.id],) = (entry.after or {})["roles"]
        elif entry.action is Action.MEMBER_REMOVE:
            del roles[entry.target.id]
        assert entry.actor.id in roles  # nobody acts before joining or after leaving

    assert roles == {person.username: role for person, role in members_of(declared)}


@pytest.mark.parametrize("declared", ORGANIZATIONS, ids=lambda declared: declared.key)
async def test_the_demo_has_weeks_of_events_by_several_people_with_denials(
    work: UnitOfWork, declared: Any
) -> None:
    organization_id, now = f"org-{new_uuid().hex}", utc_now()
    told = history_of(declared, organization_id, DEMO_USERS)
    for is_new in (True, False):
        async with work.writing(organization_id) as db:
            assert await seed_entries(db, told, now) is is_new
    async with work.reading(organization_id) as db:
        rows = (await find_events(db, EventFilter(), None, 200)).rows

    assert len(rows) == len(told)
    assert [row.occurred_at for row in rows] == sorted((row.occurred_at for row in rows), reverse=True)
    assert rows[0].occurred_at - rows[-1].occurred_at > timedelta(days=28)
    assert {row.outcome for row in rows} == set(Outcome)
    assert all(
        row.decision["allowed"] is False for row in rows if row.outcome is Outcome.DENIED and row.decision
    )
    changes = [row for row in rows if row.action == Action.MEMBER_CHANGE_ROLES]
    assert changes
    assert len({row.actor_id for row in rows}) >= 2
    last = {row.target_id: (row.after or {}).get("roles") for row in reversed(changes)}
    for person in PEOPLE:
        if person.username in last:
            assert last[person.username] == [person.roles[declared.key].value]

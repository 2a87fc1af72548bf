"""Searching the audit log: what is found beyond the newest entries, and what is not looked for there."""

from __future__ import annotations

import pytest

from saas_app.audit import queries
from saas_app.audit.queries import find_events
from saas_app.audit.recorder import Action, Actor, Target
from saas_app.audit.values import EventFilter
from saas_app.db.base import new_uuid
from saas_app.db.unit_of_work import UnitOfWork
from tests.integration.audit.conftest import AuditedOffice, OpenAudited, add_events
from tests.integration.audit.test_pages import every_id, ids_on

CAROL = Target("member", "id-of-carol", "Carol Ångström")


@pytest.fixture(autouse=True)
def _small_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for parts of texts among the newest three entries, and read actor by actor for one actor only."""
    monkeypatch.setattr(queries, "WINDOW", 3)
    monkeypatch.setattr(queries, "_FEW", 1)


@pytest.fixture
async def organization_id(work: UnitOfWork) -> str:
    """An organization with an old event of Carol by Eve, an old one by Dan, and ten newer ones by Sam."""
    organization_id = f"org-{new_uuid().hex}"
    await add_events(work, organization_id, 1, actor=Actor("eve", "Eve Adams"), target=CAROL)
    await add_events(work, organization_id, 1, actor=Actor("dan", "Dan Adams"), action=Action.TASK_DELETE)
    await add_events(work, organization_id, 10)
    return organization_id


async def found(work: UnitOfWork, organization_id: str, wanted: EventFilter) -> list[str]:
    """Return the ids of the actors of all events that match, newest first."""
    async with work.reading(organization_id) as db:
        result = await find_events(db, wanted, None, 50)
    assert result.further is None
    return [row.actor_id for row in result.rows]


@pytest.mark.parametrize(
    ("wanted", "actors"),
    [
        (EventFilter(target="carol"), ["eve"]),
        (EventFilter(target="CAROL Ång"), ["eve"]),
        (EventFilter(target="id-of-carol"), ["eve"]),
        (EventFilter(target="d-of-caro"), []),
        (EventFilter(target="carol", actor="eve"), ["eve"]),
        (EventFilter(target="carol", actor="sam"), []),
        (EventFilter(target="carol", action=Action.TASK_DELETE), []),
        (EventFilter(actor="eve"), ["eve"]),
        (EventFilter(actor="adams"), ["dan", "eve"]),
        (EventFilter(actor="adams", action=Action.TASK_DELETE), ["dan"]),
        (EventFilter(actor="adams", actor_id="eve"), ["eve"]),
        (EventFilter(actor_id="dan", action=Action.TASK_DELETE), ["dan"]),
        (EventFilter(actor_id="sam", action=Action.TASK_DELETE), []),
        (EventFilter(actor="nobody"), []),
    ],
)
async def test_old_entries_are_found_beyond_the_newest(
    work: UnitOfWork, organization_id: str, wanted: EventFilter, actors: list[str]
) -> None:
    assert await found(work, organization_id, wanted) == actors


async def test_an_actor_is_found_by_each_of_their_names(work: UnitOfWork, organization_id: str) -> None:
    await add_events(work, organization_id, 2, actor=Actor("eve", "Eve Baker"))
    for name in ("eve adams", "eve baker"):
        assert await found(work, organization_id, EventFilter(actor=name)) == ["eve", "eve", "eve"]


async def test_an_actor_of_another_organization_is_not_found(work: UnitOfWork, organization_id: str) -> None:
    elsewhere = f"org-{new_uuid().hex}"
    await add_events(work, elsewhere, 5, actor=Actor("eve", "Mallory Adams"))
    assert await found(work, organization_id, EventFilter(actor="mallory")) == []
    assert await found(work, organization_id, EventFilter(actor="adams")) == ["dan", "eve"]


@pytest.fixture
async def office(open_audited: OpenAudited, work: UnitOfWork) -> AuditedOffice:
    """An organization with three events of Ai and nine others, each three older than the next."""
    office = await open_audited(admin="Ada")
    for _ in range(3):
        await add_events(work, office.id, 1, target=Target("member", "ai", "Ai"))
        await add_events(work, office.id, 4)
    return office


async def test_a_text_of_two_letters_is_looked_for_from_page_to_page(office: AuditedOffice) -> None:
    first = await office.page("?target=ai")
    assert ids_on(first) == []
    assert "No matching entries so far" in first
    assert len(await every_id(office, "?target=ai")) == 3
    assert [line["Target"] for line in await office.entries("?target=ai")] == ["Ai"] * 3

"""What a page of the audit log costs, and filters by time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from saas_app.audit.queries import find_events, first_id
from saas_app.audit.recorder import Action
from saas_app.audit.values import EventFilter
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.models import Outcome
from tests.integration.audit.conftest import add_events

NOW = datetime(2026, 11, 21, tzinfo=UTC)

FILTERS = {
    "all": EventFilter(),
    "actor": EventFilter(actor="Sam"),
    "actor id": EventFilter(actor_id="sam"),
    "action": EventFilter(action=Action.PROJECT_CREATE),
    "outcome": EventFilter(outcome=Outcome.DENIED),
    "target": EventFilter(target="Apollo"),
    "target id": EventFilter(target_id="project-1"),
    "days": EventFilter(since=NOW - timedelta(days=7), until=NOW),
}


@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS.keys())
@pytest.mark.parametrize("later", [False, True], ids=["first", "later"])
async def test_a_page_costs_one_statement_and_a_search_another(
    work: UnitOfWork, count_statements: Callable[[], Any], wanted: EventFilter, later: bool
) -> None:
    with count_statements() as statements:
        async with work.reading(f"org-{new_uuid().hex}") as db:
            await find_events(db, wanted, new_uuid() if later else None, 51)
    assert len(statements) == (2 if wanted.target else 1)


async def test_a_filter_by_time_is_exact(work: UnitOfWork) -> None:
    organization_id = f"org-{new_uuid().hex}"
    await add_events(work, organization_id, 3)
    async with work.reading(organization_id) as db:
        newest, middle, oldest = (await find_events(db, EventFilter(), None, 10)).rows
        since = (await find_events(db, EventFilter(since=middle.occurred_at), None, 10)).rows
        until = (await find_events(db, EventFilter(until=middle.occurred_at), None, 10)).rows
    assert [row.id for row in since] == [newest.id, middle.id]
    assert [row.id for row in until] == [oldest.id]


def test_the_first_id_of_a_moment_is_less_than_every_id_made_later() -> None:
    before, made, after = utc_now(), new_uuid(), utc_now()
    assert first_id(before) <= made < first_id(after + timedelta(milliseconds=1))
    assert first_id(datetime(1969, 1, 1, tzinfo=UTC)).int == 0

"""Lists of the Management API, read page by page over real HTTP while they change."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from saas_app.errors import LogtoUnavailable
from saas_app.logto import ManagementClient
from saas_app.operations.reconciliation.logto_state import read_state
from tests.unit.logto.management_stand_in import ORGANIZATION, StandIn, replies


async def test_every_page_is_read(client: ManagementClient, stand_in: StandIn) -> None:
    async def page(request: web.Request) -> web.Response:
        first = (int(request.query["page"]) - 1) * int(request.query["page_size"])
        found = [{**ORGANIZATION, "id": f"o{n}"} for n in range(250)][first : first + 100]
        return web.json_response(found, headers={"Total-Number": "250"})

    stand_in.replies = [page]

    organizations = await client.list_organizations()

    assert [organization.id for organization in organizations] == [f"o{n}" for n in range(250)]
    assert [call.query["page_size"] for call in stand_in.calls] == [
        "100"
    ] * 6  # all pages again, to see whether the list changed


class MovingList:
    """A list that loses its first entry after each reading of page 1, ``changes`` times.

    With ``newcomers`` another entry is added at the end, so that the length stays.
    """

    def __init__(
        self, length: int, *, changes: int, newcomers: bool = False, entry: dict[str, Any] = ORGANIZATION
    ) -> None:
        self.entry = entry
        self.ids = [f"o{number:04}" for number in range(length)]
        self.changes = changes
        self.newcomers = newcomers

    async def page(self, request: web.Request) -> web.Response:
        number, size = int(request.query["page"]), int(request.query["page_size"])
        found = [{**self.entry, "id": id_} for id_ in self.ids[(number - 1) * size : number * size]]
        total = len(self.ids)
        if number == 1 and self.changes:
            self.changes -= 1
            del self.ids[0]
            if self.newcomers:
                self.ids.append(f"p{self.changes:04}")
        return web.json_response(found, headers={"Total-Number": str(total)})


@pytest.mark.parametrize("newcomers", [False, True])
async def test_no_entry_is_missed_when_an_earlier_one_is_removed_between_two_pages(
    client: ManagementClient, stand_in: StandIn, newcomers: bool
) -> None:
    moving = MovingList(250, changes=2, newcomers=newcomers)
    stand_in.replies = [moving.page]

    organizations = await client.list_organizations()

    assert [organization.id for organization in organizations] == moving.ids


async def test_reconciliation_misses_no_member_when_another_is_removed_meanwhile(
    client: ManagementClient, stand_in: StandIn
) -> None:
    members = MovingList(250, changes=1, entry={"id": "", "organizationRoles": []})
    stand_in.replies = [replies(ORGANIZATION), members.page]

    state = await read_state(client, "o1")

    assert sorted(state.people) == members.ids


async def test_a_list_that_changes_during_every_reading_is_reported_as_unavailable(
    client: ManagementClient, stand_in: StandIn
) -> None:
    stand_in.replies = [MovingList(250, changes=100).page]

    with pytest.raises(LogtoUnavailable, match="kept changing"):
        await client.list_organizations()

    assert len(stand_in.calls) == 15  # five readings of three pages


async def test_a_list_of_one_page_is_read_once(client: ManagementClient, stand_in: StandIn) -> None:
    stand_in.replies = [MovingList(100, changes=0).page]

    await client.list_organizations()

    assert len(stand_in.calls) == 1

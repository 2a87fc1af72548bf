"""Paging through members while others join and leave: nobody who stays is skipped or repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import pytest

from saas_app.errors import BadRequest, LogtoUnavailable
from saas_app.members.cursors import Position, following, read_position
from saas_app.members.values import Listing


@dataclass(frozen=True, slots=True)
class Somebody:
    id: str


async def walk(members: list[str], size: int, meanwhile: Callable[[int], None]) -> list[str]:
    """Read all pages and return their members. ``meanwhile`` runs between two pages."""
    seen: list[str] = []

    async def read(number: int, length: int) -> Listing[Somebody]:
        ordered = sorted(members)[(number - 1) * length : number * length]
        return Listing(tuple(map(Somebody, ordered)), number, len(members), length)

    cursor: str | None = None
    while True:
        found = await following(read_position(cursor, size), read)
        seen += [item.id for item in found.items]
        cursor = found.next_cursor
        if cursor is None:
            return seen
        meanwhile(len(seen))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 10])
@pytest.mark.parametrize("gone", [[], [0], [0, 1, 2], [3], [9], [2, 3, 4], list(range(5))])
async def test_removing_members_skips_nobody_who_stays(size: int, gone: list[int]) -> None:
    everybody = [f"m{number}" for number in range(10)]
    members, stays = list(everybody), [name for name in everybody if int(name[1:]) not in gone]

    def remove(_seen: int) -> None:
        members[:] = stays

    seen = await walk(members, size, remove)
    assert [name for name in seen if name in stays] == stays
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("size", [1, 2, 3, 5])
async def test_adding_members_repeats_nobody(size: int) -> None:
    everybody = [f"m{number}" for number in range(10)]
    members = list(everybody)

    def add(seen: int) -> None:
        members.append(f"a{seen:03}")
        members.append(f"m5{seen:03}")

    seen = await walk(members, size, add)
    assert set(everybody) <= set(seen)
    assert len(seen) == len(set(seen))
    assert seen == sorted(seen)


class MovingList:
    """A list that loses its first member after each reading, ``changes`` times.

    With ``replaced`` another member is added at the end, so that the length stays.
    """

    def __init__(self, changes: int, *, replaced: bool) -> None:
        self.members = [f"m{number:02}" for number in range(12)]
        self.changes = changes
        self.replaced = replaced

    async def read(self, number: int, length: int) -> Listing[Somebody]:
        found, total = self.members[(number - 1) * length : number * length], len(self.members)
        if self.changes:
            self.changes -= 1
            del self.members[0]
            if self.replaced:
                self.members.append(f"z{100 - self.changes:03}")
        return Listing(tuple(map(Somebody, found)), number, total, length)


@pytest.mark.parametrize("replaced", [False, True])
async def test_nobody_is_skipped_if_a_member_is_removed_while_a_page_is_read(replaced: bool) -> None:
    moving = MovingList(1, replaced=replaced)
    found = await following(Position("m02", 1, 4), moving.read)
    assert [item.id for item in found.items] == ["m03", "m04", "m05", "m06"]


async def test_a_list_that_changes_during_every_reading_is_reported_as_unavailable() -> None:
    readings = count()

    async def read(number: int, length: int) -> Listing[Somebody]:
        return Listing((Somebody("a"), Somebody(f"n{next(readings)}")), number, 100, length)

    with pytest.raises(LogtoUnavailable):
        await following(Position("m", 1, 2), read)


class LongList:
    """A thousand members, and how often a page of them was read."""

    def __init__(self) -> None:
        self.members = [f"m{number:03}" for number in range(1000)]
        self.readings = 0

    async def read(self, number: int, length: int) -> Listing[Somebody]:
        self.readings += 1
        found = self.members[(number - 1) * length : number * length]
        return Listing(tuple(map(Somebody, found)), number, len(self.members), length)


@pytest.fixture
def long_list() -> LongList:
    return LongList()


@pytest.mark.parametrize(
    "position", [Position("", 1000, 1), Position("m000", 500, 2), Position("m998", 1, 1)]
)
async def test_a_position_far_from_its_page_is_rejected_after_a_few_reads(
    long_list: LongList, position: Position
) -> None:
    with pytest.raises(BadRequest):
        await following(position, long_list.read)
    assert long_list.readings <= 22


async def test_a_page_number_beyond_the_end_leads_to_the_last_page(long_list: LongList) -> None:
    found = await following(Position("m997", 1_000_000, 10), long_list.read)
    assert [item.id for item in found.items] == ["m998", "m999"]
    assert long_list.readings == 2

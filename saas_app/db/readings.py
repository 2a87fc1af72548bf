"""Several small questions in one statement, for pages that show parts of several features.

A feature describes a question as a :class:`Reading`. A page that has several asks them together, which saves
round trips to the database. The statement is a union, in which each part has columns of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from saas_app.db.session import DatabaseSession

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Reading(Generic[T]):
    """A statement that is built once and kept, the values of its parameters, and what its rows mean.

    The order of the rows is lost if it is read with others, so ``result_of`` must not rely on it.
    """

    statement: sa.Select[*tuple[Any, ...]]
    values: Mapping[str, Any]
    result_of: Callable[[Sequence[Sequence[Any]]], T]

    async def read(self, db: DatabaseSession) -> T:
        """Return the result, in a statement of its own."""
        return self.result_of((await db.execute(self.statement, self.values)).all())


class Results:
    """The results of readings, each with the type of its reading."""

    def __init__(self, results: Mapping[Reading[Any], Any]) -> None:
        self._results = results

    def of(self, reading: Reading[T] | None) -> T | None:
        """Return the result of a reading, or None for a reading that was left out."""
        return None if reading is None else self._results[reading]


async def read_together(db: DatabaseSession, *wanted: Reading[Any] | None) -> Results:
    """Read all in one statement. Their parameters have different names."""
    readings = [reading for reading in wanted if reading is not None]
    if not readings:
        return Results({})
    values: dict[str, Any] = {}
    for reading in readings:
        if shared := values.keys() & reading.values.keys():
            raise ValueError(f"two readings have a parameter {shared.pop()}")
        values |= reading.values
    rows = (await db.execute(_union(tuple(reading.statement for reading in readings)), values)).all()
    results, start = {}, 1
    for place, reading in enumerate(readings):
        end = start + len(reading.statement.selected_columns)
        results[reading] = reading.result_of([row[start:end] for row in rows if row[0] == place])
        start = end
    return Results(results)


@cache
def _union(statements: tuple[sa.Select[*tuple[Any, ...]], ...]) -> sa.Select[*tuple[Any, ...]]:
    """Number the rows by their statement. In the columns of the other statements they are empty."""
    parts = [list(statement.subquery().c) for statement in statements]
    selects = [
        sa.select(
            sa.literal_column(str(place), sa.Integer).label("part"),
            *(
                (column if own is part else sa.cast(sa.null(), column.type)).label(f"column_{at}_{number}")
                for at, part in enumerate(parts)
                for number, column in enumerate(part)
            ),
        ).select_from(own[0].table)
        for place, own in enumerate(parts)
    ]
    return sa.select(sa.union_all(*selects).subquery())

"""Searching for a part of a text by an index.

On PostgreSQL, a GIN index finds the three-letter sequences (trigrams) of the part among the rows of one
organization (``pg_trgm`` and ``btree_gin``, both part of PostgreSQL). SQLite has no such index: there, a
search reads the organization's own rows.
"""

from __future__ import annotations

import re
from typing import Final

import sqlalchemy as sa

ESCAPE: Final = "\\"
"""The character before a wildcard in a pattern of :func:`containing`."""

_WILDCARD: Final = re.compile(r"[\\%_]")
_THREE_LETTERS: Final = re.compile(r"[^\W_]{3}")

_PENDING: Final = 256
"""Kilobytes of new entries that wait to be sorted in. Reading them costs a search a millisecond at most, and
sorting them in costs one change in hundreds some milliseconds."""


def containing(text: str) -> str:
    """Return the ``LIKE`` pattern of texts that contain ``text``."""
    literal = _WILDCARD.sub(r"\\\g<0>", text)
    return f"%{literal}%"


def has_trigram(text: str) -> bool:
    """Return whether an index can find ``text``: it has three letters or digits in a row."""
    return _THREE_LETTERS.search(text) is not None


def row_by_row(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Return a condition that is checked row by row, in the order in which rows are read.

    The planner uses no index for it, and expects that many rows match. Otherwise it may collect and sort all
    rows that match, although the first ones fill the page.
    """
    return sa.func.coalesce(condition, sa.false())


def text_index(name: str, *columns: str, text: str) -> sa.Index:
    """Declare an index that finds rows by ``columns`` and by a part of the column ``text``."""
    return sa.Index(
        name,
        *columns,
        text,
        postgresql_using="gin",
        postgresql_ops={text: "gin_trgm_ops"},
        postgresql_with={"gin_pending_list_limit": _PENDING},
        info={"dialect": "postgresql"},  # for the comparison with the migrations
    ).ddl_if(dialect="postgresql")

"""The search of ``GET /users``: ``search``, ``search.<field>``, ``mode``, ``joint`` and others."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

import sqlalchemy as sa
from quart import request

from local_logto.management.failures import invalid_input
from local_logto.management.rows import contains_text, snake
from local_logto.tables import organization_users, users

SEARCH_FIELDS: Final = ("id", "primary_email", "primary_phone", "username", "name")


def fuzzy(wanted: str) -> sa.ColumnElement[bool]:
    """Return a condition for users with the text in any searchable field, ignoring case."""
    return contains_text(wanted, (users.c[field] for field in SEARCH_FIELDS))


def read_search() -> list[sa.ColumnElement[bool]]:
    """Return the query's conditions. Raises 400 ``request.invalid_input`` for an invalid search."""
    conditions: list[sa.ColumnElement[bool]] = []
    matches = [match for name, value in request.args.items(multi=True) for match in _match(name, value)]
    if matches:
        joint = request.args.get("joint", "or")
        if joint not in ("and", "or"):
            raise invalid_input(400, f"Search joint `{joint}` is not valid, expect one of and, or.", data={})
        conditions.append((sa.and_ if joint == "and" else sa.or_)(*matches))
    organization_id = request.args.get("excludeOrganizationId")
    if organization_id:
        members = sa.select(organization_users.c.user_id).where(
            organization_users.c.organization_id == organization_id
        )
        conditions.append(users.c.id.not_in(members))
    return conditions


def _match(name: str, value: str) -> list[sa.ColumnElement[bool]]:
    if name != "search" and not name.startswith("search."):
        return []
    given = name.removeprefix("search").removeprefix(".")
    field = snake(given)
    if given and field not in SEARCH_FIELDS:
        reason = f"Search field `{given}` is not valid, expect one of {', '.join(SEARCH_FIELDS)}."
        raise invalid_input(400, reason, data={})
    if not value:
        raise invalid_input(400, "Search value cannot be empty.", data={})
    mode = request.args.get(f"mode.{given}" if given else "mode") or request.args.get("mode") or "like"
    if mode not in _CONDITIONS:
        reason = f"Search mode `{mode}` is not valid, expect one of {', '.join(_CONDITIONS)}."
        raise invalid_input(400, reason, data={})
    if mode != "exact" and len(request.args.getlist(name)) > 1:
        reason = "Only one search value is allowed when search mode is not `exact`."
        raise invalid_input(400, reason, data={})
    if mode == "similar_to" and not _is_case_sensitive():
        raise invalid_input(400, "Cannot use case-insensitive match for `similar to`.", data={})
    wanted = [field] if given else SEARCH_FIELDS
    return [sa.or_(*(_CONDITIONS[mode](users.c[column], value) for column in wanted))]


def _is_case_sensitive() -> bool:
    return request.args.get("isCaseSensitive") == "true"


def _equals(column: sa.Column[str], value: str) -> sa.ColumnElement[bool]:
    return column == value if _is_case_sensitive() else sa.func.lower(column) == value.lower()


def _like(column: sa.Column[str], value: str) -> sa.ColumnElement[bool]:
    return _matches_regex(column, f"^(?:{_from_sql_pattern(re.escape(value))})$")


def _similar(column: sa.Column[str], value: str) -> sa.ColumnElement[bool]:
    return _matches_regex(column, f"^(?:{_from_sql_pattern(value)})$")


def _posix(column: sa.Column[str], value: str) -> sa.ColumnElement[bool]:
    return _matches_regex(column, value)


def _from_sql_pattern(pattern: str) -> str:
    return pattern.replace("%", ".*").replace("_", ".")


def _matches_regex(column: sa.Column[str], pattern: str) -> sa.ColumnElement[bool]:
    flags = "(?s)" if _is_case_sensitive() else "(?si)"
    try:
        re.compile(flags + pattern)
    except re.error:
        raise invalid_input(400, "Search pattern is not valid.", data={}) from None
    return column.is_not(None) & column.regexp_match(flags + pattern)


_CONDITIONS: Final[Mapping[str, Callable[[sa.Column[str], str], sa.ColumnElement[bool]]]] = {
    "like": _like,
    "exact": _equals,
    "similar_to": _similar,
    "posix": _posix,
}

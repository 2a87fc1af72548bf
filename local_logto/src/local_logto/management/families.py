"""Routes that differ only in their tables and names, as declarations.

:class:`Entities` are the rows of a table, by ID. :class:`Related` are the rows that an owner is related to. A
family lists which of these routes it has, and implements any others itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from quart import Blueprint, Response, request

from local_logto.context import current_store
from local_logto.management.entities import Entity
from local_logto.management.guard import read_body
from local_logto.management.paging import list_response, read_page, read_paging
from local_logto.management.relations import Change, Relation
from local_logto.management.rows import (
    contains_text,
    delete_row,
    get_row,
    insert_row,
    to_columns,
    update_row,
)
from local_logto.responses import created, json_response, no_content
from local_logto.store import new_id
from local_logto.values import ANY_TEXTS, SOME_TEXTS, Kind, Shape
from local_logto.webhooks import announce

Owner = Mapping[str, str]
View = Callable[..., Awaitable[Response]]
Show = Callable[[sa.RowMapping], Entity]
Get = Callable[[sa.Connection, sa.Table, str], sa.RowMapping]


NO_MEMBERS: Final = Shape()


def _new_id() -> dict[str, Any]:
    return {"id": new_id()}


def _searched(query: sa.Select[Any], columns: tuple[sa.Column[Any], ...]) -> sa.Select[Any]:
    wanted = request.args.get("q")
    return query.where(contains_text(wanted, columns)) if wanted and columns else query


@dataclass(frozen=True)
class Entities:
    """The rows of a table as entities below the blueprint's path.

    ``body`` is the shape of a new entity; a change takes the same members, all optional. ``columns`` turns a
    body into column values, and ``new`` adds those that no body sets. ``events`` is the prefix of the webhook
    events, empty if Logto sends none. ``q`` searches the columns in ``search``. ``get`` and
    ``get_before_delete`` raise the error for a missing row.
    """

    table: sa.Table
    show: Show
    body: Shape = NO_MEMBERS
    order: tuple[sa.ColumnElement[Any], ...] = ()
    search: tuple[sa.Column[Any], ...] = ()
    events: str = ""
    columns: Callable[[Mapping[str, Any]], dict[str, Any]] = to_columns
    new: Callable[[], dict[str, Any]] = _new_id
    get: Get = get_row
    get_before_delete: Get | None = None
    is_paging_optional: bool = False

    def serve(self, blueprint: Blueprint, *names: str, parameter: str = "entity_id") -> None:
        """Add these routes: ``list``, ``create``, ``read``, ``change``, ``delete``."""
        one = f"/<{parameter}>"
        routes: dict[str, tuple[str, str, View]] = {
            "list": ("GET", "", self._list),
            "create": ("POST", "", self._create),
            "read": ("GET", one, self._read),
            "change": ("PATCH", one, self._change),
            "delete": ("DELETE", one, self._delete),
        }
        for name in names:
            method, path, view = routes[name]
            blueprint.add_url_rule(path, name, view, methods=[method])

    def found(self) -> sa.Select[Any]:
        """Return the ordered query of a list, narrowed by ``q``."""
        return _searched(sa.select(self.table), self.search).order_by(*self.order)

    def announce(self, event: str, **members: object) -> None:
        """Queue a webhook event for the end of this request."""
        if self.events:
            announce(f"{self.events}.{event}", **members)

    async def _list(self) -> Response:
        paging = read_paging(is_optional=self.is_paging_optional)
        with current_store().begin() as connection:
            page = read_page(connection, self.found(), paging)
        return list_response([self.show(row) for row in page.rows], page)

    async def _create(self) -> Response:
        values = self.columns(await read_body(self.body)) | self.new()
        with current_store().begin() as connection:
            entity = self.show(insert_row(connection, self.table, values))
        self.announce("Created", data=entity)
        return json_response(entity, 201)

    async def _read(self, **ids: str) -> Response:
        (row_id,) = ids.values()
        with current_store().begin() as connection:
            row = self.get(connection, self.table, row_id)
        return json_response(self.show(row))

    async def _change(self, **ids: str) -> Response:
        (row_id,) = ids.values()
        values = self.columns(await read_body(self.body.partial()))
        with current_store().begin() as connection:
            row = update_row(connection, self.table, values, self.table.c.id == row_id)
        entity = self.show(row)
        self.announce("Data.Updated", data=entity)
        return json_response(entity)

    async def _delete(self, **ids: str) -> Response:
        (row_id,) = ids.values()
        with current_store().begin() as connection:
            if self.get_before_delete:
                self.get_before_delete(connection, self.table, row_id)
            delete_row(connection, self.table, self.table.c.id == row_id)
        self.announce("Deleted")
        return no_content()


def _allow(_connection: sa.Connection, _ids: Sequence[str]) -> None:
    """Accept any IDs. The database knows which exist."""


def _require_nothing(_connection: sa.Connection, **_owner: str) -> None:
    """Accept any owner."""


def _announce_nothing(_owner: Owner, _change: Change) -> None:
    """Send no webhook, as Logto 1.42 does for most relations."""


def _answer_created(_ids: Sequence[str], _change: Change) -> Response:
    return created()


@dataclass(frozen=True)
class Related:
    """The rows that an owner is related to. The path's parameters are columns of the relation's table.

    ``ids`` is the name of the list in a body. ``listed`` is the table of the related rows, which ``show``
    renders and ``q`` searches in the columns ``search``. ``require`` checks the owner before anything else,
    ``exists`` before a list, and ``check`` the given IDs.
    """

    relation: Relation
    ids: str
    listed: sa.Table
    show: Show
    search: tuple[sa.Column[Any], ...] = ()
    require: Callable[..., object] = _require_nothing
    exists: Callable[..., object] = _require_nothing
    check: Callable[[sa.Connection, Sequence[str]], None] = _allow
    announce: Callable[[Owner, Change], None] = _announce_nothing
    answer: Callable[[Sequence[str], Change], Response] = _answer_created

    def serve(self, blueprint: Blueprint, path: str, *names: str) -> None:
        """Add these routes below ``path``: ``list``, ``add``, ``replace``, ``remove``."""
        routes: dict[str, tuple[str, str, View]] = {
            "list": ("GET", path, self._list),
            "add": ("POST", path, self._add),
            "replace": ("PUT", path, self._replace),
            "remove": ("DELETE", f"{path}/<{self.relation.related}>", self._remove),
        }
        for name in names:
            method, rule, view = routes[name]
            blueprint.add_url_rule(rule, f"{name}_{self.relation.table.name}", view, methods=[method])

    def found(self, **owner: str) -> sa.Select[Any]:
        """Return the query of the related rows by ID, narrowed by ``q``."""
        table, related = self.relation.table, self.relation.related
        conditions = (table.c[name] == value for name, value in owner.items())
        query = sa.select(self.listed).join(table, table.c[related] == self.listed.c.id).where(*conditions)
        return _searched(query, self.search).order_by(self.listed.c.id)

    async def _list(self, **owner: str) -> Response:
        paging = read_paging(is_optional=True)
        with current_store().begin() as connection:
            self.require(connection, **owner)
            self.exists(connection, **owner)
            page = read_page(connection, self.found(**owner), paging)
        return list_response([self.show(row) for row in page.rows], page)

    async def _add(self, **owner: str) -> Response:
        with current_store().begin() as connection:
            self.require(connection, **owner)
        ids = await self._read_ids(SOME_TEXTS)
        with current_store().begin() as connection:
            self.check(connection, ids)
            change = self.relation.add(connection, ids, **owner)
        self.announce(owner, change)
        return self.answer(ids, change)

    async def _replace(self, **owner: str) -> Response:
        with current_store().begin() as connection:
            self.require(connection, **owner)
        ids = await self._read_ids(ANY_TEXTS)
        with current_store().begin() as connection:
            self.check(connection, ids)
            change = self.relation.replace(connection, ids, **owner)
        self.announce(owner, change)
        return no_content()

    async def _remove(self, **owner: str) -> Response:
        related_id = owner.pop(self.relation.related)
        with current_store().begin() as connection:
            self.require(connection, **owner)
            self.relation.remove(connection, related_id, **owner)
        self.announce(owner, Change(removed=[related_id]))
        return no_content()

    async def _read_ids(self, kind: Kind) -> list[str]:
        ids: list[str] = (await read_body(Shape({self.ids: kind})))[self.ids]
        return ids

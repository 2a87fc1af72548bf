"""Families of routes that differ in their tables and names only: declared, not written out again.

:class:`Entities` are the rows of a table, by id. :class:`Related` is what a row is related to.
A family says which of these routes it has; a route that does something else is written in that family.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from quart import Blueprint, Response, request
from sqlalchemy.ext.asyncio import AsyncConnection

from local_logto.context import current_store
from local_logto.management.entities import Entity
from local_logto.management.guard import read_body
from local_logto.management.paging import list_response, read_page, read_paging
from local_logto.management.relations import Change, Relation
from local_logto.management.rows import (
    any_holds,
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
Get = Callable[[AsyncConnection, sa.Table, str], Awaitable[sa.RowMapping]]


NO_MEMBERS: Final = Shape()


def _new_id() -> dict[str, Any]:
    return {"id": new_id()}


def _searched(query: sa.Select[Any], columns: tuple[sa.Column[Any], ...]) -> sa.Select[Any]:
    wanted = request.args.get("q")
    return query.where(any_holds(wanted, columns)) if wanted and columns else query


@dataclass(frozen=True)
class Entities:
    """The rows of a table as entities below the blueprint's own path.

    ``body`` is what a new one takes; a change takes the same members, none of them required. ``columns``
    turns a body into columns, ``new`` gives those that no body sets. ``events`` is the first word of the
    webhooks' events, empty where Logto sends none. ``search`` are the columns in which ``q`` is looked for.
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
    is_paging_optional: bool = False

    def serve(self, blueprint: Blueprint, *names: str, parameter: str = "entity_id") -> None:
        """Answer these of ``list``, ``create``, ``read``, ``change``, ``delete``."""
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
        """The ordered query of a list, narrowed by what ``q`` asks for."""
        return _searched(sa.select(self.table), self.search).order_by(*self.order)

    def tell(self, event: str, **members: object) -> None:
        """Have a webhook's event sent after this request."""
        if self.events:
            announce(f"{self.events}.{event}", **members)

    async def _list(self) -> Response:
        paging = read_paging(is_optional=self.is_paging_optional)
        async with current_store().begin() as connection:
            page = await read_page(connection, self.found(), paging)
        return list_response([self.show(row) for row in page.rows], page)

    async def _create(self) -> Response:
        values = self.columns(await read_body(self.body)) | self.new()
        async with current_store().begin() as connection:
            entity = self.show(await insert_row(connection, self.table, values))
        self.tell("Created", data=entity)
        return json_response(entity, 201)

    async def _read(self, **ids: str) -> Response:
        (row_id,) = ids.values()
        async with current_store().begin() as connection:
            row = await self.get(connection, self.table, row_id)
        return json_response(self.show(row))

    async def _change(self, **ids: str) -> Response:
        (row_id,) = ids.values()
        values = self.columns(await read_body(self.body.partial()))
        async with current_store().begin() as connection:
            row = await update_row(connection, self.table, values, self.table.c.id == row_id)
        entity = self.show(row)
        self.tell("Data.Updated", data=entity)
        return json_response(entity)

    async def _delete(self, **ids: str) -> Response:
        (row_id,) = ids.values()
        async with current_store().begin() as connection:
            await delete_row(connection, self.table, self.table.c.id == row_id)
        self.tell("Deleted")
        return no_content()


async def _allow(_connection: AsyncConnection, _ids: Sequence[str]) -> None:
    """Let any ids be related: the database knows which exist."""


async def _require_nothing(_connection: AsyncConnection, **_owner: str) -> None:
    """Ask nothing of the owner."""


def _tell_nobody(_owner: Owner, _change: Change) -> None:
    """Send no webhook, as Logto 1.42 does for most relations."""


def _say_created(_ids: Sequence[str], _change: Change) -> Response:
    return created()


@dataclass(frozen=True)
class Related:
    """What an owner is related to: the path's parameters are columns of the relation's table.

    ``ids`` is the name of the list in a body. ``listed`` are the related rows as ``show`` shows them;
    ``search`` are the columns in which ``q`` is looked for. ``require`` must hold of the owner before
    anything, ``exists`` before the list; ``check`` must hold of the ids that are given.
    """

    relation: Relation
    ids: str
    listed: sa.Table
    show: Show
    search: tuple[sa.Column[Any], ...] = ()
    require: Callable[..., Awaitable[object]] = _require_nothing
    exists: Callable[..., Awaitable[object]] = _require_nothing
    check: Callable[[AsyncConnection, Sequence[str]], Awaitable[None]] = _allow
    tell: Callable[[Owner, Change], None] = _tell_nobody
    answer: Callable[[Sequence[str], Change], Response] = _say_created

    def serve(self, blueprint: Blueprint, path: str, *names: str) -> None:
        """Answer these of ``list``, ``add``, ``replace``, ``remove`` below ``path``."""
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
        """The query of the related rows by id, narrowed by what ``q`` asks for."""
        table, related = self.relation.table, self.relation.related
        conditions = (table.c[name] == value for name, value in owner.items())
        query = sa.select(self.listed).join(table, table.c[related] == self.listed.c.id).where(*conditions)
        return _searched(query, self.search).order_by(self.listed.c.id)

    async def _list(self, **owner: str) -> Response:
        paging = read_paging(is_optional=True)
        async with current_store().begin() as connection:
            await self.require(connection, **owner)
            await self.exists(connection, **owner)
            page = await read_page(connection, self.found(**owner), paging)
        return list_response([self.show(row) for row in page.rows], page)

    async def _add(self, **owner: str) -> Response:
        async with current_store().begin() as connection:
            await self.require(connection, **owner)
            ids = await self._read_ids(SOME_TEXTS)
            await self.check(connection, ids)
            change = await self.relation.add(connection, ids, **owner)
        self.tell(owner, change)
        return self.answer(ids, change)

    async def _replace(self, **owner: str) -> Response:
        async with current_store().begin() as connection:
            await self.require(connection, **owner)
            ids = await self._read_ids(ANY_TEXTS)
            await self.check(connection, ids)
            change = await self.relation.replace(connection, ids, **owner)
        self.tell(owner, change)
        return no_content()

    async def _remove(self, **owner: str) -> Response:
        related_id = owner.pop(self.relation.related)
        async with current_store().begin() as connection:
            await self.require(connection, **owner)
            await self.relation.remove(connection, related_id, **owner)
        self.tell(owner, Change(removed=[related_id]))
        return no_content()

    async def _read_ids(self, kind: Kind) -> list[str]:
        ids: list[str] = (await read_body(Shape({self.ids: kind})))[self.ids]
        return ids

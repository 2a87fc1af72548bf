"""Statements that read the audit log. The session is bound to an organization and adds it to each.

:mod:`saas_app.audit.recorder` writes events, and nothing changes them.

A page costs the same in a log of a hundred entries as in one of a million:

* Filters by whole values have an index in the order of the list.
* A part of a name is first looked for among the newest entries (:data:`WINDOW`). If it is common, they fill
  the page. Otherwise an index finds all entries with it, which are few then.
* A part that no index finds (:func:`saas_app.db.search.has_trigram`) is looked for among the newest entries
  only, and the next page continues from there.
* Actors are found in their own short list first (:class:`saas_app.models.AuditActor`).
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from heapq import merge
from ipaddress import ip_address
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from saas_app.audit.recorder import Action
from saas_app.audit.values import EventFilter, EventRow, FoundEvents, Outcome
from saas_app.db.readings import Reading
from saas_app.db.search import ESCAPE, containing, has_trigram, row_by_row
from saas_app.db.session import DatabaseSession
from saas_app.models import AuditActor, AuditEvent, User

WINDOW: Final = 5_000
"""The number of newest entries in which a part of a text is looked for before an index is used."""

_FEW: Final = 20
"""The number of actors whose entries are read actor by actor."""

_LIMIT: Final = sa.bindparam("limit", type_=sa.Integer())
_ID_MARGIN: Final = timedelta(hours=1)  # an id is a moment older than its event

_EVENT: Final[sa.Select[*tuple[Any, ...]]] = sa.select(
    AuditEvent.id,
    AuditEvent.occurred_at,
    AuditEvent.actor_type,
    AuditEvent.actor_id,
    AuditEvent.actor_name,
    AuditEvent.action,
    AuditEvent.target_type,
    AuditEvent.target_id,
    AuditEvent.target_name,
    AuditEvent.before,
    AuditEvent.after,
    AuditEvent.outcome,
    AuditEvent.decision,
    AuditEvent.request_id,
    AuditEvent.address,
    AuditEvent.behalf_id,
    AuditEvent.behalf_name,
)

_ONE_EVENT: Final = _EVENT.where(AuditEvent.id == sa.bindparam("id", type_=sa.Uuid()))

_Shape = frozenset[str]
"""The names of the conditions of a statement. Statements are built once for each shape."""


async def find_events(
    db: DatabaseSession, wanted: EventFilter, before: uuid.UUID | None, limit: int
) -> FoundEvents:
    """Return at most ``limit`` events older than the one with the id ``before``, the newest first.

    There may be fewer, even none, although there are further ones.
    """
    search = _Search(db, _values(wanted, before) | {"limit": limit + 1})
    if wanted.target:
        found = await search.by_text({"target", "actor"} if wanted.actor else {"target"}, wanted.target)
    elif wanted.actor:
        found = FoundEvents(await _list_by_actor(search, wanted.actor))
    else:
        found = FoundEvents(await search.in_order())
    if len(found.rows) > limit:
        return FoundEvents(found.rows[:limit], found.rows[limit - 1].id)
    return found


async def find_event(db: DatabaseSession, event_id: uuid.UUID) -> EventRow | None:
    """Return an event, or None if the organization has none with this id."""
    row = (await db.execute(_ONE_EVENT, {"id": event_id})).first()
    return None if row is None else EventRow(*row)


def recent(actions: Collection[Action] | None, count: int) -> Reading[list[EventRow]]:
    """Return the question for the newest allowed events in the :data:`WINDOW`, of some actions or of all."""
    values: dict[str, Any] = {"window": WINDOW, "limit": count}
    if actions is not None:
        values["actions"] = [action.value for action in actions]
    return Reading(_recent(is_narrow=actions is not None), values, _newest_first)


def _newest_first(rows: Sequence[Sequence[Any]]) -> list[EventRow]:
    return sorted((EventRow(*row) for row in rows), key=lambda row: row.id, reverse=True)


async def has_seeded(db: DatabaseSession, prefix: str) -> bool:
    """Return whether the audit log has an event whose request id starts with ``prefix``."""
    statement = sa.select(AuditEvent.id).where(AuditEvent.request_id.startswith(prefix)).limit(1)
    return await db.scalar(statement) is not None


@dataclass(frozen=True, slots=True)
class _Search:
    """A session, and the values of a filter by the names of the parameters."""

    db: DatabaseSession
    values: dict[str, Any]

    async def in_order(self, *also: str) -> list[EventRow]:
        """Return the newest events that match, by an index in the order of the list."""
        return await self._list(_in_order(self._shape | {*also}))

    async def by_text(self, parts: set[str], text: str = "") -> FoundEvents:
        """Return the newest events that match ``parts`` too, of which ``text`` must be found by an index."""
        oldest = await self.db.scalar(_end_of_window(self._shape), {**self.values, "window": WINDOW})
        recent = self if oldest is None else replace(self, values={**self.values, "oldest": oldest})
        rows = await recent.in_order(*parts)
        if oldest is None or len(rows) == self.values["limit"]:
            return FoundEvents(rows)
        if text and not has_trigram(text):
            return FoundEvents(rows, oldest)
        return FoundEvents(await self._list(_by_index(self._shape | parts)))

    async def find_few_actors(self) -> set[str] | None:
        """Return the ids of the actors that match, or None if there are many."""
        named = await self.db.scalars(_few_named(), {**self.values, "few": _FEW + 1})
        actor_ids = list(named)  # an actor with several names appears several times
        return None if len(actor_ids) > _FEW else set(actor_ids)

    def of_actor(self, actor_id: str) -> _Search:
        """Return the search of one actor's events."""
        return replace(self, values={**self.values, "actor_id": actor_id})

    @property
    def _shape(self) -> _Shape:
        return frozenset(self.values.keys() & _CONDITIONS.keys() - _PARTS)

    async def _list(self, statement: sa.Select[*tuple[Any, ...]]) -> list[EventRow]:
        return [EventRow(*row) for row in await self.db.execute(statement, self.values)]


async def _list_by_actor(search: _Search, text: str) -> list[EventRow]:
    """Return the newest events of the actors that match, and those from a network address that matches."""
    if _is_ip_address(text):
        return (await search.by_text({"address"})).rows
    parts = []
    if _may_be_address(text):
        parts.append((await search.by_text({"address"})).rows)
    found = await search.find_few_actors()
    if found is None:
        parts.append((await search.by_text({"named"})).rows)
    else:
        wanted = [actor_id for actor_id in found if search.values.get("actor_id", actor_id) == actor_id]
        parts += [await search.of_actor(actor_id).in_order() for actor_id in wanted]
    newest = {row.id: row for row in merge(*parts, key=lambda row: row.id, reverse=True)}
    return list(newest.values())[: search.values["limit"]]


def _is_ip_address(text: str) -> bool:
    """Return whether a text is a whole IP address, which is no part of a name."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _may_be_address(text: str) -> bool:
    """Return whether a text may be a whole network address, or what stands for one."""
    return not any(mark in text for mark in " @") and any(mark in text for mark in ".:<")


def _values(wanted: EventFilter, before: uuid.UUID | None) -> dict[str, Any]:
    """Return the values of a filter by the names of the parameters of statements."""
    values: dict[str, Any] = {}
    for name in ("actor_id", "target_id", "since", "until"):
        if value := getattr(wanted, name):
            values[name] = value
    if wanted.action is not None:
        values["action"] = wanted.action.value
    if wanted.outcome is not None:
        values[wanted.outcome.value] = True
    if wanted.since is not None:
        values["since_id"] = first_id(wanted.since - _ID_MARGIN)
    if wanted.until is not None:
        values["until_id"] = first_id(wanted.until + _ID_MARGIN)
    for name in ("actor", "target"):
        if text := getattr(wanted, name):
            values |= {name: text, f"{name}_part": containing(text)}
    if before is not None:
        values["before"] = before
    return values


@cache
def _in_order(shape: _Shape) -> sa.Select[*tuple[Any, ...]]:
    return _newest(_EVENT.where(*_conditions_in_order(shape)))


@cache
def _end_of_window(shape: _Shape) -> sa.Select[uuid.UUID]:
    """Return the statement for the id of the last event of the window, or None if there are fewer events."""
    statement = sa.select(AuditEvent.id).where(*_conditions(AuditEvent, shape))
    return statement.order_by(AuditEvent.id.desc()).offset(_parameter("window", sa.Integer())).limit(1)


@cache
def _by_index(shape: _Shape) -> sa.Select[*tuple[Any, ...]]:
    """Find all events that match, sort their ids, and read the newest events.

    The offset keeps the database from reading events in order until enough match.
    """
    match = aliased(AuditEvent)
    found = sa.select(match.id).where(*_conditions(match, shape)).offset(0).subquery()
    newest = sa.select(found.c.id).order_by(found.c.id.desc()).limit(_LIMIT)
    return _newest(_EVENT.where(AuditEvent.id.in_(newest)))


@cache
def _recent(*, is_narrow: bool) -> sa.Select[*tuple[Any, ...]]:
    """Read the newest events in order, until enough match or the window ends."""
    window = _EVENT.order_by(AuditEvent.id.desc()).limit(_parameter("window", sa.Integer())).subquery()
    found = sa.select(window).where(window.c.outcome == Outcome.ALLOWED)
    if is_narrow:
        found = found.where(window.c.action.in_(sa.bindparam("actions", expanding=True)))
    return found.order_by(window.c.id.desc()).limit(_LIMIT)


def _newest(statement: sa.Select[*tuple[Any, ...]]) -> sa.Select[*tuple[Any, ...]]:
    return statement.order_by(AuditEvent.id.desc()).limit(_LIMIT)


@cache
def _named() -> sa.Select[str]:
    return sa.select(AuditActor.actor_id).where(_matches_actor())


@cache
def _few_named() -> sa.Select[str]:
    return _named().limit(_parameter("few", sa.Integer()))


def _matches_actor() -> sa.ColumnElement[bool]:
    """Match an actor by a part of a name, username or email address, or by the whole id.

    Usernames and email addresses are the current ones, because events do not store them. A person is looked
    up by id for each actor, so that the database does not read all users.
    """
    part = _parameter("actor_part", sa.String())
    matches_user = sa.or_(User.email.ilike(part, escape=ESCAPE), User.username.ilike(part, escape=ESCAPE))
    return sa.or_(
        AuditActor.name.ilike(part, escape=ESCAPE),
        AuditActor.actor_id == _parameter("actor", sa.String()),
        sa.select(matches_user).where(User.id == AuditActor.actor_id).correlate(AuditActor).scalar_subquery(),
    )


def _parameter(name: str, type_: sa.types.TypeEngine[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=type_)


def _conditions(events: Any, shape: _Shape) -> Iterator[sa.ColumnElement[bool]]:
    return (_CONDITIONS[name](events) for name in sorted(shape))


def _conditions_in_order(shape: _Shape) -> Iterator[sa.ColumnElement[bool]]:
    """Yield the conditions in a form that keeps the database from using an index for parts of texts."""
    return (_IN_ORDER.get(name, _CONDITIONS[name])(AuditEvent) for name in sorted(shape))


def _is_target(target_name: Any, target_id: Any) -> sa.ColumnElement[bool]:
    part = _parameter("target_part", sa.String())
    return sa.or_(target_name.ilike(part, escape=ESCAPE), target_id == _parameter("target", sa.String()))


def _is_address(address: Any) -> sa.ColumnElement[bool]:
    return address == _parameter("actor", sa.String())  # type: ignore[no-any-return]


def _is_named(actor_id: Any) -> sa.ColumnElement[bool]:
    return actor_id.in_(_named())  # type: ignore[no-any-return]


def _is_named_one_by_one(actor_id: Any) -> sa.ColumnElement[bool]:
    """Match an event's actor by looking the actor up, which suits a few events and many actors."""
    names = sa.select(sa.func.count()).select_from(AuditActor).where(AuditActor.actor_id == actor_id)
    return names.where(_matches_actor()).correlate(AuditEvent).scalar_subquery() > 0


_PARTS: Final = frozenset({"actor", "target", "address", "named"})
"""Conditions on a part of a text, which no index can provide in the order of the list."""

_CONDITIONS: Final[dict[str, Any]] = {
    "actor_id": lambda events: events.actor_id == _parameter("actor_id", sa.String()),
    "action": lambda events: events.action == _parameter("action", sa.String()),
    "target_id": lambda events: events.target_id == _parameter("target_id", sa.String()),
    # constants, because an index holds denials only
    **{
        outcome.value: lambda events, text=f"'{outcome.value}'": events.outcome == sa.literal_column(text)
        for outcome in Outcome
    },
    "since": lambda events: sa.and_(
        events.occurred_at >= _parameter("since", AuditEvent.occurred_at.type),
        events.id >= _parameter("since_id", sa.Uuid()),
    ),
    "until": lambda events: sa.and_(
        events.occurred_at < _parameter("until", AuditEvent.occurred_at.type),
        events.id < _parameter("until_id", sa.Uuid()),
    ),
    "before": lambda events: events.id < _parameter("before", sa.Uuid()),
    "oldest": lambda events: events.id >= _parameter("oldest", sa.Uuid()),
    "target": lambda events: _is_target(events.target_name, events.target_id),
    "address": lambda events: _is_address(events.address),
    "named": lambda events: _is_named(events.actor_id),
    "actor": lambda events: sa.or_(_is_named(events.actor_id), _is_address(events.address)),
}
"""The conditions by name, for :class:`saas_app.models.AuditEvent` or an alias of it."""


_IN_ORDER: Final[dict[str, Any]] = {
    "target": lambda events: row_by_row(_is_target(events.target_name, events.target_id)),
    "address": lambda events: row_by_row(_is_address(events.address)),
    "named": lambda events: row_by_row(_is_named_one_by_one(events.actor_id)),
    "actor": lambda events: row_by_row(
        sa.or_(_is_address(events.address), _is_named_one_by_one(events.actor_id))
    ),
}
"""Conditions on a part of a text, for reading events in order."""


def first_id(moment: datetime) -> uuid.UUID:
    """Return the smallest UUIDv7 of a moment (RFC 9562 §5.7), so that a time range is a range of keys."""
    milliseconds = max(0, int(moment.timestamp() * 1000))
    return uuid.UUID(bytes=milliseconds.to_bytes(6, "big") + bytes(10))

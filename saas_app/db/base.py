"""Base classes and column types that all tables share."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
import uuid_utils
from sqlalchemy import event
from sqlalchemy.orm import DeclarativeBase, Mapped, Mapper, declared_attr, mapped_column


def new_uuid() -> uuid.UUID:
    """Return a UUIDv7: unique, and sortable by creation time."""
    return uuid.UUID(bytes=uuid_utils.uuid7().bytes)


def uuid_at(moment: datetime) -> uuid.UUID:
    """Return a UUIDv7 with the time ``moment``, for backdated rows of the demo."""
    milliseconds = int(moment.timestamp() * 1000)
    return uuid.UUID(bytes=milliseconds.to_bytes(6, "big") + new_uuid().bytes[6:])


def utc_now() -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.now(UTC)


TENANT: Final = "current_setting('workroom.organization_id', true)"
"""The SQL of a transaction's organization. Without one it is empty, which is no organization's id."""

KEY: Final = "current_setting('workroom.key', true)"
"""The SQL of a transaction's key; see :mod:`saas_app.db.keys`."""

NAMED_IN_KEY: Final = (
    f"({KEY} LIKE 'organizations:%' AND {{}} = ANY (string_to_array(substr({KEY}, 15), ',')))"
)
"""The SQL of whether a column is named in a key of organizations."""

EVERY_ROW: Final = None
"""For ``__visible_rows__`` of a table that holds nothing of organizations or people."""

APPENDED: Final = "SELECT, INSERT"
"""For ``__granted__`` of a table whose rows are never changed."""

NOTHING: Final = ""
"""For ``__granted__`` of a table that only commands of the owner use."""


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """A column for an aware UTC time on every database. SQLite drops the zone; this type restores it."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime: times are stored aware, in UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def result_processor(self, dialect: sa.Dialect, coltype: Any) -> Any:
        """Return None for PostgreSQL, whose driver returns aware times in UTC."""
        return None if dialect.name == "postgresql" else super().result_processor(dialect, coltype)


class Base(DeclarativeBase):
    """The base of every mapped class. Constraints have fixed names, so that migrations can refer to them.

    ``__visible_rows__`` is the SQL condition of the rows that a transaction may see and write, for row-level
    security on PostgreSQL; every class declares or inherits it. ``__visible_copied_rows__`` replaces it where
    Citus copies the table to every node, because conditions have no subqueries there. ``__granted__`` is what
    the roles of the application and of jobs may do with the table.
    """

    __visible_rows__: ClassVar[str | None]
    __visible_copied_rows__: ClassVar[str | None] = None
    __granted__: ClassVar[str] = "SELECT, INSERT, UPDATE, DELETE"

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, uuid.UUID: sa.Uuid}  # noqa: RUF012

    def __repr__(self) -> str:
        """Return the class and the primary key, which holds no personal data; a new row has none."""
        identity = sa.inspect(self).identity
        return f"{type(self).__name__}({', '.join(map(str, identity or ('new',)))})"


class TenantOwned:
    """A table whose rows each belong to one organization.

    The key is ``(organization_id, id)`` and every index begins with the organization, so the schema can
    be distributed by organization without a rewrite. Statements on such a table run only inside a
    tenant; see :mod:`saas_app.db.tenant_scope`. On PostgreSQL, the database hides the rows of other tenants.
    """

    __visible_rows__: ClassVar[str | None] = f"organization_id = {TENANT}"

    @declared_attr
    def organization_id(cls) -> Mapped[str]:  # noqa: N805
        return mapped_column(sa.String(64), primary_key=True)

    @declared_attr
    def id(cls) -> Mapped[uuid.UUID]:  # noqa: N805
        return mapped_column(sa.Uuid, primary_key=True, default=new_uuid)


@event.listens_for(Base, "after_mapper_constructed", propagate=True)
def _mark_table(mapper: Mapper[Any], class_: type[Base]) -> None:
    """Note at the table what its class declares. No table is mapped before this module is imported."""
    if not hasattr(class_, "__visible_rows__"):
        raise TypeError(f"{class_.__name__} must declare __visible_rows__")
    mapper.local_table.info.update(  # type: ignore[attr-defined]
        tenant_owned=issubclass(class_, TenantOwned),
        visible_rows=class_.__visible_rows__,
        visible_copied_rows=class_.__visible_copied_rows__ or class_.__visible_rows__,
        granted=class_.__granted__,
    )


def is_tenant_owned(table: sa.Table) -> bool:
    """Return whether a table's rows belong to organizations: a :class:`TenantOwned` class maps it."""
    return bool(table.info.get("tenant_owned"))


def visible_rows(table: sa.Table, *, is_copied: bool = False) -> str | None:
    """Return the SQL condition of the rows that a transaction may see, or None if it may see all.

    ``is_copied``: Citus copies the table to every node.
    """
    return table.info.get("visible_copied_rows" if is_copied else "visible_rows")


def granted_on(table: sa.Table) -> str:
    """Return what the application may do with a table, as privileges of SQL, or "" for nothing."""
    return str(table.info["granted"])

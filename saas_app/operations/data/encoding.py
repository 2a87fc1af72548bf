"""Rows as JSON and back, by the types of their columns, the same for every database."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from saas_app.db.base import Base, UtcDateTime
from saas_app.text.translation import Sentence, _

_INTEGERS: Final = {sa.Integer: 2**31, sa.BigInteger: 2**63}


class InvalidRow(ValueError):
    """A row that does not fit its table. ``reason`` says which column and why."""

    def __init__(self, reason: Sentence) -> None:
        super().__init__(reason)
        self.reason = reason


def columns_of(model: type[Base]) -> dict[str, sa.Column[Any]]:
    """Return the columns of a table by the names that rows of an export have for them."""
    table: Any = sa.inspect(model).local_table
    return dict(table.columns.items())


def encode(value: Any) -> Any:
    """Return the value of a column as JSON."""
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, date):  # a datetime is a date too
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def decode_row(columns: dict[str, sa.Column[Any]], row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with the types of its table. Raises :class:`InvalidRow`."""
    if row.keys() != columns.keys():
        odd = min(row.keys() ^ columns.keys())
        raise InvalidRow(
            _("the column '%(name)s' is unknown", name=odd[:64])
            if odd in row
            else _("the column '%(name)s' is missing", name=odd[:64])
        )
    return {name: _decode(name, columns[name], value) for name, value in row.items()}


def _decode(name: str, column: sa.Column[Any], value: Any) -> Any:
    if value is None:
        if not column.nullable:
            raise InvalidRow(_("'%(name)s' is empty", name=name))
        return None
    try:
        return _decoder(column.type)(value)
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise InvalidRow(_("'%(name)s' has an invalid value", name=name)) from None


def _decoder(type_: sa.types.TypeEngine[Any]) -> Callable[[Any], Any]:
    if isinstance(type_, sa.Enum):
        return type_.enum_class or str
    if isinstance(type_, sa.String):
        return lambda value: _text(value, type_.length)
    if isinstance(type_, sa.Integer):
        return lambda value: _integer(value, _INTEGERS[type(type_)])
    for kind, decoder in _DECODERS.items():
        if isinstance(type_, kind):
            return decoder
    raise TypeError(f"exports cannot hold a column of the type {type_!r}")


def _text(value: Any, length: int | None) -> str:
    if not isinstance(value, str) or (length is not None and len(value) > length):
        raise ValueError("not a text, or too long")
    return value


def _integer(value: Any, limit: int) -> int:
    if type(value) is not int or not -limit <= value < limit:
        raise ValueError("not an integer, or too large")
    return value


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("without an offset")
    return moment


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("not true or false")
    return value


_DECODERS: Final[dict[type[Any], Callable[[Any], Any]]] = {
    UtcDateTime: _moment,
    sa.Date: date.fromisoformat,
    sa.Uuid: uuid.UUID,
    sa.LargeBinary: lambda value: base64.b64decode(value, validate=True),
    sa.Boolean: _boolean,
    sa.JSON: lambda value: value,
}

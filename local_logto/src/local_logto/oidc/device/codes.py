"""Device codes in the store: requested, taken by a person, ended, used once."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from local_logto.crypto.opaque_values import hash_of, new_opaque_value
from local_logto.oidc.tables import device_codes
from local_logto.store import now_ms

LIFETIME_SECONDS: Final = 10 * 60
_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"  # without vowels, so that they don't form words
_LENGTH: Final = 8


@dataclass(frozen=True)
class DeviceCode:
    """A device's code. ``outcome`` is ``{"grant_id", "payload"}`` of the tokens to issue, or ``{"error",
    …}``.
    """

    value_hash: str
    user_code: str
    client_id: str
    params: Mapping[str, Any]
    is_taken: bool
    outcome: Mapping[str, Any] | None
    consumed_at: int | None
    expires_at: int

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= now_ms()

    @property
    def shown_user_code(self) -> str:
        """The code as the device shows it: four letters, a hyphen, four letters."""
        return f"{self.user_code[:4]}-{self.user_code[4:]}"


def create(connection: sa.Connection, client_id: str, params: Mapping[str, Any]) -> tuple[str, DeviceCode]:
    """Create a code. Returns its value, which is stored only as a hash, and its row."""
    value = new_opaque_value()
    code = DeviceCode(
        value_hash=hash_of(value),
        user_code="".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)),
        client_id=client_id,
        params=params,
        is_taken=False,
        outcome=None,
        consumed_at=None,
        expires_at=now_ms() + LIFETIME_SECONDS * 1000,
    )
    connection.execute(sa.insert(device_codes).values(**vars(code)))
    return value, code


def find_by_value(connection: sa.Connection, value: str) -> DeviceCode | None:
    return find_by_hash(connection, hash_of(value))


def find_by_hash(connection: sa.Connection, value_hash: str) -> DeviceCode | None:
    """Return the code, even if it is expired or used."""
    return _find(connection, device_codes.c.value_hash == value_hash)


def find_by_user_code(connection: sa.Connection, typed: str) -> DeviceCode | None:
    """Return the code with these letters, ignoring case and other characters."""
    letters = "".join(letter for letter in typed.upper() if letter in _LETTERS)
    return _find(connection, device_codes.c.user_code == letters)


def take(connection: sa.Connection, code: DeviceCode) -> bool:
    """Reserve the code for one person. Returns False if it is taken or has ended."""
    free = sa.update(device_codes).where(
        device_codes.c.value_hash == code.value_hash,
        device_codes.c.is_taken.is_(False),
        _HAS_NOT_ENDED,
    )
    return connection.execute(free.values(is_taken=True)).rowcount == 1


def end(connection: sa.Connection, value_hash: str, outcome: Mapping[str, Any]) -> bool:
    """Store the outcome. Returns False if there is one already."""
    open_ = sa.update(device_codes).where(device_codes.c.value_hash == value_hash, _HAS_NOT_ENDED)
    return connection.execute(open_.values(outcome=dict(outcome))).rowcount == 1


def consume(connection: sa.Connection, code: DeviceCode) -> bool:
    """Mark the code as used by the device. Returns False if it was used before."""
    unused = sa.update(device_codes).where(
        device_codes.c.value_hash == code.value_hash, device_codes.c.consumed_at.is_(None)
    )
    return connection.execute(unused.values(consumed_at=now_ms())).rowcount == 1


_HAS_NOT_ENDED: Final = sa.or_(device_codes.c.outcome.is_(sa.null()), device_codes.c.outcome == sa.JSON.NULL)


def _find(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> DeviceCode | None:
    row = connection.execute(sa.select(device_codes).where(condition)).one_or_none()
    return None if row is None else DeviceCode(**row._mapping)

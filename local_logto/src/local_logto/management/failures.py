"""Errors that all resource families share, with Logto's codes and messages."""

from __future__ import annotations

import sqlite3
from typing import Final

from sqlalchemy.exc import IntegrityError

from local_logto.errors import RequestError

_UNIQUE: Final = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})


def not_found() -> RequestError:
    """Return the 404 for a missing entity that is read or deleted."""
    return RequestError(404, "entity.not_found", "The resource does not exist.")


def not_exists(name: str) -> RequestError:
    """Return the 404 for a missing entity that is changed. ``name`` is in the singular."""
    return RequestError(404, "entity.not_exists", f"The {name} does not exist.")


def not_exists_with_id(name: str, entity_id: str) -> RequestError:
    """Return the 404 for an unknown ID. ``name`` is in the plural."""
    return RequestError(404, "entity.not_exists_with_id", f"The {name} with ID `{entity_id}` does not exist.")


def foreign_key_not_found(status: int = 422) -> RequestError:
    return RequestError(
        status,
        "entity.relation_foreign_key_not_found",
        "Cannot find one or more foreign keys. Please check the input and ensure that all referenced "
        "entities exist.",
    )


def already_exists() -> RequestError:
    return RequestError(
        422,
        "entity.unique_integrity_violation",
        "The entity already exists. Please check the input and try again.",
    )


def constraint_violated() -> RequestError:
    return RequestError(422, "entity.db_constraint_violated", "Database constraint violated.")


def no_values() -> RequestError:
    """Return the 422 for a change without values, which Logto's database layer rejects."""
    return RequestError(422, "entity.invalid_input", "Invalid input. Value list must not be empty.")


def invalid_input(status: int, reason: str, *, data: object | None = None) -> RequestError:
    """Return ``request.invalid_input``: one code for many reasons, which only the message tells apart."""
    return RequestError(status, "request.invalid_input", f"Input is invalid. {reason}", data=data)


def refusal_of(error: IntegrityError) -> RequestError:
    """Return Logto's error for a row that the database rejects."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return foreign_key_not_found()
    return already_exists() if code in _UNIQUE else constraint_violated()

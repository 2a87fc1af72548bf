"""Checks before serving that the database hides the rows of other organizations from the application."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

import saas_app.models  # noqa: F401 - registers every table
from saas_app.config import DatabaseSettings
from saas_app.db import row_security
from saas_app.db.base import Base
from saas_app.db.connecting import connecting_to
from saas_app.errors import ConfigurationError
from saas_app.operations.migrate import ask

_ROLE: Final = sa.text(
    "SELECT rolname,"
    " EXISTS (SELECT FROM pg_roles WHERE rolsuper AND pg_has_role(oid, 'MEMBER')) AS is_superuser,"
    " EXISTS (SELECT FROM pg_roles WHERE rolbypassrls AND pg_has_role(oid, 'MEMBER')) AS bypasses,"
    " EXISTS (SELECT FROM pg_class WHERE relkind IN ('r', 'p')"
    " AND relnamespace = current_schema()::regnamespace AND pg_has_role(relowner, 'MEMBER')) AS is_owner,"
    " EXISTS (SELECT FROM pg_roles WHERE rolname = :jobs AND pg_has_role(oid, 'MEMBER')) AS may_do_jobs,"
    " EXISTS (SELECT FROM pg_roles WHERE rolname = :jobs AND pg_has_role(oid, 'USAGE')) AS is_for_jobs,"
    " EXISTS (SELECT FROM pg_roles WHERE rolcreaterole AND pg_has_role(oid, 'MEMBER')) AS may_create_roles,"
    " has_schema_privilege(current_schema(), 'CREATE') AS may_create_tables "
    "FROM pg_roles WHERE rolname = current_user"
).bindparams(jobs=row_security.JOBS_ROLE)
"""What a role may do, itself or after ``SET ROLE``. Only ``is_for_jobs`` is about what it does by itself."""

_REMEDY: Final = "Run 'saas-app database roles' and use the role of the application (docs/operations.md)"


def require_protection(settings: DatabaseSettings) -> None:
    """Raise :class:`ConfigurationError` if the application's role could see rows of all organizations.

    Must not be called in a running event loop. On SQLite there are no roles.
    """
    if settings.database_allow_bypass or connecting_to(settings.database_url).is_sqlite:
        return
    reason, unprotected = ask(
        settings.database_url, lambda connection: (_find_power(connection), _list_unprotected(connection))
    )
    if reason:
        raise ConfigurationError(f"{reason} {_REMEDY}, or set DATABASE_ALLOW_BYPASS=true.")
    if unprotected:
        tables = ", ".join(unprotected)
        raise ConfigurationError(f"{tables} lack their row-level security. Run 'saas-app migrate'.")
    if not ask(settings.jobs_url, _is_for_jobs):
        raise ConfigurationError(
            f"DATABASE_JOBS_URL must name a member of the role {row_security.JOBS_ROLE}. {_REMEDY}."
        )


def find_unprotected(database_url: str) -> list[str]:
    """Return the tables without the policies that they declare. SQLite needs none.

    Must not be called in a running event loop. Raises :class:`ConfigurationError`.
    """
    if connecting_to(database_url).is_sqlite:
        return []
    return ask(database_url, _list_unprotected)


def _list_unprotected(connection: sa.Connection) -> list[str]:
    return row_security.find_unprotected(connection, Base.metadata)


def _find_power(connection: sa.Connection) -> str:
    """Return why the database would not hide rows from this role, as a sentence, or ""."""
    role: Any = connection.execute(_ROLE).one()
    powers = {
        "is a superuser": role.is_superuser,
        "has BYPASSRLS": role.bypasses,
        "owns tables": role.is_owner,
        f"is a member of {row_security.JOBS_ROLE}": role.may_do_jobs,
        "may create roles": role.may_create_roles,
        "may create tables": role.may_create_tables,
    }
    held = [power for power, is_held in powers.items() if is_held]
    if held:
        return (
            f"The role {role.rolname} of DATABASE_URL {held[0]}, so the database would not hide the rows of "
            "other organizations from it."
        )
    return ""


def _is_for_jobs(connection: sa.Connection) -> bool:
    return bool(connection.execute(_ROLE).one().is_for_jobs)

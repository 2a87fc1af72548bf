"""Checks before serving that the database hides the rows of other organizations from the application."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

import saas_app.models  # noqa: F401 - registers every table
from saas_app.config import DatabaseLocation, DatabaseSettings
from saas_app.db import row_security
from saas_app.db.base import Base
from saas_app.db.connecting import connecting_to
from saas_app.errors import ConfigurationError
from saas_app.operations.migrate import call_with_connection
from saas_app.text.translation import Sentence, _

_ROLES_COMMAND: Final = "'saas-app database roles --admin-url postgresql://<superuser>@<host>/<database>'"
_NAME_ROLES: Final = _(
    "Name three roles in DATABASE_URL, DATABASE_OWNER_URL and DATABASE_JOBS_URL, none of "
    "them a superuser, and create them with %(roles_command)s.",
    roles_command=_ROLES_COMMAND,
)
_RUN_ROLES: Final = _("Run %(roles_command)s.", roles_command=_ROLES_COMMAND)

_POWERS: Final[dict[Sentence, tuple[str, str]]] = {
    _("is a superuser"): ("rolsuper", _NAME_ROLES),
    _("has BYPASSRLS"): ("rolbypassrls", "ALTER ROLE {role} NOBYPASSRLS"),
    _("owns tables"): (
        "EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid AND relname = ANY (:tables)"
        " AND relnamespace = current_schema()::regnamespace)",
        _NAME_ROLES,
    ),
    _("is a member of %(jobs_role)s", jobs_role=row_security.JOBS_ROLE): (
        f"rolname = '{row_security.JOBS_ROLE}'",
        _NAME_ROLES,
    ),
    _("may create roles"): ("rolcreaterole", "ALTER ROLE {role} NOCREATEROLE"),
    _("may create tables"): (
        "EXISTS (SELECT FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner)))"
        " WHERE pg_namespace.oid = current_schema()::regnamespace AND privilege_type = 'CREATE'"
        " AND grantee IN (0, pg_roles.oid))",
        _RUN_ROLES,
    ),
}
"""What a role could do to see all rows: the condition for a role, and what takes it from the role itself.

That is advice, or the statement that a superuser has to run.
"""

_HOLDER: Final = (
    "SELECT format('%I', rolname) FROM pg_roles WHERE pg_has_role(oid, 'MEMBER') AND {condition}"
    " ORDER BY rolname <> current_user LIMIT 1"
)
_MEMBERSHIP: Final = sa.text(
    "SELECT format('%I FROM %I', held.rolname, holding.rolname) FROM pg_auth_members"
    " JOIN pg_roles held ON held.oid = roleid JOIN pg_roles holding ON holding.oid = member"
    " WHERE holding.rolname IN (current_user, :app) AND held.rolname <> :app"
    " AND pg_has_role(held.oid, CAST(:holder AS regrole), 'MEMBER')"
    " ORDER BY holding.rolname <> current_user LIMIT 1"
).bindparams(app=row_security.APP_ROLE)
_ROLE: Final = sa.text("SELECT format('%I', current_user)")
_IS_FOR_JOBS: Final = sa.text(
    "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :jobs AND pg_has_role(oid, 'USAGE'))"
).bindparams(jobs=row_security.JOBS_ROLE)


def require_protection(settings: DatabaseSettings) -> None:
    """Raise :class:`ConfigurationError` if the application's role could see rows of all organizations.

    Must not be called in a running event loop. On SQLite there are no roles.
    """
    if settings.database_allow_bypass or connecting_to(settings.database_url).is_sqlite:
        return
    power, sees_tables, unprotected = call_with_connection(
        settings.for_requests,
        lambda connection: (_find_power(connection), _sees_tables(connection), _list_unprotected(connection)),
    )
    if power:
        raise ConfigurationError(
            _("%(power)s To serve without this protection, set DATABASE_ALLOW_BYPASS=true.", power=power)
        )
    if not sees_tables:
        raise ConfigurationError(_unseen(settings.for_requests))
    if unprotected:
        tables = ", ".join(unprotected)
        raise ConfigurationError(
            _(
                "These tables lack their row-level security: %(tables)s. Run 'saas-app migrate'.",
                tables=tables,
            )
        )
    is_for_jobs, sees_tables = call_with_connection(
        settings.for_jobs, lambda connection: (connection.scalar(_IS_FOR_JOBS), _sees_tables(connection))
    )
    if not is_for_jobs:
        raise ConfigurationError(
            _(
                "DATABASE_JOBS_URL must name a member of the role %(jobs_role)s. %(name_roles)s",
                jobs_role=row_security.JOBS_ROLE,
                name_roles=_NAME_ROLES,
            )
        )
    if not sees_tables:
        raise ConfigurationError(_unseen(settings.for_jobs))


def find_insecure(location: DatabaseLocation) -> set[str]:
    """Return the tables without the policies or grants that they declare. SQLite needs none.

    Must not be called in a running event loop. Raises :class:`ConfigurationError`.
    """
    if connecting_to(location.url).is_sqlite:
        return set()
    return call_with_connection(
        location,
        lambda connection: {
            *_list_unprotected(connection),
            *row_security.find_ungranted(connection, Base.metadata),
        },
    )


def _sees_tables(connection: sa.Connection) -> bool:
    """Return whether the schema that this role uses has the tables."""
    return sa.inspect(connection).has_table(row_security.VERSION_TABLE)


def _unseen(location: DatabaseLocation) -> str:
    search_path = f"ALTER DATABASE {connecting_to(location.url).url.database} SET search_path = <schema>;"
    return _(
        "The role of %(setting)s finds no tables in its schema. Run 'saas-app migrate'. If "
        "they are in another schema: %(search_path)s",
        setting=location.setting,
        search_path=search_path,
    )


def _list_unprotected(connection: sa.Connection) -> list[str]:
    return row_security.find_unprotected(connection, Base.metadata)


def _find_power(connection: sa.Connection) -> str:
    """Return why the database would not hide rows from this role, and the remedy, or ""."""
    role = connection.scalar(_ROLE)
    for power, (condition, remedy) in _POWERS.items():
        statement = sa.text(_HOLDER.format(condition=condition))
        tables = {"tables": list(Base.metadata.tables)} if ":tables" in condition else {}
        holder = connection.scalar(statement, tables)
        if holder is None:
            continue
        membership = None if holder == role else connection.scalar(_MEMBERSHIP, {"holder": holder})
        if membership is not None:
            remedy = f"REVOKE {membership}"
        if holder != role and holder not in power:
            power = _("%(power)s, as a member of %(holder)s", power=power, holder=holder)
        return _(
            "The role %(role)s of DATABASE_URL %(power)s, so the database would not "
            "hide the rows of other organizations from it. %(remedy)s",
            role=role,
            power=power,
            remedy=remedy if isinstance(remedy, Sentence) else _by_superuser(remedy.format(role=role)),
        )
    return ""


def _by_superuser(statement: str) -> Sentence:
    return _("A superuser has to run: %(statement)s;", statement=statement)

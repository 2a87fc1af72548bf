"""``saas-app database roles``: the roles of PostgreSQL that the three database addresses name.

The owner's role owns the tables. The other two belong to the groups ``workroom_app`` and ``workroom_jobs``,
to which :mod:`saas_app.db.row_security` gives rights. It can be run again, while the application serves too:
no transaction locks more than one table.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import stringprep
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import sqlalchemy as sa

import saas_app.models  # noqa: F401 - registers every table
from saas_app.config import DatabaseSettings
from saas_app.db import row_security
from saas_app.db.base import Base
from saas_app.db.connecting import connecting_to
from saas_app.errors import ConfigurationError
from saas_app.operations.database.steps import Step, Steps

_GROUPS: Final = (row_security.APP_ROLE, row_security.JOBS_ROLE)
_LOCK: Final = 7_262_002  # roles belong to the whole server, so one process at a time changes them
_ITERATIONS: Final = 4096  # as PostgreSQL itself hashes passwords

_DATABASE_OWNER: Final = sa.text(
    "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
)
_RELATIONS: Final = sa.text(
    "SELECT format('%I', relname) FROM pg_class WHERE relkind IN ('r', 'p')"
    " AND relnamespace = current_schema()::regnamespace AND relowner <> CAST(:owner AS regrole)"
)
_ROUTINES: Final = sa.text(
    "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
    " AND proowner <> CAST(:owner AS regrole)"
    " AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')"
)
_LEAKPROOF: Final = ("textlike(text, text)", "texticlike(text, text)")
"""Comparisons that searches make by an index. They reveal nothing about a row that does not match. PostgreSQL
does not take that for granted, and would read every row of the organization."""


@dataclass(frozen=True, slots=True)
class Login:
    """A role that a database address names."""

    name: str
    password: str | None

    @classmethod
    def of(cls, variable: str, database_url: str) -> Login:
        """Read an address. Raises :class:`ConfigurationError` if it names no user."""
        url = connecting_to(database_url).url
        if not url.username:
            raise ConfigurationError(f"{variable} names no user.")
        return cls(url.username, str(url.password) if url.password else None)


def create_roles(settings: DatabaseSettings) -> Steps:
    """Return the steps that create the roles or bring them up to date, for a role that may create roles.

    Raises :class:`ConfigurationError` if the addresses do not name three users.
    """
    if connecting_to(settings.database_url).is_sqlite:
        raise ConfigurationError("SQLite has no roles. Set DATABASE_URL to a PostgreSQL database.")
    owner = Login.of("DATABASE_OWNER_URL", settings.owner_url)
    app = Login.of("DATABASE_URL", settings.database_url)
    jobs = Login.of("DATABASE_JOBS_URL", settings.jobs_url)
    if len({owner.name, app.name, jobs.name}) < 3:
        raise ConfigurationError(
            "DATABASE_URL, DATABASE_OWNER_URL and DATABASE_JOBS_URL must name three different users."
        )
    return lambda engine: _create(engine, owner, app, jobs)


def _create(engine: sa.Engine, owner: Login, app: Login, jobs: Login) -> Iterator[Step]:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        _require_no_superuser(connection, owner, app, jobs)
        ensure_groups(connection)
        for login in (owner, app, jobs):
            yield _set_login(connection, login)
        for group, login in zip(_GROUPS, (app, jobs), strict=True):
            if login.name != group:
                connection.exec_driver_sql(f"GRANT {group} TO {_name(login.name)}")
        _let_connect(connection, owner, app, jobs)
        _act_for(connection, owner)
    count = _hand_over(engine, owner)
    yield Step(f"{owner.name} owns the tables; {count} were handed over", count > 0)
    _take_back(engine, app, jobs)
    changed = row_security.apply(engine, Base.metadata)
    yield Step(f"policies: {', '.join(changed) or 'up to date'}", bool(changed))
    with engine.begin() as connection:
        yield _allow_indexed_search(connection)


def _require_no_superuser(connection: sa.Connection, *logins: Login) -> None:
    """Raise :class:`ConfigurationError` if one is a superuser, who might be the only one of the server."""
    found = sa.text("SELECT rolname FROM pg_roles WHERE rolsuper AND rolname = ANY (:names) ORDER BY rolname")
    for name in connection.execute(found, {"names": [login.name for login in logins]}).scalars():
        raise ConfigurationError(
            f"The role {name} is a superuser. DATABASE_URL, DATABASE_OWNER_URL and DATABASE_JOBS_URL must "
            "name roles that are not. Nothing was changed."
        )


def ensure_groups(connection: sa.Connection) -> None:
    """Create the groups that row-level security knows, unless they exist."""
    for group in _GROUPS:
        if not _exists(connection, group):
            connection.exec_driver_sql(f"CREATE ROLE {group} NOLOGIN NOSUPERUSER NOBYPASSRLS")


def _set_login(connection: sa.Connection, login: Login) -> Step:
    is_new = not _exists(connection, login.name)
    password = "" if login.password is None else f" PASSWORD '{_verifier(login.password)}'"
    verb = "CREATE" if is_new else "ALTER"
    rights = " NOSUPERUSER NOBYPASSRLS" if _is_superuser(connection) or is_new else ""
    connection.exec_driver_sql(f"{verb} ROLE {_name(login.name)} LOGIN{rights}{password}")
    return Step(f"role {login.name}: {'created' if is_new else 'up to date'}", is_new)


def _let_connect(connection: sa.Connection, owner: Login, *users: Login) -> None:
    """Let these roles use the database, and no others that it does not name itself.

    ``users`` may do what their groups may. What was granted to them by name is taken away.
    """
    database = _name(str(connection.exec_driver_sql("SELECT current_database()").scalar()))
    schema = _name(str(connection.exec_driver_sql("SELECT current_schema()").scalar()))
    run, groups = connection.exec_driver_sql, ", ".join(_GROUPS)
    others = _others(users)
    if connection.scalar(_DATABASE_OWNER) in {user.name for user in users}:
        run(f"ALTER DATABASE {database} OWNER TO {_name(owner.name)}")
    run(f"REVOKE ALL ON DATABASE {database} FROM {others}")
    run(f"GRANT CONNECT ON DATABASE {database} TO {groups}")
    run(f"GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {database} TO {_name(owner.name)}")
    run(f"REVOKE CREATE ON SCHEMA {schema} FROM {others}")
    run(f"GRANT USAGE ON SCHEMA {schema} TO {groups}")
    run(f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {_name(owner.name)}")


def _others(users: Sequence[Login]) -> str:
    """Return everybody and these users by name, without the groups, which keep their rights."""
    return ", ".join(["PUBLIC", *(_name(user.name) for user in users if user.name not in _GROUPS)])


def _act_for(connection: sa.Connection, owner: Login) -> None:
    """Let a role that may create roles, and is no superuser, change the tables of the owner."""
    acts = sa.text("SELECT pg_has_role(CAST(:owner AS regrole), 'USAGE')")
    if not connection.scalar(acts, {"owner": _name(owner.name)}):
        connection.exec_driver_sql(f"GRANT {_name(owner.name)} TO CURRENT_USER")


def _hand_over(engine: sa.Engine, owner: Login) -> int:
    """Make the owner's role the owner of every table and routine. Returns how many tables that changed."""
    parameters = {"owner": _name(owner.name)}
    with engine.begin() as connection:
        tables = list(connection.execute(_RELATIONS, parameters).scalars())
        for routine in list(connection.execute(_ROUTINES, parameters).scalars()):
            connection.exec_driver_sql(f"ALTER ROUTINE {routine} OWNER TO {_name(owner.name)}")
    for table in tables:
        statement = f"ALTER TABLE {table} OWNER TO {_name(owner.name)}"
        row_security.lock_briefly(engine, partial(_run, statement))
    return len(tables)


def _run(statement: str, connection: sa.Connection) -> None:
    connection.exec_driver_sql(statement)


def _take_back(engine: sa.Engine, *users: Login) -> None:
    """Take away what was granted on our tables to these users by name, or to everybody."""
    with engine.begin() as connection:
        tables = set(sa.inspect(connection).get_table_names()) & set(Base.metadata.tables)
    for table in sorted(tables):
        with engine.begin() as connection:
            connection.exec_driver_sql(f"REVOKE ALL ON {table} FROM {_others(users)}")


def _allow_indexed_search(connection: sa.Connection) -> Step:
    """Let searches use their indexes beside row-level security, which only a superuser can do."""
    if not _is_superuser(connection):
        return Step("searches cannot use their indexes: only a superuser can mark LIKE as leakproof", False)
    for function in _LEAKPROOF:
        connection.exec_driver_sql(f"ALTER FUNCTION pg_catalog.{function} LEAKPROOF")
    return Step("searches use their indexes", False)


def _exists(connection: sa.Connection, role: str) -> bool:
    found = sa.text("SELECT 1 FROM pg_roles WHERE rolname = :name")
    return connection.scalar(found, {"name": role}) is not None


def _is_superuser(connection: sa.Connection) -> bool:
    found = connection.exec_driver_sql("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    return bool(found.scalar())


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _verifier(password: str) -> str:
    """Return what PostgreSQL stores for a password (SCRAM-SHA-256), so that its log has no password."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", _normalized(password).encode(), salt, _ITERATIONS)
    client = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, client, server)]
    return f"SCRAM-SHA-256${_ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def _normalized(password: str) -> str:
    """Return a password as PostgreSQL's clients hash it (SASLprep, RFC 4013)."""
    kept = (character for character in password if not stringprep.in_table_b1(character))
    spaced = (" " if stringprep.in_table_c12(character) else character for character in kept)
    return unicodedata.normalize("NFKC", "".join(spaced))

"""``saas-app database roles``: the roles of PostgreSQL that the three database addresses name.

The owner's role owns the tables. The other two belong to the groups ``workroom_app`` and ``workroom_jobs``,
to which :mod:`saas_app.db.row_security` gives rights. It can be run again, while the application serves too:
no transaction locks more than one table. Tables and routines of other applications in the same schema are
left alone.
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
from saas_app.config import DatabaseLocation, DatabaseSettings
from saas_app.db import row_security
from saas_app.db.base import Base
from saas_app.db.connecting import connecting_to
from saas_app.errors import ConfigurationError
from saas_app.operations.database.steps import Step, Steps
from saas_app.text.translation import _

_GROUPS: Final = (row_security.APP_ROLE, row_security.JOBS_ROLE)
_LOCK: Final = 7_262_002  # roles belong to the whole server, so one process at a time changes them
_ITERATIONS: Final = 4096  # as PostgreSQL itself hashes passwords

_MAKER: Final = sa.text(
    "SELECT format('%I', rolname), rolsuper OR rolcreaterole, current_schema()"
    " FROM pg_roles WHERE rolname = current_user"
)
_DATABASE_OWNER: Final = sa.text(
    "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
)
_RIGHTS_ARE_SET: Final = sa.text(
    "SELECT has_schema_privilege(:owner, current_schema(), 'CREATE')"
    " AND has_database_privilege(:owner, current_database(), 'CREATE')"
    " AND NOT has_database_privilege('public', current_database(), 'CONNECT')"
)
"""Whether the owner may create what it needs, and not everybody may connect."""
_TABLES: Final = [*Base.metadata.tables, row_security.VERSION_TABLE]
_PROCEDURES: Final = ["workroom_enter", "workroom_leave"]  # see saas_app.db.transactions
_OWN: Final = sa.text(
    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relname = ANY (:tables)"
    " AND relnamespace = current_schema()::regnamespace AND relowner <> CAST(:owner AS regrole)"
)
_FOREIGN: Final = sa.text(
    "SELECT format('%I', relname) FROM pg_class WHERE relkind IN ('r', 'p') AND relname <> ALL (:tables)"
    " AND relnamespace = current_schema()::regnamespace"
    " AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e') ORDER BY relname"
)
_ROUTINES: Final = sa.text(
    "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
    " AND proowner <> CAST(:owner AS regrole)"
    " AND (proname = ANY (:procedures) OR oid IN (SELECT tgfoid FROM pg_trigger JOIN pg_class ON tgrelid ="
    " pg_class.oid WHERE relname = ANY (:tables) AND relnamespace = current_schema()::regnamespace))"
)
"""Our procedures, and the functions of the triggers on our tables."""
_LEAKPROOF: Final = ("textlike(text, text)", "texticlike(text, text)")
"""Comparisons that searches make by an index. They reveal nothing about a row that does not match. PostgreSQL
does not take that for granted, and would read every row of the organization."""
_NOT_LEAKPROOF: Final = sa.text(
    "SELECT function FROM unnest(CAST(:functions AS text[])) function"
    " JOIN pg_proc ON oid = CAST('pg_catalog.' || function AS regprocedure) WHERE NOT proleakproof"
)


@dataclass(frozen=True, slots=True)
class Login:
    """A role that a database address names."""

    name: str
    password: str | None

    @classmethod
    def of(cls, location: DatabaseLocation) -> Login:
        """Read an address. Raises :class:`ConfigurationError` if it names no user."""
        url = connecting_to(location.url).url
        if not url.username:
            raise ConfigurationError(
                _(
                    "%(setting)s names no user. Write it as postgresql://user:password@host/database.",
                    setting=location.setting,
                )
            )
        return cls(url.username, str(url.password) if url.password else None)


def create_roles(settings: DatabaseSettings) -> Steps:
    """Return the steps that create the roles or bring them up to date, for a role that may create roles.

    Raises :class:`ConfigurationError` if the addresses do not name three users.
    """
    if connecting_to(settings.database_url).is_sqlite:
        raise ConfigurationError(_("SQLite has no roles. Set DATABASE_URL to a PostgreSQL database."))
    owner = Login.of(settings.for_owner)
    app = Login.of(settings.for_requests)
    jobs = Login.of(settings.for_jobs)
    if len({owner.name, app.name, jobs.name}) < 3:
        raise ConfigurationError(
            _("DATABASE_URL, DATABASE_OWNER_URL and DATABASE_JOBS_URL must name three different users.")
        )
    return lambda engine: _create(engine, owner, app, jobs)


def _create(engine: sa.Engine, owner: Login, app: Login, jobs: Login) -> Iterator[Step]:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        _require_maker(connection)
        _require_no_superuser(connection, owner, app, jobs)
        ensure_groups(connection)
        logins = [_set_login(connection, login) for login in (owner, app, jobs)]
        for group, login in zip(_GROUPS, (app, jobs), strict=True):
            if login.name != group:
                connection.exec_driver_sql(f"GRANT {group} TO {_name(login.name)}")
        _let_connect(connection, owner, app, jobs)
        _act_for(connection, owner)
    yield from logins
    count = _hand_over(engine, owner)
    yield Step(
        _("%(name)s owns the tables; %(count)s were handed over", name=owner.name, count=count), count > 0
    )
    yield from _name_foreign(engine)
    _take_back(engine, app, jobs)
    changed = row_security.apply(engine, Base.metadata)
    yield Step(
        _("policies and grants: %(tables)s", tables=", ".join(changed) or _("up to date")), bool(changed)
    )
    with engine.begin() as connection:
        yield _allow_indexed_search(connection)


def _require_maker(connection: sa.Connection) -> None:
    """Raise :class:`ConfigurationError` if the current role may not create roles, or has no schema."""
    name, may_create_roles, schema = connection.execute(_MAKER).one()
    if schema is None:
        raise ConfigurationError(
            _(
                "No schema in the search_path of %(name)s exists. Create it or set another. Nothing "
                "was changed.",
                name=name,
            )
        )
    if not may_create_roles:
        raise ConfigurationError(
            _(
                "The role %(name)s may not create roles. Name one that may, best a superuser: "
                "--admin-url postgresql://<superuser>@<host>/<database>. Nothing was changed.",
                name=name,
            )
        )


def _require_no_superuser(connection: sa.Connection, *logins: Login) -> None:
    """Raise :class:`ConfigurationError` if one is a superuser, who might be the only one of the server."""
    found = sa.text("SELECT rolname FROM pg_roles WHERE rolsuper AND rolname = ANY (:names) ORDER BY rolname")
    for name in connection.execute(found, {"names": [login.name for login in logins]}).scalars():
        raise ConfigurationError(
            _(
                "The role %(name)s is a superuser. DATABASE_URL, DATABASE_OWNER_URL and "
                "DATABASE_JOBS_URL must name roles that are not. Nothing was changed.",
                name=name,
            )
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
    return Step(
        _("role %(name)s: created", name=login.name)
        if is_new
        else _("role %(name)s: up to date", name=login.name),
        is_new,
    )


def _let_connect(connection: sa.Connection, owner: Login, *users: Login) -> None:
    """Let these roles use the database, and no others that it does not name itself.

    ``users`` may do what their groups may. What was granted to them by name is taken away.
    """
    database = _name(str(connection.exec_driver_sql("SELECT current_database()").scalar()))
    schema = _name(str(connection.exec_driver_sql("SELECT current_schema()").scalar()))
    run, groups = connection.exec_driver_sql, ", ".join(_GROUPS)
    others = ", ".join([_others(users), groups])
    if connection.scalar(_DATABASE_OWNER) in {user.name for user in users}:
        run(f"ALTER DATABASE {database} OWNER TO {_name(owner.name)}")
    run(f"REVOKE ALL ON DATABASE {database} FROM {others}")
    run(f"GRANT CONNECT ON DATABASE {database} TO {groups}")
    run(f"GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {database} TO {_name(owner.name)}")
    run(f"REVOKE CREATE ON SCHEMA {schema} FROM {others}")
    run(f"GRANT USAGE ON SCHEMA {schema} TO {groups}")
    run(f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {_name(owner.name)}")
    if not connection.scalar(_RIGHTS_ARE_SET, {"owner": owner.name}):  # PostgreSQL only warns about it
        admin = connection.execute(_MAKER).one()[0]
        raise ConfigurationError(
            _(
                "Another role than %(admin)s owns the database %(database)s and its rights. Nothing "
                "was changed. Use a superuser, or let one run: ALTER DATABASE %(database)s OWNER TO "
                "%(admin)s;",
                admin=admin,
                database=database,
            )
        )


def _others(users: Sequence[Login]) -> str:
    """Return everybody and these users by name, without the groups, which keep their rights."""
    return ", ".join(["PUBLIC", *(_name(user.name) for user in users if user.name not in _GROUPS)])


def _act_for(connection: sa.Connection, owner: Login) -> None:
    """Let a role that may create roles, and is no superuser, change the tables of the owner."""
    acts = sa.text("SELECT pg_has_role(CAST(:owner AS regrole), 'USAGE')")
    if not connection.scalar(acts, {"owner": _name(owner.name)}):
        connection.exec_driver_sql(f"GRANT {_name(owner.name)} TO CURRENT_USER")


def _hand_over(engine: sa.Engine, owner: Login) -> int:
    """Make the owner's role the owner of our tables and routines. Returns how many tables that changed."""
    parameters = {"owner": _name(owner.name), "tables": _TABLES}
    with engine.begin() as connection:
        tables = list(connection.execute(_OWN, parameters).scalars())
        ours = {**parameters, "procedures": _PROCEDURES}
        for routine in list(connection.execute(_ROUTINES, ours).scalars()):
            connection.exec_driver_sql(f"ALTER ROUTINE {routine} OWNER TO {_name(owner.name)}")
    for table in tables:
        statement = f"ALTER TABLE {table} OWNER TO {_name(owner.name)}"
        row_security.lock_briefly(engine, partial(_run, statement))
    return len(tables)


def _name_foreign(engine: sa.Engine) -> Iterator[Step]:
    """Say which tables belong to other applications. Their roles lost the right that everybody had."""
    with engine.begin() as connection:
        foreign = list(connection.execute(_FOREIGN, {"tables": _TABLES}).scalars())
        database = connection.exec_driver_sql("SELECT format('%I', current_database())").scalar()
    if foreign:
        remedy = f"GRANT CONNECT ON DATABASE {database} TO <role>"
        yield Step(
            _(
                "left alone: %(foreign)s. Roles that use them need: %(remedy)s",
                foreign=", ".join(foreign),
                remedy=remedy,
            ),
            False,
        )


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
    missing = list(connection.execute(_NOT_LEAKPROOF, {"functions": list(_LEAKPROOF)}).scalars())
    statements = [f"ALTER FUNCTION pg_catalog.{function} LEAKPROOF" for function in missing]
    if missing and not _is_superuser(connection):
        return Step(
            _(
                "searches read all rows of an organization. To let them use indexes, a superuser has to run, "
                "in this database: %(statements)s;",
                statements="; ".join(statements),
            ),
            False,
        )
    for statement in statements:
        connection.exec_driver_sql(statement)
    return Step(_("searches use their indexes"), bool(missing))


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

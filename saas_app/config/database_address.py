"""``DATABASE_URL``: reads the addresses of PostgreSQL and SQLite databases.

The parameters for PostgreSQL are those of libpq (PostgreSQL 18, 34.1.2) that asyncpg supports. Unknown
parameters are rejected, because an ignored one might be the one that requires TLS. No message repeats the
address, because it contains a password.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote

from saas_app.text.translation import _

_POSTGRESQL: Final = frozenset({"postgres", "postgresql", "postgres+asyncpg", "postgresql+asyncpg"})
_SQLITE: Final = frozenset({"sqlite", "sqlite+aiosqlite"})
_SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SESSION_ATTRIBUTES: Final = ("any", "primary", "standby", "read-write", "read-only", "prefer-standby")
_FILES: Final = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
_PLAIN: Final = ("host", "port", "application_name")
_NUMBERS: Final = ("connect_timeout", "statement_cache_size")
_KNOWN: Final = frozenset({"sslmode", "target_session_attrs", *_FILES, *_PLAIN, *_NUMBERS})
_OLD_NAMES: Final = {"ssl": "sslmode", "prepared_statement_cache_size": "statement_cache_size"}
_ENCODE: Final = _("encode special characters in the user name and password, such as @ as %40 and / as %2F")


@dataclass(frozen=True, slots=True)
class SqliteAddress:
    """A SQLite file, relative to the working directory or absolute."""

    path: str


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """A PostgreSQL database. ``parameters`` are the checked parameters of ``_KNOWN`` except host and port."""

    hosts: tuple[tuple[str, int | None], ...]
    database: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    parameters: dict[str, str] = field(default_factory=dict)


def read_database_address(value: str) -> SqliteAddress | PostgresAddress:
    """Read an address. Raises :class:`ValueError` with a sentence that does not repeat the address."""
    value = value.strip()
    if value[:1] in ("'", '"'):
        raise ValueError(_("has quotation marks around it: remove them"))
    scheme, mark, rest = value.partition("://")
    scheme = scheme.lower()
    if mark and scheme in _SQLITE:
        return _sqlite(rest)
    if mark and scheme in _POSTGRESQL:
        return _postgresql(rest)
    if mark and scheme.split("+")[0] in ("postgres", "postgresql"):
        raise ValueError(_("uses a driver other than asyncpg: start it with postgresql://"))
    raise ValueError(_("must start with postgresql:// or sqlite:///"))


def is_sqlite(address: str) -> bool:
    """Return whether a valid address is one of SQLite."""
    return isinstance(read_database_address(address), SqliteAddress)


def _sqlite(rest: str) -> SqliteAddress:
    if not rest.startswith("/"):
        raise ValueError(
            _(
                "needs three slashes for a relative path (sqlite:///var/workroom.db) and four for an "
                "absolute path"
            )
        )
    path = rest[1:]
    if "?" in path or "#" in path or "\x00" in path:
        raise ValueError(_("must have no parameters: SQLite takes only a path"))
    if path in ("", ":memory:") or path.startswith("file:") or path.endswith("/"):
        raise ValueError(_("must name a file: an in-memory database would be empty for every connection"))
    return SqliteAddress(path)


def _postgresql(rest: str) -> PostgresAddress:
    if find_spec("asyncpg") is None:
        raise ValueError(_("needs an extra package: pip install 'workroom[postgres]'"))
    if "#" in rest:
        raise ValueError(_("must have no fragment; %(encode)s", encode=_ENCODE))
    before, _mark, query = rest.partition("?")
    authority, _slash, database = before.rpartition("/") if "/" in before else (before, "", "")
    if "/" in authority:
        raise ValueError(_("has more than one slash before the database name; %(encode)s", encode=_ENCODE))
    credentials, has_credentials, hosts = authority.rpartition("@")
    if not database:
        raise ValueError(_("names no database: postgresql://user:password@host/database"))
    user, has_password, password = credentials.partition(":")
    parameters = _parameters(query)
    return PostgresAddress(
        hosts=_hosts(hosts, parameters.pop("host", ""), parameters.pop("port", "")),
        database=_decoded(database),
        user=_decoded(user) if has_credentials and user else None,
        password=_decoded(password) if has_password else None,
        parameters=parameters,
    )


def _hosts(authority: str, host: str, port: str) -> tuple[tuple[str, int | None], ...]:
    """Return the hosts. A parameter ``host``, such as the folder of a socket, replaces the authority."""
    if host and authority:
        raise ValueError(_("names the host twice: before the database name and as a parameter"))
    if host:
        ports = port.split(",") if port else [""]
        names = host.split(",")
        if len(ports) not in (1, len(names)):
            raise ValueError(_("must have one port, or as many ports as hosts"))
        return tuple((name, _port(ports[index if len(ports) > 1 else 0])) for index, name in enumerate(names))
    if port:
        raise ValueError(_("has a port as a parameter, but no host"))
    return tuple(_host(item) for item in authority.split(",")) if authority else ()


def _host(item: str) -> tuple[str, int | None]:
    if item.startswith("["):
        name, closing, after = item[1:].partition("]")
        if not closing or (after and not after.startswith(":")):
            raise ValueError(_("has brackets without a valid IPv6 address"))
        return name, _port(after[1:]) if after else None
    name, mark, port = item.partition(":")
    if ":" in port:
        raise ValueError(_("needs brackets around an IPv6 address, such as [::1]:5432"))
    if not name:
        raise ValueError(_("has no host before the port"))
    return _decoded(name), _port(port) if mark else None


def _port(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise ValueError(_("must have a port from 1 to 65535; %(encode)s", encode=_ENCODE))
    return int(text)


def _parameters(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError:
        raise ValueError(_("has a parameter without a value")) from None
    for given, text in pairs:
        name = _OLD_NAMES.get(given, given)
        if name not in _KNOWN:
            known = ", ".join(sorted(_KNOWN))
            raise ValueError(
                _(
                    "has an unsupported parameter: %(given)s. Supported: %(known)s",
                    given=given[:40],
                    known=known,
                )
            )
        if found.get(name, text) != text:
            raise ValueError(_("has the parameter %(name)s twice", name=name))
        _check(name, text)
        found[name] = text
    return found


def _check(name: str, text: str) -> None:
    choices = {"sslmode": _SSL_MODES, "target_session_attrs": _SESSION_ATTRIBUTES}.get(name)
    if choices and text not in choices:
        raise ValueError(_("%(name)s must be one of %(choices)s", name=name, choices=", ".join(choices)))
    if name in _FILES and not Path(text).is_file():
        raise ValueError(_("%(name)s names a file that does not exist", name=name))
    if name == "connect_timeout" and not (text.isascii() and text.isdigit() and 1 <= int(text) <= 3600):
        raise ValueError(_("connect_timeout must be a number of seconds from 1 to 3600"))
    if name == "statement_cache_size" and not (text.isascii() and text.isdigit() and int(text) <= 10_000):
        raise ValueError(_("statement_cache_size must be a number; 0 for PgBouncer in transaction mode"))
    if name == "application_name" and not (text.isascii() and text.isprintable() and len(text) < 64):
        raise ValueError(_("application_name must be at most 63 printable ASCII characters"))


def _decoded(text: str) -> str:
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ValueError(
            _("contains an escape that is not valid UTF-8; %(encode)s", encode=_ENCODE)
        ) from None
    if "\x00" in decoded:
        raise ValueError(_("contains a NUL character"))
    return decoded

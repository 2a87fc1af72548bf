"""Turns a database address into the arguments of SQLAlchemy's ``create_async_engine``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import sqlalchemy as sa

from saas_app.config.database_address import PostgresAddress, SqliteAddress, read_database_address
from saas_app.errors import ConfigurationError
from saas_app.text.translation import _

_READ_BY_ASYNCPG: Final[tuple[str, ...]] = (
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "sslcrl",
    "target_session_attrs",
)


@dataclass(frozen=True, slots=True)
class Connecting:
    """The first argument of ``create_async_engine``, and its ``connect_args``."""

    url: sa.URL
    connect_args: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"


def connecting_to(database_url: str, setting: str = "DATABASE_URL") -> Connecting:
    """Read the address in a setting. Raises :class:`ConfigurationError` with the reason if it is invalid."""
    try:
        address = read_database_address(database_url)
    except ValueError as error:
        raise ConfigurationError(
            _("%(setting)s %(problem)s.", setting=setting, problem=error.args[0])
        ) from None
    if isinstance(address, SqliteAddress):
        return Connecting(sa.URL.create("sqlite+aiosqlite", database=address.path))
    return _postgresql(address)


def _postgresql(address: PostgresAddress) -> Connecting:
    host, port = address.hosts[0] if len(address.hosts) == 1 else (None, None)
    url = sa.URL.create("postgresql+asyncpg", address.user, address.password, host, port, address.database)
    arguments: dict[str, Any] = {}
    if len(address.hosts) > 1:
        arguments["host"] = [name for name, _ in address.hosts]
        arguments["port"] = [number or 5432 for _, number in address.hosts]
    given = address.parameters
    read_by_asyncpg = {name: given[name] for name in _READ_BY_ASYNCPG if name in given}
    if read_by_asyncpg:
        arguments["dsn"] = f"postgresql://?{urlencode(read_by_asyncpg)}"
    if "application_name" in given:
        arguments["server_settings"] = {"application_name": given["application_name"]}
    if "connect_timeout" in given:
        arguments["timeout"] = float(given["connect_timeout"])
    if "statement_cache_size" in given:  # SQLAlchemy has its own cache in front of asyncpg's
        arguments["statement_cache_size"] = int(given["statement_cache_size"])
        arguments["prepared_statement_cache_size"] = int(given["statement_cache_size"])
    return Connecting(url, arguments)

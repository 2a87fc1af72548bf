"""The cluster: a proxy, two hosts with two workers each, PostgreSQL, Redis and the provider."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from local_logto.testing import Provider
from local_logto.testing.management import ManagementApi
from sqlalchemy.ext.asyncio import create_async_engine

from saas_app.config import DatabaseLocation, DatabaseSettings
from saas_app.operations.database.roles import create_roles
from saas_app.operations.database.steps import run_steps
from tests.databases import in_thread, migrate, run_in_thread
from tests.hosts.network import Machine, running_network
from tests.hosts.programs import Program, new_postgres, new_proxy, new_redis
from tests.processes import provision

WORKERS: Final = 2  # of each host
DATABASE: Final = "workroom"
_UNLIMITED: Final = ("CLIENT", "USER", "ORGANIZATION", "ADDRESS", "NEW_ORGANIZATIONS", "CHANGES")


@dataclass
class Cluster:
    """The running machines and what to reach them by."""

    url: str
    tls: ssl.SSLContext
    hosts: dict[str, Program]
    database: Program
    redis: Program
    provider: Provider
    provider_machine: Machine
    env_file: Path
    directory: Path
    environment: dict[str, str] = field(repr=False)

    @property
    def one(self) -> Program:
        return self.hosts["one"]

    @property
    def two(self) -> Program:
        return self.hosts["two"]

    @contextlib.asynccontextmanager
    async def in_place_of(self, name: str, other: Program) -> AsyncIterator[None]:
        """Let a host give way to another one, which the caller starts, until the block ends."""
        host = self.hosts[name]
        await asyncio.to_thread(host.stop, signal.SIGINT)
        self.hosts[name] = other
        try:
            yield
        finally:
            await asyncio.to_thread(other.stop, signal.SIGINT)
            self.hosts[name] = host

    def ensure_running(self) -> None:
        """Start what an earlier test has left ended."""
        for program in (self.database, self.redis, *self.hosts.values()):
            if not program.is_running:
                program.start()

    @property
    def maintenance_dsn(self) -> str:
        """The database as its superuser reaches it, for asyncpg."""
        return f"postgresql://postgres@{self.database.address}/{DATABASE}"

    def command(self, *arguments: str, **variables: str) -> str:
        """Run ``saas-app`` as an operator does, and return what it printed. It must succeed."""
        command = [sys.executable, "-m", "saas_app", *arguments, "--env-file", str(self.env_file)]
        environment = {**self.environment, **variables}
        ran = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
        return ran.stdout


def database_environment(server: Program, name: str = DATABASE) -> dict[str, str]:
    """Return the variables that lead a program to a database of the cluster, with its roles."""
    users = {"DATABASE_URL": "app", "DATABASE_OWNER_URL": "owner", "DATABASE_JOBS_URL": "jobs"}
    return {
        variable: f"postgresql+asyncpg://workroom_{user}@{server.address}/{name}"
        for variable, user in users.items()
    }


def create_database(server: Program, name: str, revision: str = "head") -> None:
    """Create a database with its roles and migrate it up to a revision."""
    variables = database_environment(server, name)
    admin = sa.make_url(variables["DATABASE_URL"]).set(username="postgres")
    maintenance = admin.set(database="postgres")

    async def create() -> None:
        engine = create_async_engine(maintenance, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
        await engine.dispose()

    run_in_thread(create())
    settings = DatabaseSettings(**{key.lower(): value for key, value in variables.items()})
    location = DatabaseLocation(admin.render_as_string())
    in_thread(run_steps, location, create_roles(settings), lambda _step: None)
    migrate(variables["DATABASE_OWNER_URL"], revision)


@contextlib.contextmanager
def running_cluster(directory: Path) -> Iterator[Cluster]:
    """Run the cluster until the block ends. The directory keeps its logs."""
    with contextlib.ExitStack() as held:
        data = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="workroom-hosts-")))
        names = ("proxy", "one", "two", "database", "redis", "logto")
        machines = dict(zip(names, held.enter_context(running_network(*names)), strict=True))
        database = new_postgres(machines["database"], data, directory / "postgres.log")
        redis = new_redis(machines["redis"], directory)
        addresses = {name: f"{machines[name].address}:3000" for name in ("one", "two")}
        proxy = new_proxy(machines["proxy"], addresses, directory)
        logto, provider = _new_provider(machines["logto"], directory)
        _start(held, database, redis, proxy, logto)
        create_database(database, DATABASE)
        url = f"https://{machines['proxy'].address}"
        environment = _environment(url, database, redis, machines["proxy"])
        env_file = directory / "workroom.env"
        provision(env_file, {**environment, **provider.environment})
        hosts = {
            name: _new_host(machines[name], env_file, environment, directory / f"{name}.log")
            for name in ("one", "two")
        }
        _start(held, *hosts.values())
        tls = ssl.create_default_context(cafile=directory / "certificate.pem")
        yield Cluster(
            url, tls, hosts, database, redis, provider, machines["logto"], env_file, directory, environment
        )


def _new_host(machine: Machine, env_file: Path, environment: dict[str, str], log: Path) -> Program:
    """Return the product as an operator runs it."""
    command = [
        sys.executable, "-m", "saas_app", "serve", "--env-file", str(env_file), "--no-migrate",
        "--host", machine.address, "--port", "3000", "--workers", str(WORKERS),
    ]  # fmt: skip
    return Program(machine, command, 3000, log, environment=environment)


def with_environment(host: Program, **variables: str) -> Program:
    """Return a host that differs from another one by some variables. It is not running."""
    return replace(host, environment={**host.environment, **variables}, process=None)


def with_source(host: Program, source: Path) -> Program:
    """Return a host that differs from another one by its version, a folder with another ``saas_app``."""
    return replace(host, folder=source, process=None)


def _environment(url: str, database: Program, redis: Program, proxy: Machine) -> dict[str, str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("LOGTO_", "APP_", "RATE_"))
    }
    return {
        **inherited,
        **database_environment(database),
        **dict.fromkeys((f"RATE_LIMIT_{what}" for what in _UNLIMITED), "1000000/minute"),
        "APP_URL": url,
        "APP_DRAIN_SECONDS": "5",
        "CONNECTORS_FILE": "",
        "FORWARDED_ALLOW_IPS": proxy.address,
        "LOG_FORMAT": "json",
        "LOGTO_TIMEOUT": "2",
        "RATE_LIMIT_STORAGE": f"redis://{redis.address}/0",
    }


def _new_provider(machine: Machine, directory: Path) -> tuple[Program, Provider]:
    endpoint, app_id, secret = f"http://{machine.address}:3001", "management-test", secrets.token_hex(16)
    data = directory / "logto"
    data.mkdir()
    environment = {
        **os.environ,
        "LOCAL_LOGTO_ALLOW_NON_LOOPBACK": "true",
        "LOCAL_LOGTO_ENDPOINT": endpoint,
        "LOCAL_LOGTO_MANAGEMENT_APP_ID": app_id,
        "LOCAL_LOGTO_MANAGEMENT_APP_SECRET": secret,
        "SSL_CERT_FILE": str(directory / "certificate.pem"),
    }
    command = [
        sys.executable, "-m", "local_logto", "serve",
        "--host", machine.address, "--port", "3001", "--data-dir", str(data),
    ]  # fmt: skip
    program = Program(machine, command, 3001, directory / "logto.log", environment=environment)
    management = ManagementApi(endpoint, app_id, secret)
    return program, Provider(endpoint, app_id, secret, data, 0, management)


def _start(held: contextlib.ExitStack, *programs: Program) -> None:
    """Start programs at once, and wait for all of them. They are killed at the end."""
    for program in programs:
        held.callback(program.fail)
    with ThreadPoolExecutor(len(programs)) as threads:
        list(threads.map(Program.start, programs))

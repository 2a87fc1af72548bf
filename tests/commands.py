"""``saas-app`` as tests run it: it cannot change the environment, and the provider is checked afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import structlog
from click.testing import CliRunner, Result
from local_logto.testing import Provider
from pydantic import SecretStr

from saas_app.cli import main
from saas_app.config import ManagementSettings
from saas_app.logto import ManagementClient, connect
from tests.databases import empty_database

_R = TypeVar("_R")


@contextlib.contextmanager
def bare_environment(provider: Provider, directory: Path) -> Iterator[None]:
    """Set variables that say only how to reach the Management API and the database."""
    before, logging = dict(os.environ), structlog.get_config()
    for name in before:
        if name.startswith(("LOGTO_", "APP_")):
            del os.environ[name]
    with empty_database(directory) as database_url:
        os.environ.update(provider.environment, DATABASE_URL=database_url, CONNECTORS_FILE="")
        yield
    os.environ.clear()
    os.environ.update(before)
    structlog.configure(**logging)


def run(*arguments: object, **env: str | None) -> Result:
    """Run a command. It cannot change environment or logging for the next one. None removes a variable."""
    before, logging = dict(os.environ), structlog.get_config()
    try:
        return CliRunner().invoke(main, [str(argument) for argument in arguments], env=env)
    finally:
        os.environ.clear()
        os.environ.update(before)
        structlog.configure(**logging)


def ask(provider: Provider, question: Callable[[ManagementClient], Awaitable[_R]]) -> _R:
    """Call the Management API of the provider, instead of trusting the command's output."""
    settings = ManagementSettings(
        endpoint=provider.endpoint,
        app_id=provider.management_app_id,
        app_secret=SecretStr(provider.management_app_secret),
        token_endpoint="",
        resource="https://default.logto.app/api",
    )

    async def answer() -> _R:
        async with connect(settings) as client:
            return await question(client)

    return asyncio.run(answer())


def tally(result: Result) -> tuple[int, int]:
    """Return how many things were written, or differ, and how many were up to date."""
    changed, held = result.stdout.partition(" already up to date")[0].splitlines()[-1].split(", ")
    return int(changed.split()[0]), int(held)

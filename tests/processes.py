"""The provider and the application as processes, on free ports."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from local_logto.testing import Provider, running_provider
from local_logto.testing.processes import free_port, running, wait_for

from tests.commands import run
from tests.databases import Database

__all__ = ["Application", "Provider", "free_port", "provision", "running_application", "running_provider"]

_LIMITED = (
    "ADDRESS",
    "NEW_ORGANIZATIONS",
    "INVITATIONS_USER",
    "INVITATIONS_ORGANIZATION",
    "INVITATIONS_ADDRESS",
    "CHANGES",
)


@dataclass(frozen=True, slots=True)
class Application:
    """The product as its users run it: provisioned, migrated and serving."""

    url: str
    env_file: Path
    pid: int


@contextlib.contextmanager
def running_application(
    provider: Provider,
    database: Database,
    directory: Path,
    *,
    workers: int = 1,
    python: str | None = None,
    **extra: str,
) -> Iterator[Application]:
    """Run ``saas-app provision --write-env`` and ``saas-app serve --env-file``, like the README.

    ``extra`` is added to the environment of both. ``python`` is the interpreter of another checkout, whose
    programs are run.
    """
    port = free_port()
    url = f"http://localhost:{port}"
    env_file, log = directory / "workroom.env", directory / "application.log"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LOGTO_", "APP_"))}
    # ignore a connectors file in this folder. All callers in a test share one address
    unlimited = dict.fromkeys((f"RATE_LIMIT_{what}" for what in _LIMITED), "100000/minute")
    extra = {"CONNECTORS_FILE": "", **unlimited, **extra}
    given = {**inherited, **extra, **provider.environment, "APP_URL": url, **database.environment}
    if python is None:
        provision(env_file, given)
    else:
        command = [python, "-m", "saas_app", "provision", "--write-env", str(env_file)]
        subprocess.run(command, env=given, check=True, capture_output=True)
    serve = [
        python or sys.executable, "-m", "saas_app", "serve", "--env-file", str(env_file),
        "--host", "127.0.0.1", "--port", str(port), "--workers", str(workers),
    ]  # fmt: skip
    with running(serve, {**inherited, **extra}, log) as process:
        wait_for(f"{url}/healthz", 200, process, log)
        yield Application(url, env_file, process.pid)


def provision(env_file: Path, environment: Mapping[str, str]) -> None:
    """Provision in this process, which has imported everything: another one takes a second to do so.

    It runs in a thread, because the command runs its own event loop.
    """
    removed = dict.fromkeys(os.environ.keys() - environment.keys())
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(run, "provision", "--write-env", env_file, **{**removed, **environment}).result()
    assert done.exit_code == 0, done.output

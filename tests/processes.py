"""Programs under test, started as programs: the provider and the application, on free ports."""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

_LIMITED = (
    "ADDRESS",
    "NEW_ORGANIZATIONS",
    "INVITATIONS_USER",
    "INVITATIONS_ORGANIZATION",
    "INVITATIONS_ADDRESS",
    "CHANGES",
)
START_DEADLINE = 90.0  # seconds a program may take until it answers


def free_port() -> int:
    """A TCP port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Provider:
    """A running Logto, embedded or real, with the credentials of its Management API."""

    endpoint: str
    management_app_id: str
    management_app_secret: str
    data_dir: Path
    pid: int = 0

    @property
    def environment(self) -> dict[str, str]:
        """What the product reads to reach its Management API."""
        return {
            "LOGTO_ENDPOINT": self.endpoint,
            "LOGTO_MANAGEMENT_APP_ID": self.management_app_id,
            "LOGTO_MANAGEMENT_APP_SECRET": self.management_app_secret,
        }


@contextlib.contextmanager
def running_provider(data_dir: Path, **extra: str) -> Iterator[Provider]:
    """``local_logto`` as a process of its own, stopped at the end; ``extra`` goes into its environment."""
    port = free_port()
    provider = Provider(f"http://localhost:{port}", "management-test", secrets.token_hex(16), data_dir)
    environment = {
        **os.environ,
        "LOCAL_LOGTO_ENDPOINT": provider.endpoint,
        "LOCAL_LOGTO_MANAGEMENT_APP_ID": provider.management_app_id,
        "LOCAL_LOGTO_MANAGEMENT_APP_SECRET": provider.management_app_secret,
        **extra,
    }
    command = [
        sys.executable, "-m", "local_logto", "serve",
        "--host", "127.0.0.1", "--port", str(port), "--data-dir", str(data_dir),
    ]  # fmt: skip
    log = data_dir / "provider.log"
    with running(command, environment, log) as process:
        wait_for(f"{provider.endpoint}/api/status", 204, process, log)
        yield replace(provider, pid=process.pid)


@dataclass(frozen=True, slots=True)
class Application:
    """The product as its users run it: provisioned, migrated, serving."""

    url: str
    env_file: Path


@contextlib.contextmanager
def running_application(
    provider: Provider, database_url: str, directory: Path, *, workers: int = 1, **extra: str
) -> Iterator[Application]:
    """``saas-app provision --write-env`` and ``saas-app serve --env-file``, as the README says.

    ``extra`` goes into the environment of both.
    """
    port = free_port()
    url = f"http://localhost:{port}"
    env_file, log = directory / "workroom.env", directory / "application.log"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LOGTO_", "APP_"))}
    # no file that happens to lie in this folder; and everybody in a test has the same address
    unlimited = dict.fromkeys((f"RATE_LIMIT_{what}" for what in _LIMITED), "100000/minute")
    extra = {"CONNECTORS_FILE": "", **unlimited, **extra}
    given = {**inherited, **extra, **provider.environment, "APP_URL": url, "DATABASE_URL": database_url}
    program = [sys.executable, "-m", "saas_app"]
    subprocess.run(
        [*program, "provision", "--write-env", str(env_file)], env=given, check=True, capture_output=True
    )
    serve = [
        *program, "serve", "--env-file", str(env_file),
        "--host", "127.0.0.1", "--port", str(port), "--workers", str(workers),
    ]  # fmt: skip
    with running(serve, {**inherited, **extra}, log) as process:
        wait_for(f"{url}/healthz", 200, process, log)
        yield Application(url, env_file)


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended at the end of the block; its output goes to ``log``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(url: str, status: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when ``url`` answers with ``status``; fail when the process ends or the deadline passes."""
    parts = urlsplit(url)
    deadline = time.monotonic() + START_DEADLINE
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        try:
            connection.request("GET", parts.path or "/")
            if connection.getresponse().status == status:
                return
        except OSError:
            pass  # not listening yet
        finally:
            connection.close()
        time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer {status}; the program said:\n{log.read_text()[-2000:]}")

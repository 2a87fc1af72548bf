"""What ``saas-app serve`` logs with ``LOG_FORMAT=json``, and which users can read the files it writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import aiohttp
import pytest

from tests.databases import Database
from tests.processes import Provider, running_application

pytestmark = pytest.mark.one_database


def _events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def _serve(*arguments: str, **variables: str) -> tuple[int, list[dict[str, Any]]]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LOGTO_", "APP_"))}
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-m", "saas_app", "serve", *arguments],
        env={**inherited, "LOG_FORMAT": "json", **variables},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, _events(done.stdout)


@pytest.mark.parametrize(
    ("arguments", "variables", "says"),
    [
        ((), {}, "LOGTO_ENDPOINT is not set"),
        ((), {"APP_URL": "https://work.example/app"}, "APP_URL must have no path"),
        (("--env-file", "/no/such/file"), {}, "/no/such/file was not found"),
        (("--workers", "none"), {}, "not a valid integer"),
        (("--nonsense",), {}, "No such option"),
    ],
)
def test_an_error_that_prevents_the_start_is_logged(
    arguments: tuple[str, ...], variables: dict[str, str], says: str
) -> None:
    code, events = _serve(*arguments, **variables)
    assert code != 0
    assert [event["level"] for event in events] == ["error"]
    assert says in events[0]["event"]


@pytest.mark.parametrize("workers", [1, 2])
async def test_start_requests_refusals_and_stop_are_logged(
    provider: Provider, database: Database, tmp_path: Path, workers: int
) -> None:
    log = tmp_path / "application.log"
    with running_application(
        provider, database, tmp_path, workers=workers, LOG_FORMAT="json", PYTHONDEVMODE="1"
    ) as application:
        async with aiohttp.ClientSession() as http, http.get(f"{application.url}/no/such/page") as answer:
            assert answer.status == 404
    events = _events(log.read_text())
    assert any(event["event"].startswith("Workroom is running at") for event in events)
    assert all({"event", "level", "timestamp"} <= set(event) for event in events)


async def test_requests_are_logged_but_not_health_checks_that_succeed(
    provider: Provider, database: Database, tmp_path: Path
) -> None:
    log = tmp_path / "application.log"
    with running_application(provider, database, tmp_path, LOG_FORMAT="json") as application:
        async with aiohttp.ClientSession() as http:
            for path in ("/healthz", "/readyz", "/sign-in"):
                async with http.get(application.url + path, allow_redirects=False):
                    pass

    paths = {event["path"] for event in _events(log.read_text()) if event["event"] == "request"}
    assert paths == {"/sign-in"}


def test_warnings_and_uncaught_errors_are_logged() -> None:
    program = """
import asyncio, gc, logging, threading, warnings
from saas_app.observability import take_over_logging
take_over_logging("json")
warnings.warn("careful")
logging.getLogger("uvicorn.error").error("several\\nlines")
thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()
class Unraisable:
    def __del__(self): raise RuntimeError("in a finalizer")
Unraisable(); gc.collect()
async def forgotten():
    async def fails(): raise ValueError("never retrieved")
    task = asyncio.create_task(fails()); await asyncio.sleep(0); del task; gc.collect()
asyncio.run(forgotten())
raise LookupError("nobody caught this")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    told = [json.dumps(event) for event in _events(done.stderr)]
    for part in (
        "careful",
        "several",
        "ZeroDivisionError",
        "in a finalizer",
        "never retrieved",
        "nobody caught",
    ):
        assert any(part in line for line in told), part
    assert done.returncode == 1


def test_only_their_owner_can_read_the_files(provider: Provider, tmp_path: Path) -> None:
    old = tmp_path / "data" / "workroom.db"
    old.parent.mkdir()
    old.touch(mode=0o644)
    old.chmod(0o644)
    with running_application(provider, Database(*4 * [f"sqlite:///{old}"]), tmp_path) as application:
        urlopen(f"{application.url}/readyz", timeout=30).close()  # noqa: S310 - our own server; it opens the database
        modes = {path.name: path.stat().st_mode & 0o777 for path in old.parent.iterdir()}
        assert {"workroom.db", "workroom.db-wal", "workroom.db-shm"} <= set(modes)
        assert set(modes.values()) == {0o600}
    assert (tmp_path / "workroom.env").stat().st_mode & 0o777 == 0o600
    theirs = [path for path in provider.data_dir.iterdir() if "sqlite3" in path.name]
    assert theirs
    assert {path.stat().st_mode & 0o777 for path in theirs} == {0o600}


def test_only_its_owner_can_read_a_new_folder_and_an_open_file_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "new" / "workroom.db"
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{path}"}
    command = [sys.executable, "-m", "saas_app", "migrate"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.chmod(0o644)
    again = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert f"{path} was readable by other users" in again.stderr
    assert path.stat().st_mode & 0o777 == 0o600

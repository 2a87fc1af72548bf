"""A PgBouncer in transaction mode, in front of the PostgreSQL or the coordinator that tests use."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pwd
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from tests.databases import Database, postgresql_server
from tests.processes import free_port

MISSING: Final = "PgBouncer: none. Install it (Debian: pgbouncer) and set TEST_DATABASE_URL to run its test."
_DEADLINE: Final = 30.0  # seconds


def find_pgbouncer() -> str | None:
    """Return the program. None: it or PostgreSQL is missing."""
    if not postgresql_server():
        return None
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


@contextlib.contextmanager
def pooled(database: Database, directory: Path) -> Iterator[Database]:
    """Return the database behind a pooler with three connections and no prepared statements."""
    program = find_pgbouncer()
    assert program is not None
    url, port = sa.make_url(database.admin_url), free_port()
    settings, users = directory / "pgbouncer.ini", directory / "users.txt"
    users.write_text("".join(map(_user, dataclasses.astuple(database))))
    settings.write_text(
        f"[databases]\n* = host={url.host} port={url.port or 5432}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = trust\nauth_file = {users}\n"
        "pool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 200\n"
        + ("max_prepared_statements = 0\n" if _version(program) >= (1, 21) else "")
    )
    _open_to_all(directory)
    settings.chmod(0o644)
    users.chmod(0o644)
    with (directory / "pgbouncer.log").open("wb") as log:
        process = subprocess.Popen([program, *_as_unprivileged_user(), str(settings)], stdout=log, stderr=log)
        try:
            _wait(port, process, directory / "pgbouncer.log")
            yield Database(*(_behind(address, port) for address in dataclasses.astuple(database)))
        finally:
            process.terminate()
            process.wait(timeout=15)


def _user(address: str) -> str:
    """Return the line of a user, with whose password the pooler connects."""
    url = sa.make_url(address)
    return f'"{url.username}" "{url.password or ""}"\n'


def _behind(address: str, port: int) -> str:
    url = sa.make_url(address).set(host="127.0.0.1", port=port, drivername="postgresql")
    return f"{url.render_as_string(hide_password=False)}?statement_cache_size=0"


def _version(program: str) -> tuple[int, ...]:
    """Return the version. From 1.21 on it can keep prepared statements across connections."""
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(number) for number in re.findall(r"\d+", told.splitlines()[0])[:2])


def _as_unprivileged_user() -> list[str]:
    """Return the options that give up root. PgBouncer refuses to run as root."""
    if os.geteuid() != 0:
        return []
    names = {entry.pw_name for entry in pwd.getpwall()}
    return ["-u", "postgres" if "postgres" in names else "nobody"]


def _open_to_all(directory: Path) -> None:
    for folder in (directory, *directory.parents):
        if folder.stat().st_uid == os.geteuid() and str(folder).count("/") > 1:
            folder.chmod(folder.stat().st_mode | 0o111)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _DEADLINE
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
            return
        time.sleep(0.05)
    raise TimeoutError(f"PgBouncer did not start:\n{log.read_text()[-2000:]}")

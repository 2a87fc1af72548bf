"""A provisioned application, and what ``saas-app doctor`` says of it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

from saas_app.logto import ManagementClient
from tests.commands import ask, run
from tests.processes import Provider

_R = TypeVar("_R")
_OURS = ("LOGTO_", "APP_", "DATABASE_URL", "CONNECTORS_FILE")


@dataclass(frozen=True, slots=True)
class Report:
    """What the command printed: for each check whether it passed, what was found, and the remedy."""

    exit_code: int
    output: str

    @property
    def failed(self) -> dict[str, str]:
        """The failed checks, each with its finding and remedy on one line."""
        found: dict[str, str] = {}
        name = ""
        for line in self.output.splitlines():
            if line.startswith("FAILED"):
                name = line[8:24].strip()
                found[name] = line[24:]
            elif line.lstrip().startswith("→"):
                found[name] += f" {line.strip()}"
        return found


@dataclass(frozen=True, slots=True)
class Installation:
    """A provisioned application that runs, and its environment file."""

    provider: Provider
    url: str
    stored: dict[str, str]

    def doctor(self, *arguments: str, **changes: str) -> Report:
        """Run the command with some variables changed. "" removes one."""
        return doctor(*arguments, **{**self.stored, **changes})

    def ask(self, question: Callable[[ManagementClient], Awaitable[_R]]) -> _R:
        """Call the Management API."""
        return ask(self.provider, question)


def doctor(*arguments: str, **given: str) -> Report:
    """Run the command with exactly this environment."""
    result = run("doctor", *arguments, **only(given))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Report(result.exit_code, result.output)


def only(given: dict[str, str]) -> dict[str, str | None]:
    """Return the variables that give a command exactly this environment."""
    ours: dict[str, str | None] = {name: None for name in os.environ if name.startswith(_OURS)}
    return ours | {name: value or None for name, value in given.items()}


@contextlib.contextmanager
def answering(answers: dict[str, tuple[int, str]], *, clock_ahead: float = 0) -> Iterator[str]:
    """Run a server with these responses by path, and 404 for others. Its clock may be wrong."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, text = answers.get(self.path, (404, "{}"))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = _answer  # noqa: N815 - the names of the base class

        def date_time_string(self, timestamp: float | None = None) -> str:
            return format_datetime(datetime.now(UTC) + timedelta(seconds=clock_ahead), usegmt=True)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

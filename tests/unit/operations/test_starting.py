"""The health check of the Docker image, and ``make setup`` without a usable Python."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.processes import free_port

ROOT = Path(__file__).parents[3]


class _Probed(BaseHTTPRequestHandler):
    status = 200
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def probed() -> Iterator[tuple[type[_Probed], int]]:
    handler = type("Probed", (_Probed,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield handler, server.server_port
        server.shutdown()
        thread.join()


def _check_health(port: int) -> int:
    """Run the Dockerfile's command. It must not use the proxy in the environment."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    match = re.search(r"^HEALTHCHECK.*?CMD (\[.*?\])$", dockerfile, re.MULTILINE | re.DOTALL)
    assert match is not None
    _python, *arguments = json.loads(match[1])
    proxy = f"http://127.0.0.1:{free_port()}"
    environment = {**os.environ, "APP_PORT": str(port), "http_proxy": proxy, "HTTP_PROXY": proxy}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, stderr=subprocess.DEVNULL, check=False
    ).returncode


def test_the_health_check_asks_whether_the_application_is_ready(probed: tuple[type[_Probed], int]) -> None:
    handler, port = probed
    assert _check_health(port) == 0
    assert handler.asked == ["/readyz"]


def test_the_health_check_fails_if_the_application_is_not_ready(probed: tuple[type[_Probed], int]) -> None:
    handler, port = probed
    handler.status = 503
    assert _check_health(port) != 0


def test_the_health_check_fails_if_nothing_listens() -> None:
    assert _check_health(free_port()) != 0


@pytest.mark.parametrize("python", ["/bin/ls", "/bin/true", "/bin/cat", "/tmp"])  # noqa: S108
def test_make_setup_names_an_interpreter_that_is_not_python(python: str) -> None:
    done = subprocess.run(
        ["make", "-s", "setup", f"PYTHON={python}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert f"{python}" in done.stdout
    assert "Python 3.11 or newer" in done.stdout
    assert len(done.stdout.splitlines()) == 1

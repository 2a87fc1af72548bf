"""Secrets never reach a log line, not even in a traceback."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

from saas_app.observability import redact_secrets

_A_COMMAND: Final = """
import rich, structlog
from saas_app.cli import main

@main.command()
def fail():
    kept = "the-secret-in-a-local"
    try:
        raise ValueError("it went wrong")
    except ValueError:
        structlog.get_logger("a.job").exception("a job failed")

main(["fail"])
"""

_AN_APPLICATION: Final = """
import rich, structlog
from saas_app import observability

def fail():
    kept = "the-secret-in-a-local"
    try:
        raise ValueError("it went wrong")
    except ValueError:
        structlog.get_logger("a.page").exception("a page failed")

observability.init()
fail()
"""


@pytest.mark.parametrize("program", [_A_COMMAND, _AN_APPLICATION], ids=["command", "application"])
def test_a_traceback_on_the_console_shows_no_local_variables(program: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "Traceback (most recent call last):" in done.stderr
    assert "ValueError: it went wrong" in done.stderr
    assert "the-secret-in-a-local" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "name", ["refresh_token", "client_secret", "password", "Cookie", "Authorization", "code_verifier", "code"]
)
def test_fields_with_the_name_of_a_secret_are_redacted(name: str) -> None:
    assert redact_secrets(None, "info", {"event": "x", name: "abc"}) == {"event": "x", name: "[redacted]"}


def test_secrets_are_redacted_at_any_depth() -> None:
    line = {"event": "x", "sent": {"form": [{"code": "abc", "status": 200}], "token": ["abc"]}}
    assert redact_secrets(None, "info", line) == {
        "event": "x",
        "sent": {"form": [{"code": "[redacted]", "status": 200}], "token": "[redacted]"},
    }


def test_other_fields_are_kept() -> None:
    line = {"event": "a token was rejected", "path": "/o", "status": 200, "error_code": "x"}
    assert redact_secrets(None, "info", dict(line)) == line

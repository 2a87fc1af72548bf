"""What is secret never reaches a log line."""

from __future__ import annotations

import pytest

from saas_app.observability import redact_secrets


@pytest.mark.parametrize(
    "name", ["refresh_token", "client_secret", "password", "Cookie", "Authorization", "code_verifier", "code"]
)
def test_fields_whose_name_says_secret_are_redacted(name: str) -> None:
    assert redact_secrets(None, "info", {"event": "x", name: "abc"}) == {"event": "x", name: "[redacted]"}


def test_other_fields_stay(capsys: pytest.CaptureFixture[str]) -> None:
    line = {"event": "a token was rejected", "path": "/o", "status": 200, "error_code": "x"}
    assert redact_secrets(None, "info", dict(line)) == line

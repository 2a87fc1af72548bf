"""The example of ``connectors.toml``, also with changes, and an environment with its secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from saas_app.errors import ConfigurationError
from saas_app.operations.sign_in_methods.declaration import load_declaration
from tests.databases import ROOT

EXAMPLE = ROOT / "connectors.toml.example"
ENVIRONMENT = {
    "MAILGUN_API_KEY": "hush-mailgun",
    "GATEWAYAPI_TOKEN": "hush-gatewayapi",
    "NAVER_CLIENT_ID": "naver-client",
    "NAVER_CLIENT_SECRET": "hush-naver",
}


def changed(directory: Path, *changes: tuple[str, str]) -> Path:
    """Return a copy of the example with texts replaced."""
    text = EXAMPLE.read_text()
    for old, new in changes:
        assert text.count(old) == 1, f"{text.count(old)} times in the example: {old}"
        text = text.replace(old, new)
    path = directory / "connectors.toml"
    path.write_text(text)
    return path


def refusal(path: Path, environment: dict[str, str] | None = None) -> str:
    """Return the error that loading this declaration raises."""
    with pytest.raises(ConfigurationError) as caught:
        load_declaration(path, ENVIRONMENT if environment is None else environment)
    return str(caught.value)

"""The practice service of the lab, as the demo starts it: a program that is broken on purpose."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

from saas_app.demo.options import DemoOptions
from saas_app.operations.preflight import find_free_port

_URL: Final = "LAB_PRACTICE_URL"
_KEY: Final = "LAB_PRACTICE_KEY"


@dataclass(frozen=True, slots=True)
class PracticeService:
    """Its port on this machine, and the key of the routes that only Workroom calls."""

    port: int
    key: str

    @classmethod
    def of(cls, stored: Mapping[str, str]) -> Self:
        """Return the service with the key, and if possible the port, that an earlier run stored."""
        port = find_free_port(urlsplit(stored.get(_URL, "")).port or 0)
        return cls(port, stored.get(_KEY) or secrets.token_urlsafe(32))

    @property
    def environment(self) -> dict[str, str]:
        """The settings by which Workroom finds it."""
        return {_URL: f"http://127.0.0.1:{self.port}", _KEY: self.key}

    @property
    def own_environment(self) -> dict[str, str]:
        """The environment in which it starts. A key on its command line could be read by others."""
        return {_KEY: self.key}

    def command(self, options: DemoOptions, resource: str) -> list[str]:
        """Return the module and its arguments."""
        return [
            "saas_app.lab.broken", "--host", "127.0.0.1", "--port", str(self.port),
            "--data", str(options.data / "practice"),
            "--issuer", f"{options.logto_url}/oidc", "--resource", resource,
        ]  # fmt: skip

"""The Management API for tests."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Final

from local_logto.testing.transport import expect, send

RESOURCE: Final = "https://default.logto.app/api"
_EARLY: Final = 60.0  # a token is renewed this many seconds before it expires


@dataclass(slots=True)
class ManagementApi:
    """Calls below ``/api`` with a token of the machine application, renewed when it expires."""

    endpoint: str
    app_id: str
    app_secret: str = field(repr=False)
    _token: str = field(default="", init=False, repr=False)
    _expires_at: float = field(default=0.0, init=False)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Return the decoded response. ``path`` is what follows ``/api``. Raises :class:`RequestRefused`."""
        headers = {"Authorization": f"Bearer {self._valid_token()}"}
        reply = send(method, f"{self.endpoint}/api{path}", headers=headers, body=body)
        return expect(reply, f"{method} /api{path}", 200, 201, 204).json

    def _valid_token(self) -> str:
        if time.monotonic() >= self._expires_at:
            form = {
                "grant_type": "client_credentials",
                "resource": RESOURCE,
                "scope": "all",
                "client_id": self.app_id,
                "client_secret": self.app_secret,
            }
            asked = expect(send("POST", f"{self.endpoint}/oidc/token", form=form), "POST /oidc/token", 200)
            self._token = asked.json["access_token"]
            self._expires_at = time.monotonic() + asked.json["expires_in"] - _EARLY
        return self._token

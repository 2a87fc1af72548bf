"""The access token of our machine application, fetched once for all calls that wait for it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from urllib.parse import quote_plus

import aiohttp

from saas_app.config import ManagementSettings
from saas_app.coordination.shared_attempts import SharedAttempts
from saas_app.errors import LogtoUnavailable
from saas_app.logto.http import CallKind
from saas_app.logto.provider_clock import ProviderClock
from saas_app.logto.responses import exchange
from saas_app.text.translation import _

_EARLY = 0.2  # a token is replaced when this share of its lifetime is left


@dataclass(frozen=True, slots=True)
class MachineToken:
    """An access token for the Management API."""

    value: str = field(repr=False)
    replace_at: float  # time.monotonic()


class MachineTokens:
    """The current machine token. Each new one also tells what time it is at Logto."""

    def __init__(
        self, settings: ManagementSettings, http: aiohttp.ClientSession, timeout: aiohttp.ClientTimeout
    ) -> None:
        self._settings = settings
        self._http = http
        self._timeout = timeout
        self._current: MachineToken | None = None
        self._attempts = SharedAttempts(rest=0)  # the circuit decides when to leave Logto alone
        self.clock = ProviderClock()

    async def get(self) -> MachineToken:
        """Return the current token, or fetch a new one. Raises what :func:`.responses.exchange` raises."""
        if self._current is not None and time.monotonic() < self._current.replace_at:
            return self._current
        return await self._attempts.join("token", self._fetch)

    def forget(self, token: MachineToken) -> None:
        """Drop a token that Logto rejected, unless it has been replaced already."""
        if self._current is token:
            self._current = None

    async def close(self) -> None:
        """Let a running attempt finish when the application stops."""
        await self._attempts.close()

    async def _fetch(self) -> MachineToken:
        asked = time.monotonic()
        answer = await exchange(
            self._http,
            "POST",
            self._settings.token_url,
            data={
                "grant_type": "client_credentials",
                "resource": self._settings.resource,
                "scope": "all",  # without it, Logto rejects every call with 403
            },
            headers={"Authorization": self._basic()},
            timeout=self._timeout,
            trace_request_ctx=CallKind.MACHINE,
        )
        try:
            lifetime, value = float(answer.body["expires_in"]), str(answer.body["access_token"])
        except (KeyError, TypeError, ValueError):
            raise LogtoUnavailable(_("Logto returned a token response that could not be read.")) from None
        answered = time.monotonic()
        self.clock.learn(value, asked=asked, answered=answered)
        self._current = MachineToken(value, answered + lifetime * (1 - _EARLY))
        return self._current

    def _basic(self) -> str:
        """Return the Basic credentials, each half form-encoded before they are joined (RFC 6749 §2.3.1)."""
        secret = self._settings.app_secret.get_secret_value()
        return aiohttp.encode_basic_auth(quote_plus(self._settings.app_id), quote_plus(secret))

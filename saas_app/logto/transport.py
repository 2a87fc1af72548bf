"""How a Management API call reaches Logto: machine token, time limits, retries and circuit breaker.

No endpoint of the API is named here.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from functools import partial

import aiohttp
import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_base, wait_exception, wait_exponential, wait_random_exponential

from saas_app.config import ManagementSettings
from saas_app.errors import LogtoUnavailable
from saas_app.logto.circuit import Circuit
from saas_app.logto.http import CallKind
from saas_app.logto.machine_token import MachineToken, MachineTokens
from saas_app.logto.paging import Query, read_whole_list
from saas_app.logto.provider_clock import ProviderClock
from saas_app.logto.responses import Answer, Json, ManagementError, exchange
from saas_app.text.translation import _

log = structlog.get_logger(__name__)

_ATTEMPTS = 3
_BACKOFF: wait_base = wait_exponential(0.1) + wait_random_exponential(0.2)  # 0.1 to 0.3 s, then 0.2 to 0.6 s
_LONGEST_PAUSE = 2.0  # seconds; if Logto asks for a longer one, the caller gets its 429 at once
_FAILURES_THAT_OPEN = 5  # in a row
_OPEN_SECONDS = 10.0
_MOST_CIRCUITS = 1_000  # of paths; the one that was used least recently is forgotten


class ManagementTransport:
    """Sends calls to ``<endpoint>/api``. A call and its retries take ``timeout`` seconds at most."""

    def __init__(self, settings: ManagementSettings, http: aiohttp.ClientSession, timeout: float) -> None:
        self._api = f"{settings.endpoint}/api"
        self._http = http
        self._time_for_call = timeout
        half = timeout / 2  # after an attempt that hangs, there is time for another one
        self._time_for_attempt = aiohttp.ClientTimeout(total=half, ceil_threshold=half + 1)
        self._tokens = MachineTokens(settings, http, self._time_for_attempt)
        self._circuit = Circuit(threshold=_FAILURES_THAT_OPEN, pause=_OPEN_SECONDS)
        self._circuits_of_paths: OrderedDict[str, Circuit] = OrderedDict()

    @property
    def clock(self) -> ProviderClock:
        """Logto's clock, read from the machine tokens."""
        return self._tokens.clock

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Json = None,
        query: Query | None = None,
        repeatable: bool | None = None,
        asks_providers: bool = False,
    ) -> Answer:
        """Send one call. ``repeatable``: sending it twice does no harm. By default, all methods but POST are.

        ``asks_providers``: Logto asks identity providers before it responds, us or the operator's. If one of
        them hangs, that must neither look like an outage of Logto, nor stop the calls for other connectors.
        So each path has a circuit breaker of its own.

        A repeatable call is tried again within the time limit if Logto fails, does not respond, or receives
        too many requests. Raises :class:`ManagementError` if Logto refuses the call, and
        :class:`LogtoUnavailable` if it cannot respond, at once while the circuit is open.
        """
        attempts = _ATTEMPTS if (method != "POST" if repeatable is None else repeatable) else 1
        circuit = self._circuit_of_path(path) if asks_providers else self._circuit
        try:
            async with asyncio.timeout(self._time_for_call):
                return await self._repeat(circuit, attempts, method, path, body, query)
        except TimeoutError:
            circuit.failed()
            raise LogtoUnavailable(_("Logto did not respond in time.")) from None

    async def list_all(self, path: str, query: Query | None = None) -> list[Json]:
        """Return every entry of a paged list. Raises what :meth:`call` and :func:`read_whole_list` raise."""

        async def read_page(numbers: Query) -> Answer:
            return await self.call("GET", path, query={**(query or {}), **numbers})

        return await read_whole_list(read_page)

    async def close(self) -> None:
        """Let a running attempt finish when the application stops."""
        await self._tokens.close()

    def _circuit_of_path(self, path: str) -> Circuit:
        circuit = self._circuits_of_paths.pop(path, None)
        self._circuits_of_paths[path] = circuit or Circuit(threshold=_FAILURES_THAT_OPEN, pause=_OPEN_SECONDS)
        if len(self._circuits_of_paths) > _MOST_CIRCUITS:
            self._circuits_of_paths.popitem(last=False)
        return self._circuits_of_paths[path]

    async def _repeat(
        self, circuit: Circuit, attempts: int, method: str, path: str, body: Json, query: Query | None
    ) -> Answer:
        repeated = AsyncRetrying(
            stop=stop_after_attempt(attempts),
            retry=retry_if_exception(partial(_may_pass, circuit)),
            wait=_BACKOFF + wait_exception(_pause_asked_for),
            before_sleep=partial(_log_retry, method, path),
            reraise=True,
        )
        try:
            return await repeated(self._through_circuit, circuit, method, path, body, query)
        except ManagementError as refusal:
            if method == "DELETE" and refusal.status == 404 and repeated.statistics["attempt_number"] > 1:
                return Answer(None, None)  # an earlier attempt deleted it, but its response was lost
            raise

    async def _through_circuit(
        self, circuit: Circuit, method: str, path: str, body: Json, query: Query | None
    ) -> Answer:
        circuit.enter()
        try:
            answer = await self._authorized(method, path, body, query)
        except LogtoUnavailable:
            circuit.failed()
            raise
        except ManagementError:
            circuit.succeeded()
            raise
        except BaseException:
            circuit.abandoned()
            raise
        circuit.succeeded()
        return answer

    async def _authorized(self, method: str, path: str, body: Json, query: Query | None) -> Answer:
        """Send the call with the machine token. If Logto rejects the token, try once with a new one."""
        token = await self._tokens.get()
        try:
            return await self._send(method, path, body, query, token)
        except ManagementError as refusal:
            if refusal.status != 401:
                raise
        self._tokens.forget(token)
        return await self._send(method, path, body, query, await self._tokens.get())

    async def _send(
        self, method: str, path: str, body: Json, query: Query | None, token: MachineToken
    ) -> Answer:
        return await exchange(
            self._http,
            method,
            f"{self._api}{path}",
            json=body,
            params=query,
            headers={"Authorization": f"Bearer {token.value}"},
            timeout=self._time_for_attempt,
            trace_request_ctx=CallKind.MANAGEMENT,
        )


def _may_pass(circuit: Circuit, failure: BaseException) -> bool:
    """Return whether the same call may succeed in a moment."""
    if isinstance(failure, ManagementError):
        return failure.status == 429 and (failure.retry_after or 0) <= _LONGEST_PAUSE
    return isinstance(failure, LogtoUnavailable) and not circuit.is_open


def _pause_asked_for(failure: BaseException) -> float:
    """Return the seconds that Logto asks us to wait. The backoff is added, so that callers spread out."""
    return (isinstance(failure, ManagementError) and failure.retry_after) or 0


def _log_retry(method: str, path: str, state: RetryCallState) -> None:
    why = str(state.outcome.exception()) if state.outcome else ""
    log.warning("logto call is tried again", method=method, path=path, why=why)

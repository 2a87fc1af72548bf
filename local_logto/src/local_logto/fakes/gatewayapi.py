"""GatewayAPI's REST API for text messages as GatewayAPI documents it.

* URL, fields, success and the form of errors: https://gatewayapi.com/docs/apis/rest
  (``POST /rest/mtsms``; empty ``code`` and ``variables`` are omitted; the EU platform is the same API at
  ``gatewayapi.eu`` with separate accounts and tokens).
* Authentication: https://gatewayapi.com/docs/apis/rest – the API token is the user of HTTP Basic
  authentication, and the password is empty.
* Statuses: https://gatewayapi.com/docs/guide – 400 for a malformed request, 401 for a wrong token, 422 for
  a violation of the schema or another limit.
* Codes: https://gatewayapi.com/docs/error-codes – ``0x0229`` invalid token (401), ``0x0216`` insufficient
  credit (403), ``…08`` of any origin invalid argument (422).
* Sender: https://gatewayapi.com/docs/apis/rest – up to 11 alphanumeric characters or 15 digits.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from aiohttp import web

from local_logto.fakes.server import RECEIVED, FakeProvider, Received, serving

API_TOKEN = "token-of-a-test-account"
CODE = re.compile(r"\b\d{6}\b")
MSISDN = re.compile(r"[1-9]\d{6,14}")
SENDER = re.compile(r"[A-Za-z0-9 ._-]{1,11}|\d{1,15}")


class FakeGatewayApi(FakeProvider):
    """One platform (``.com`` or ``.eu``) with one account. ``credit`` is the number of messages it can pay
    for.
    """

    def __init__(self, *, api_token: str = API_TOKEN, credit: int = 1_000_000) -> None:
        super().__init__()
        self.api_token = api_token
        self.credit = credit
        self._last_id = 421332670

    @property
    def endpoint(self) -> str:
        """The endpoint in a connector's configuration."""
        return f"{self.base_url}/rest/mtsms"

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/rest/mtsms", self._send)

    async def next_message(self, to: str | None = None) -> Received:
        """Return the next message that was posted, accepted or not, to this number (digits) if given."""
        return await self.next_request(lambda one: to is None or to in _numbers(one))

    async def next_code(self, to: str) -> str:
        """Return the six digits in the next message to this number."""
        text = str((await self.next_message(to)).json["message"])
        found = CODE.search(text)
        assert found is not None, f"no code in {text!r}"
        return found.group()

    async def _send(self, request: web.Request) -> web.Response:
        received = request[RECEIVED]
        if received.credentials != (self.api_token, ""):
            return _refusal(401, "0x0229", "Invalid token")
        try:
            message = received.json
        except json.JSONDecodeError:
            return _refusal(400, "0x0308", "Invalid Argument: %1", "body")
        if (wrong := _wrong(message)) is not None:
            return _refusal(422, "0x0308", "Invalid Argument: %1", wrong)
        numbers = _numbers(received)
        if self.credit < len(numbers):
            return _refusal(403, "0x0216", "Insufficient credit")
        self.credit -= len(numbers)
        self._last_id += 1
        usage = {"countries": {"DK": len(numbers)}, "currency": "DKK", "total_cost": 0.12 * len(numbers)}
        return web.json_response({"ids": [self._last_id], "usage": usage})


def _wrong(message: Any) -> str | None:
    """Return the invalid field with its value, or None."""
    if not isinstance(message, dict):
        return "message"
    if not isinstance(message.get("message"), str) or not message["message"]:
        return "message"
    sender = message.get("sender", "")
    if sender and not SENDER.fullmatch(str(sender)):
        return f"sender {sender}"
    recipients = message.get("recipients")
    if not isinstance(recipients, list) or not recipients:
        return "recipients"
    numbers = [str(one.get("msisdn", "")) if isinstance(one, dict) else "" for one in recipients]
    return next((f"msisdn {number}" for number in numbers if not MSISDN.fullmatch(number)), None)


def _numbers(received: Received) -> list[str]:
    """Return the recipients, or none if the request is malformed."""
    try:
        return [str(recipient["msisdn"]) for recipient in received.json["recipients"]]
    except (ValueError, KeyError, TypeError):
        return []


def _refusal(status: int, code: str, message: str, *variables: str) -> web.Response:
    body: dict[str, Any] = {"code": code, "incident_uuid": str(uuid4()), "message": message}
    return web.json_response({**body, "variables": list(variables)} if variables else body, status=status)


@asynccontextmanager
async def fake_gatewayapi(
    *, api_token: str = API_TOKEN, credit: int = 1_000_000
) -> AsyncIterator[FakeGatewayApi]:
    """Run a platform with one account. ``endpoint`` is what a connector needs."""
    async with serving(FakeGatewayApi(api_token=api_token, credit=credit)) as gatewayapi:
        yield gatewayapi

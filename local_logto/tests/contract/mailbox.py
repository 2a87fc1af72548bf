"""Reading the messages that a Logto of ours sends, and the connectors by which it sends them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from contract.management import ManagementApi
from contract.oidc import Oidc
from contract.recordings import load

EMAIL_RECORD = Path("/tmp/logto/mock_email_record.txt")  # noqa: S108 - where Logto's mock connector writes (1.42)


def other_code(code: str) -> str:
    """Return a verification code that is not this one."""
    return "000000" if code != "000000" else "000001"


class Mailbox(Protocol):
    """The messages that were sent to an address."""

    async def code_for(self, recipient: str) -> str:
        """Return the newest code that was sent to the recipient."""

    async def is_empty_for(self, recipient: str) -> bool:
        """Return whether nothing was sent to the recipient."""


@dataclass(frozen=True, slots=True)
class MessagesPage:
    """The page on which the development provider shows the messages that it would have sent."""

    oidc: Oidc

    async def code_for(self, recipient: str) -> str:
        codes = [message["code"] for message in await self._messages_to(recipient)]
        assert codes, f"no message for {recipient}"
        return str(codes[0])

    async def is_empty_for(self, recipient: str) -> bool:
        return not await self._messages_to(recipient)

    async def _messages_to(self, recipient: str) -> list[dict[str, Any]]:
        path = f"/messages?recipient={quote(recipient, safe='')}"
        reply = await self.oidc.send("GET", path, headers={"Accept": "application/json"})
        messages: list[dict[str, Any]] = reply.expect(200).body
        return messages


@dataclass(frozen=True, slots=True)
class EmailRecord:
    """The file in which Logto's mock email connector stores the last message."""

    path: Path = EMAIL_RECORD

    async def code_for(self, recipient: str) -> str:
        code: str = self._last_for(recipient)["code"]
        return code

    async def link_for(self, recipient: str) -> str:
        """Return the link of the newest message, which must have been sent to the recipient."""
        message = self._last_for(recipient)
        link: str = message["payload"]["link"]
        return link

    async def is_empty_for(self, recipient: str) -> bool:
        return self._last().get("address") != recipient

    def _last_for(self, recipient: str) -> dict[str, Any]:
        message = self._last()
        assert message.get("address") == recipient, f"the last message is not for {recipient}"
        return message

    def _last(self) -> dict[str, Any]:
        if not self.path.exists():
            return {}
        message: dict[str, Any] = json.loads(self.path.read_text("utf-8"))
        return message


@asynccontextmanager
async def mock_connectors(api: ManagementApi) -> AsyncIterator[None]:
    """Create Logto's mock connectors for email and text messages, and delete them after the block."""
    made: list[str] = []
    for recording in ("80-create-mock-email", "80-create-mock-sms"):
        created = await api.post("/connectors", load(recording)["request"]["body"])
        made.append(created.expect(200).body["id"])
    try:
        yield
    finally:
        for connector in made:
            (await api.delete(f"/connectors/{connector}")).expect(204)

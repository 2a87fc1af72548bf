"""A small mail server (RFC 5321) that takes every message, for development and tests.

It listens on this machine only. It knows what Python's ``smtplib`` and similar clients send: ``EHLO``,
``AUTH PLAIN`` (RFC 4954), one message after the other, with several recipients.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

logger = logging.getLogger("local_logto")

_HOST: Final = "127.0.0.1"
_LONGEST_MESSAGE: Final = 1024 * 1024  # bytes
_MOST_RECIPIENTS: Final = 100
_PATIENCE: Final = 60.0  # seconds to wait for the next line

Deliver = Callable[[str, bytes], None]
"""Takes a message for a recipient."""


@dataclass(frozen=True)
class SmtpReceiver:
    """A mail server that hands each message to ``deliver``, once for each recipient.

    ``refuse`` returns the reply to a recipient that is refused, such as ``550 No such mailbox``, or "".
    ``login`` are the name and password that a client must use, or None.
    """

    deliver: Deliver
    refuse: Callable[[str], str] = lambda _recipient: ""
    login: tuple[str, str] | None = None

    async def listen(self, port: int, tls: ssl.SSLContext | None = None) -> asyncio.Server:
        """Start to receive. 0 picks a free port."""
        return await asyncio.start_server(self._serve, _HOST, port, ssl=tls, limit=_LONGEST_MESSAGE)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone = (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
        with contextlib.suppress(*gone):
            await _Conversation(self, reader, writer).hold()
        writer.close()


@dataclass
class _Conversation:
    """One connection: the commands of a client, one per line, and the replies."""

    server: SmtpReceiver
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    recipients: list[str] = field(default_factory=list)
    has_signed_in: bool = False

    async def hold(self) -> None:
        await self._reply("220 local_logto")
        while True:
            line = (await self._read(b"\r\n")).decode("utf-8", "replace").strip()
            command, _space, rest = line.partition(" ")
            if command.upper() == "QUIT":
                await self._reply("221 Bye")
                return
            await self._reply(await self._answer(command.upper(), rest))

    async def _answer(self, command: str, rest: str) -> str:
        if command in ("EHLO", "HELO"):
            self.recipients.clear()
            return self._extensions() if command == "EHLO" else "250 local_logto"
        if command == "AUTH":
            return self._sign_in(rest)
        if command in ("NOOP", "RSET"):
            self.recipients.clear()
            return "250 OK"
        if self.server.login is not None and not self.has_signed_in:
            return "530 5.7.0 Authentication required"
        if command == "MAIL":
            self.recipients.clear()
            return "250 OK"
        if command == "RCPT":
            return self._add(rest)
        return await self._take() if command == "DATA" else "502 Command not implemented"

    def _extensions(self) -> str:
        names = [
            "8BITMIME",
            "SMTPUTF8",
            f"SIZE {_LONGEST_MESSAGE}",
            *(["AUTH PLAIN"] if self.server.login else []),
        ]
        return "\r\n".join(["250-local_logto", *(f"250-{name}" for name in names[:-1]), f"250 {names[-1]}"])

    def _sign_in(self, rest: str) -> str:
        try:
            given = base64.b64decode(rest.removeprefix("PLAIN "), validate=True)
        except ValueError:  # also letters that are not ASCII
            return "501 5.5.2 Cannot decode"
        expected = "\0".join(("", *(self.server.login or ("", "")))).encode()
        self.has_signed_in = self.server.login is not None and hmac.compare_digest(given, expected)
        return "235 2.7.0 Accepted" if self.has_signed_in else "535 5.7.8 Wrong user name or password"

    def _add(self, rest: str) -> str:
        _to, _less, after = rest.partition("<")
        address, greater, _parameters = after.partition(">")
        if not greater or "@" not in address:
            return "501 5.1.3 Not an address"
        if len(self.recipients) == _MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        if refusal := self.server.refuse(address):
            return refusal
        self.recipients.append(address)
        return "250 OK"

    async def _take(self) -> str:
        if not self.recipients:
            return "503 5.5.1 No recipients"
        await self._reply("354 Go ahead")
        content = b""
        while (line := await self._read(b"\r\n")) != b".\r\n":
            content += line.removeprefix(b".")
            if len(content) > _LONGEST_MESSAGE:
                raise asyncio.LimitOverrunError("too long", len(content))
        for recipient in self.recipients:
            self.server.deliver(recipient, content)
        self.recipients.clear()
        return "250 2.0.0 Stored"

    async def _read(self, end: bytes) -> bytes:
        async with asyncio.timeout(_PATIENCE):
            return await self.reader.readuntil(end)

    async def _reply(self, text: str) -> None:
        self.writer.write(f"{text}\r\n".encode())
        await self.writer.drain()

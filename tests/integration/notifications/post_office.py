"""A mail server, and the worker that sends emails about memberships to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import sqlalchemy as sa
from local_logto.smtp import SmtpReceiver

from saas_app.db.base import utc_now
from saas_app.models import Notification
from saas_app.notifications.emails import EmailWorker
from saas_app.notifications.letters import Letters
from saas_app.notifications.smtp import SmtpServer
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.factories import address_of

SENDER = "Workroom <no-reply@workroom.example>"


@dataclass
class PostOffice:
    """A mail server that keeps what it takes. ``refusals`` are its replies, by address."""

    port: int = 0
    refusals: dict[str, str] = field(default_factory=dict)
    _kept: list[tuple[str, EmailMessage]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The value of ``SMTP_URL``."""
        return f"smtp://127.0.0.1:{self.port}"

    def letters_to(self, person: Person) -> list[EmailMessage]:
        """Return what a person received, oldest first."""
        return [letter for address, letter in self._kept if address == address_of(person)]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Take messages during the block. It has the same port again when it is opened again."""
        receiver = SmtpReceiver(self._keep, lambda address: self.refusals.get(address, ""))
        server = await receiver.listen(self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()

    def _keep(self, address: str, content: bytes) -> None:
        self._kept.append((address, message_from_bytes(content, policy=default)))


def worker_for(runtime: Runtime, post_office: PostOffice) -> EmailWorker:
    """Return a worker that sends when a test says so."""
    assert runtime.management is not None
    letters = Letters(SENDER, runtime.email_links)
    return EmailWorker(runtime.jobs, runtime.management, SmtpServer.at(post_office.url), letters)


async def make_due(runtime: Runtime, person: Person) -> None:
    """Let the pauses after failed attempts be over for a person's emails."""
    waits = sa.update(Notification).where(
        Notification.user_id == person.id, Notification.email_due_at.is_not(None)
    )
    async with runtime.jobs.writing() as db:
        await db.execute(waits.values(email_due_at=utc_now()))


async def count_waiting(runtime: Runtime, person: Person) -> int:
    """Return how many emails to a person wait to be sent."""
    waits = sa.select(sa.func.count()).where(
        Notification.user_id == person.id, Notification.email_due_at.is_not(None)
    )
    async with runtime.jobs.reading() as db:
        return int(await db.scalar(waits))

"""The background worker that sends emails about memberships to people who want them.

A notification waits for its email in its own row, written in the transaction of the change, so none is lost
in a crash. One worker at a time sends, of all hosts. Before each attempt it moves the row's next attempt
away, and after it, it clears it. So an email is sent twice only if the worker dies, or the connection ends,
after the server took the email and before that is recorded. Then receivers see the same ``Message-ID``.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from email.errors import MessageError
from email.headerregistry import Address
from typing import Final

import structlog

from saas_app.coordination.background import in_background
from saas_app.coordination.heartbeat import LOST_AFTER
from saas_app.coordination.leases import lease
from saas_app.db.base import utc_now
from saas_app.db.shielding import shielded
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import Busy, LogtoUnavailable
from saas_app.logto import ManagementClient, ManagementError
from saas_app.notifications import queries
from saas_app.notifications.letters import Letters
from saas_app.notifications.smtp import SMTP_TIMEOUT, UNUSABLE, MailUnavailable, Refused, SmtpServer
from saas_app.notifications.values import DueEmail

log = structlog.get_logger(__name__)

_BATCH: Final = 50  # emails that are read at a time
_INTERVAL: Final = 10.0  # seconds between two searches for emails that are due
_LEASE: Final = LOST_AFTER + 2  # seconds to wait for another worker, long enough to notice that it died


class EmailWorker:
    """Sends what is due, while the application runs.

    Addresses are those that Logto has at that moment, where they are verified.
    """

    def __init__(
        self, jobs: UnitOfWork, management: ManagementClient, server: SmtpServer, letters: Letters
    ) -> None:
        self._jobs = jobs
        self._management = management
        self._server = server
        self._letters = letters

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run during the block, and stop with it. An email that is being sent is sent."""
        return in_background(self._run)

    async def _run(self) -> None:
        while True:
            try:
                await self.send_due()
            except (MailUnavailable, LogtoUnavailable, ManagementError) as failure:
                log.warning("emails cannot be sent now", reason=f"{type(failure).__name__}: {failure}")
            except Exception:
                log.exception("sending emails failed, and is tried again later")
            await asyncio.sleep(_INTERVAL)

    async def send_due(self) -> None:
        """Send every email that is due, unless another worker does.

        Raises :class:`MailUnavailable` and what calls to Logto raise. What was tried then waits for longer.
        """
        if not await self._list_due():
            return
        try:
            async with lease(self._jobs, "emails about memberships", seconds=_LEASE):
                while due := await self._list_due():
                    for email in await self._sort_out(due):
                        await shielded(self._send(email), grace=SMTP_TIMEOUT)
        except Busy:
            log.info("another worker sends emails")

    async def _list_due(self) -> list[DueEmail]:
        async with self._jobs.reading() as db:
            return await queries.list_due_emails(db, _BATCH)

    async def _sort_out(self, due: list[DueEmail]) -> list[DueEmail]:
        """Return the emails that somebody wants. The others are settled, because they are never sent."""
        now = utc_now()
        unwanted = [email for email in due if not email.is_wanted(now)]
        for email in unwanted:
            if email.language is not None and email.is_old(now):
                log.warning("an email could not be sent for too long", notification=str(email.row.id))
        if unwanted:
            async with self._jobs.writing() as db:
                await queries.settle_emails(db, unwanted)
        return [email for email in due if email not in unwanted]

    async def _send(self, email: DueEmail) -> None:
        async with self._jobs.writing() as db:
            if not await queries.claim_email(db, email):
                return  # the person was erased, or the lease went to another worker
        try:
            await self._deliver(email)
        except Refused as refusal:
            log.warning(
                "an email was refused",
                notification=str(email.row.id),
                status=refusal.status,
                is_final=refusal.is_final,
            )
            if not refusal.is_final:
                return
        async with self._jobs.writing() as db:
            await queries.settle_emails(db, [email])

    async def _deliver(self, email: DueEmail) -> None:
        """Send an email to the person's address at Logto, if they have an account with one."""
        account = await self._management.find_user(email.user_id)
        if account is None or account.is_suspended or not account.email:
            return
        try:
            address = Address(addr_spec=account.email)
        except (ValueError, MessageError):
            raise Refused(UNUSABLE) from None
        await self._server.deliver(self._letters.write(email, address))

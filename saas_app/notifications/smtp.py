"""The mail server of ``SMTP_URL``: sends a message, and checks that it would take one.

Python's own client runs in a thread. Without TLS, no password is sent to another machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from saas_app.config.addresses import is_loopback
from saas_app.text.translation import _

SMTP_TIMEOUT: Final = 10.0  # seconds for each answer of the server

UNUSABLE: Final = 553
"""The status for an address that cannot be used."""

_PORTS: Final = {"smtp": 587, "smtps": 465}


class MailUnavailable(Exception):
    """The server cannot be used now. ``reason`` says why, without the address of a person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(Exception):
    """The server did not take a message for this recipient. ``is_final``: it never will."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.is_final = status >= 500


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A mail server. ``is_tls``: TLS from the first byte. ``needs_tls``: at the latest before the login."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    is_tls: bool
    needs_tls: bool

    @classmethod
    def at(cls, url: str) -> Self:
        """Return the server of an address that :func:`saas_app.config.addresses.smtp_address` accepts."""
        parts = urlsplit(url)
        host, user = parts.hostname or "", unquote(parts.username or "")
        return cls(
            host=host,
            port=parts.port or _PORTS[parts.scheme],
            user=user,
            password=unquote(parts.password or ""),
            is_tls=parts.scheme == "smtps",
            needs_tls=bool(user) and not is_loopback(host),
        )

    async def deliver(self, message: EmailMessage) -> None:
        """Hand a message to the server. Raises :class:`MailUnavailable` and :class:`Refused`."""
        await asyncio.to_thread(self._deliver, message)

    def check(self) -> None:
        """Connect and sign in. Raises :class:`MailUnavailable`."""
        with self._connected():
            pass

    def _deliver(self, message: EmailMessage) -> None:
        with self._connected() as smtp:
            try:
                smtp.send_message(message)
            except smtplib.SMTPRecipientsRefused as refusal:
                ((status, _reason),) = refusal.recipients.values()
                raise Refused(status) from None
            except smtplib.SMTPDataError as refusal:
                raise Refused(refusal.smtp_code) from None
            except (smtplib.SMTPNotSupportedError, UnicodeError):  # letters that this server does not know
                raise Refused(UNUSABLE) from None

    @contextlib.contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        try:
            smtp = self._connect()
            try:
                self._begin(smtp)
                yield smtp
            finally:
                with contextlib.suppress(OSError):  # what it took, it has, whatever it says to a goodbye
                    smtp.quit()
                smtp.close()
        except OSError as failure:  # also every error of smtplib
            raise MailUnavailable(_reason(failure)) from None

    def _connect(self) -> smtplib.SMTP:
        if self.is_tls:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=SMTP_TIMEOUT, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=SMTP_TIMEOUT)

    def _begin(self, smtp: smtplib.SMTP) -> None:
        smtp.ehlo()
        if not self.is_tls and smtp.has_extn("starttls"):
            smtp.starttls(context=ssl.create_default_context())
        elif self.needs_tls and not self.is_tls:
            raise MailUnavailable(_("the server offers no STARTTLS"))
        if self.user:
            smtp.login(self.user, self.password)


def _reason(failure: OSError) -> str:
    """Return what went wrong in a few words. A server's own words may repeat an address."""
    if isinstance(failure, smtplib.SMTPResponseException):
        return f"{type(failure).__name__} {failure.smtp_code}"
    if isinstance(failure, smtplib.SMTPException):
        return type(failure).__name__
    return failure.strerror or str(failure) or type(failure).__name__

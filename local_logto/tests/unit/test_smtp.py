"""The mail server for the messages page: what programs send by SMTP is shown like any other email."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator
from email.message import EmailMessage

import pytest

from local_logto.messages import Message, list_messages
from local_logto.received_mail import read_email, receiver_for
from local_logto.smtp import SmtpReceiver
from local_logto.store import Store

NINA, OMAR = "nina@example.test", "omar@example.test"


@pytest.fixture
async def port(store: Store) -> AsyncIterator[int]:
    """The port of a mail server whose messages are stored."""
    server = await receiver_for(store).listen(0)
    yield server.sockets[0].getsockname()[1]
    server.close()


def letter(*recipients: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "Workroom <no-reply@workroom.example>", ", ".join(recipients)
    message["Subject"] = "Tus roles en Diseño han cambiado"
    message.set_content("Hola:\n\n.un punto\n")
    message.add_alternative("<p>Hola</p>", subtype="html")
    return message


async def talk(port: int, *lines: bytes) -> list[bytes]:
    """Send lines, and return all that the server replies until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"".join(line + b"\r\n" for line in (*lines, b"QUIT")))
    replies = (await asyncio.wait_for(reader.read(), 10)).splitlines()
    writer.close()
    return replies


async def test_an_email_is_stored_with_its_subject_sender_text_and_html(store: Store, port: int) -> None:
    def send() -> None:
        with smtplib.SMTP("127.0.0.1", port) as smtp:
            smtp.send_message(letter(NINA, OMAR))

    await asyncio.to_thread(send)

    first, second = sorted(list_messages(store), key=lambda message: message.recipient)
    assert (first.recipient, second.recipient) == (NINA, OMAR)
    assert first.subject == "Tus roles en Diseño han cambiado"
    assert first.sender == "Workroom <no-reply@workroom.example>"
    assert (first.text or "").splitlines() == ["Hola:", "", ".un punto"]
    assert (first.html or "").strip() == "<p>Hola</p>"


async def test_a_refused_recipient_gets_no_message() -> None:
    taken: list[str] = []
    receiver = SmtpReceiver(
        lambda recipient, _content: taken.append(recipient),
        lambda recipient: "550 No such mailbox" if recipient == OMAR else "",
    )
    server = await receiver.listen(0)

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", server.sockets[0].getsockname()[1]) as smtp:
            smtp.send_message(letter(NINA, OMAR))

    await asyncio.to_thread(send)
    server.close()

    assert taken == [NINA]


async def test_only_a_dot_between_two_real_line_ends_ends_a_message(store: Store, port: int) -> None:
    smuggled = b"Subject: one\r\n\r\nHello\n.\nMAIL FROM:<x@example.test>\r\n."

    await talk(port, b"EHLO me", b"MAIL FROM:<a@b.example>", b"RCPT TO:<n@b.example>", b"DATA", smuggled)

    (stored,) = list_messages(store)
    assert "MAIL FROM" in (stored.text or "")


@pytest.mark.parametrize(
    ("lines", "reply"),
    [
        ([b"DATA"], b"503"),
        ([b"RCPT TO:nobody"], b"501"),
        ([b"VRFY nina"], b"502"),
        ([b"AUTH PLAIN !"], b"501"),
        (["AUTH PLAIN é".encode()], b"501"),
        ([b"\xff\xfe"], b"502"),
    ],
)
async def test_a_wrong_command_is_answered_with_its_error(
    port: int, lines: list[bytes], reply: bytes
) -> None:
    _greeting, answer, bye = await talk(port, *lines)

    assert (answer[:3], bye[:3]) == (reply, b"221")


def test_an_email_that_cannot_be_decoded_is_stored_without_its_text() -> None:
    content = b"Subject: Hi\r\nContent-Type: text/plain; charset=nonsense\r\n\r\nHello\r\n"

    found: Message = read_email(NINA, content)

    assert (found.subject, found.text, found.html) == ("Hi", None, None)

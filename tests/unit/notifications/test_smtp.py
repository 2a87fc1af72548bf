"""The mail server of ``SMTP_URL``: its address, its login, and when it gets no password."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from local_logto.smtp import SmtpReceiver

from saas_app.db.base import utc_now
from saas_app.notifications.smtp import MailUnavailable, Refused, SmtpServer

LOGIN = ("work room", "s3cret/+@")
LOGIN_IN_URL = "work%20room:s3cret%2F%2B%40"


class Inbox:
    """What a mail server took."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []

    def take(self, recipient: str, content: bytes) -> None:
        self.taken.append((recipient, content))


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@asynccontextmanager
async def listening(receiver: SmtpReceiver, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Run a mail server, and yield its host and port."""
    server = await receiver.listen(0, tls)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.fixture
async def with_login(inbox: Inbox) -> AsyncIterator[str]:
    """The host and port of a mail server that wants a login."""
    async with listening(SmtpReceiver(inbox.take, login=LOGIN)) as place:
        yield place


def letter() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@work.example", "b@work.example", "Hello"
    message.set_content(".a line with a dot\n..\nend\n")
    return message


@pytest.mark.parametrize(
    ("url", "port", "is_tls", "needs_tls"),
    [
        ("smtp://mail.example", 587, False, False),
        ("smtp://mail.example:25", 25, False, False),
        ("smtp://user:pass@mail.example", 587, False, True),
        ("smtps://user:pass@mail.example", 465, True, True),
        ("smtp://user:pass@localhost:1025", 1025, False, False),
    ],
)
def test_the_address_says_how_to_connect(url: str, port: int, is_tls: bool, needs_tls: bool) -> None:
    server = SmtpServer.at(url)

    assert (server.port, server.is_tls, server.needs_tls) == (port, is_tls, needs_tls)


def test_the_password_is_not_shown() -> None:
    assert "s3cret" not in repr(SmtpServer.at(f"smtp://{LOGIN_IN_URL}@mail.example"))


async def test_a_message_arrives_unchanged_after_the_login(with_login: str, inbox: Inbox) -> None:
    await SmtpServer.at(f"smtp://{LOGIN_IN_URL}@{with_login}").deliver(letter())

    ((recipient, content),) = inbox.taken
    assert recipient == "b@work.example"
    assert content.endswith(b"\r\n\r\n.a line with a dot\r\n..\r\nend\r\n")


@pytest.mark.parametrize("login", ["", "work%20room:wrong@"])
async def test_a_wrong_login_is_reported_without_the_words_of_the_server(with_login: str, login: str) -> None:
    with pytest.raises(MailUnavailable, match=r"^SMTP\w+ 53[05]$"):
        await SmtpServer.at(f"smtp://{login}{with_login}").deliver(letter())


async def test_a_password_is_not_sent_without_tls(with_login: str, inbox: Inbox) -> None:
    server = replace(SmtpServer.at(f"smtp://{LOGIN_IN_URL}@{with_login}"), needs_tls=True)

    with pytest.raises(MailUnavailable, match="STARTTLS"):
        await asyncio.to_thread(server.check)


@pytest.mark.parametrize(("reply", "is_final"), [("550 5.1.1 Unknown", True), ("450 4.2.0 Later", False)])
async def test_a_refused_recipient_is_told_apart_from_one_to_try_later(
    inbox: Inbox, reply: str, is_final: bool
) -> None:
    async with listening(SmtpReceiver(inbox.take, lambda _address: reply)) as place:
        with pytest.raises(Refused) as refusal:
            await SmtpServer.at(f"smtp://{place}").deliver(letter())

    assert refusal.value.is_final is is_final


async def test_a_server_whose_certificate_nobody_vouches_for_gets_no_password(
    inbox: Inbox, tmp_path: Path
) -> None:
    async with listening(SmtpReceiver(inbox.take, login=LOGIN), self_signed(tmp_path)) as place:
        with pytest.raises(MailUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
            await SmtpServer.at(f"smtps://{LOGIN_IN_URL}@{place}").deliver(letter())


async def test_a_server_with_a_trusted_certificate_is_used(
    inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))

    async with listening(SmtpReceiver(inbox.take, login=LOGIN), tls) as place:
        await SmtpServer.at(f"smtps://{LOGIN_IN_URL}@{place}").deliver(letter())

    assert len(inbox.taken) == 1


def self_signed(folder: Path) -> ssl.SSLContext:
    """Return TLS for a server at 127.0.0.1. ``server.pem`` in the folder holds its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(utc_now() - timedelta(days=1))
        .not_valid_after(utc_now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "server.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context

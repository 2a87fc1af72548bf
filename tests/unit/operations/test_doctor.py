"""Checks of the doctor that need no Logto: our own address, the mail server and its settings."""

from __future__ import annotations

import asyncio

import pytest
from cryptography.fernet import Fernet
from local_logto.smtp import SmtpReceiver

from saas_app.logto.http import open_http
from saas_app.operations.doctor import Check
from saas_app.operations.doctor.installation import check_address, check_email, check_settings
from saas_app.operations.provisioning import Deployment
from tests.processes import free_port


async def test_a_remote_logto_cannot_send_webhooks_to_localhost() -> None:
    deployment = Deployment(app_url="http://localhost:3000", api_resource="https://api.example")
    async with open_http(1) as http:
        check = await check_address(deployment, "https://tenant.logto.app", http)

    assert not check.passed
    assert "https://tenant.logto.app cannot send webhooks to it" in check.found
    assert "APP_URL" in check.remedy


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of an application that could start."""
    for name, value in {
        "LOGTO_ENDPOINT": "https://auth.work.example",
        "LOGTO_APP_ID": "an-application",
        "LOGTO_APP_SECRET": "a-secret",
        "APP_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "MAIL_FROM": "Workroom <no-reply@work.example>",
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


async def _check_email_at(environment: pytest.MonkeyPatch, login: str) -> Check:
    """Check a mail server that wants a login, with a login."""
    receiver = SmtpReceiver(lambda _recipient, _content: None, login=("workroom", "right"))
    server = await receiver.listen(0)
    port = server.sockets[0].getsockname()[1]
    environment.setenv("SMTP_URL", f"smtp://{login}127.0.0.1:{port}")
    try:
        return await asyncio.to_thread(check_email)
    finally:
        server.close()


def test_without_a_mail_server_emails_are_said_to_be_off(configured: pytest.MonkeyPatch) -> None:
    check = check_email()

    assert (check.passed, "SMTP_URL is not set" in check.found) == (True, True)


async def test_a_mail_server_that_accepts_the_login_passes(configured: pytest.MonkeyPatch) -> None:
    check = await _check_email_at(configured, "workroom:right@")

    assert (check.passed, "responds and accepts the login" in check.found) == (True, True)


async def test_a_mail_server_that_rejects_the_login_fails_without_the_password(
    configured: pytest.MonkeyPatch,
) -> None:
    check = await _check_email_at(configured, "workroom:s3cret@")

    assert not check.passed
    assert "cannot be used: SMTPAuthenticationError 535" in check.found
    assert "s3cret" not in f"{check.found} {check.remedy}"


def test_a_mail_server_that_does_not_respond_fails(configured: pytest.MonkeyPatch) -> None:
    configured.setenv("SMTP_URL", f"smtp://127.0.0.1:{free_port()}")

    check = check_email()

    assert (check.passed, check.remedy) == (False, "start the mail server, or correct SMTP_URL")


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"SMTP_URL": "mail.example:587"}, "SMTP_URL must be smtp://user:password@host:587 or smtps://"),
        ({"SMTP_URL": "smtp://"}, "SMTP_URL must be smtp://user:password@host:587 or smtps://"),
        ({"SMTP_URL": "smtp://user@mail.example"}, "SMTP_URL must have both a user name and a password"),
        ({"SMTP_URL": "smtp://mail.example/inbox"}, "SMTP_URL must end after the host and port"),
        ({"SMTP_URL": "smtp://mail.example", "MAIL_FROM": ""}, "SMTP_URL needs MAIL_FROM, the sender"),
        ({"MAIL_FROM": "Workroom"}, "MAIL_FROM must be an email address"),
        ({"MAIL_FROM": "a@work.example\nBcc: b@work.example"}, "MAIL_FROM must be an email address"),
    ],
)
def test_a_wrong_mail_setting_is_named_at_the_start(
    configured: pytest.MonkeyPatch, values: dict[str, str], problem: str
) -> None:
    for name, value in values.items():
        configured.setenv(name, value)

    check = check_settings()

    assert (check.passed, problem in check.found) == (False, True), check.found

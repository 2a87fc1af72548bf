"""Sign-in methods: provisioned from a file, compared, updated in place, and tested through Logto."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from click.testing import Result
from local_logto.fakes.gatewayapi import API_TOKEN, FakeGatewayApi, fake_gatewayapi
from local_logto.fakes.mailgun import API_KEY, DOMAIN, FakeMailgun, fake_mailgun

from saas_app.logto import Connector, ManagementClient
from saas_app.operations.env_file import read_env_file
from saas_app.rbac.permissions import Permission, Role
from tests.commands import ask, bare_environment, run, tally
from tests.processes import Provider, running_provider

pytestmark = pytest.mark.one_database

EXAMPLE = Path(__file__).parents[3] / "connectors.toml.example"
_TEMPLATE = len(Permission) + len(Role) + 6
"""And resource, application, secret, ID-token claims, account center, webhook."""
_SIGN_IN = 3 + 9 + 1  # connectors, Spanish texts, sign-in experience
SECRETS = {
    "MAILGUN_API_KEY": API_KEY,
    "GATEWAYAPI_TOKEN": API_TOKEN,
    "NAVER_CLIENT_ID": "naver-client",
    "NAVER_CLIENT_SECRET": "naver-hush",
}


@dataclass(frozen=True)
class Senders:
    """Fakes of Mailgun and GatewayAPI, in the event loop of the tests."""

    mailgun: FakeMailgun
    gatewayapi: FakeGatewayApi


@pytest_asyncio.fixture(scope="module")
async def senders() -> AsyncIterator[Senders]:
    async with fake_mailgun() as mailgun, fake_gatewayapi() as gatewayapi:
        yield Senders(mailgun, gatewayapi)


@pytest.fixture(scope="module")
def logto(senders: Senders, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A provider for this module that sends to our Mailgun, and an environment that names both."""
    ours = {"LOCAL_LOGTO_MAILGUN_BASE_URL": senders.mailgun.base_url}
    with (
        running_provider(tmp_path_factory.mktemp("logto"), **ours) as provider,
        bare_environment(provider, tmp_path_factory.mktemp("database")),
    ):
        os.environ.update(SECRETS)
        yield provider


@pytest.fixture(scope="module")
def declared(senders: Senders, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example file, with our GatewayAPI and our domain at Mailgun."""
    text = EXAMPLE.read_text()
    for old, new in (
        ("https://gatewayapi.com/rest/mtsms", senders.gatewayapi.endpoint),
        ("mg.example.com", DOMAIN),
    ):
        assert old in text
        text = text.replace(old, new)
    path = tmp_path_factory.mktemp("deployment") / "connectors.toml"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def first(logto: Provider, declared: Path) -> tuple[Result, Result]:
    """The output of ``--check``, and of the first provisioning after it."""
    env_file = declared.with_name("work.env")
    check = run("provision", "--check", "--connectors", declared)
    return check, run("provision", "--connectors", declared, "--write-env", env_file)


def connectors_of(logto: Provider) -> dict[str, Connector]:
    return {found.factory: found for found in ask(logto, ManagementClient.list_connectors)}


def differing(result: Result) -> list[str]:
    return [line for line in result.stdout.splitlines() if line.startswith(("differs", "missing"))]


def test_the_first_run_writes_everything_and_the_second_nothing(
    first: tuple[Result, Result], logto: Provider, declared: Path
) -> None:
    check, written = first
    assert (check.exit_code, tally(check)[0] >= _SIGN_IN) == (1, True)
    assert written.exit_code == 0, written.output
    assert tally(written) == tally(check)
    assert sum(tally(written)) == _TEMPLATE + _SIGN_IN

    before = connectors_of(logto)
    env_file = declared.with_name("work.env")
    again = run("provision", "--env-file", env_file, CONNECTORS_FILE=None)  # the env file names it
    assert tally(again) == (0, _TEMPLATE + _SIGN_IN)
    assert connectors_of(logto) == before
    assert run("provision", "--check", "--connectors", declared, "--env-file", env_file).exit_code == 0
    assert read_env_file(env_file)["CONNECTORS_FILE"] == str(declared)


def test_logto_has_what_the_file_declares(first: tuple[Result, Result], logto: Provider) -> None:
    found = ask(logto, ManagementClient.get_sign_in_experience)
    texts = ask(logto, ManagementClient.list_email_templates)
    connectors = connectors_of(logto)

    assert set(connectors) == {"mailgun-email", "gatewayapi-sms", "naver-universal"}
    assert connectors["mailgun-email"].config["apiKey"] == API_KEY
    assert set(connectors["mailgun-email"].config["deliveries"]) == {text.usage for text in texts}
    assert {text.language for text in texts} == {"es"}
    assert found["socialSignInConnectorTargets"] == ["naver"]
    assert found["forgotPasswordMethods"] == ["EmailVerificationCode", "PhoneVerificationCode"]
    assert found["mfa"]["organizationRequiredMfaPolicy"] == "Mandatory"
    assert found["verificationCodePolicy"] == {"expirationDuration": 600, "maxRetryAttempts": 10}
    assert found["sentinelPolicy"] == {"maxAttempts": 100, "lockoutDuration": 60}


def test_navers_callback_url_is_printed_and_stays_when_its_secret_changes(
    first: tuple[Result, Result], logto: Provider, declared: Path
) -> None:
    callback = f"Register this callback URL at Naver: {logto.endpoint}/callback/naver-example-com"
    assert callback in first[1].stdout

    check = run("provision", "--check", "--connectors", declared, NAVER_CLIENT_SECRET="rolled-hush")
    (line,) = differing(check)
    assert line.split(maxsplit=1)[1] == "connector               naver-universal  (clientSecret differs)"
    assert "hush" not in check.output

    changed = run("provision", "--connectors", declared, NAVER_CLIENT_SECRET="rolled-hush")
    assert tally(changed)[0] == 1
    assert callback in changed.stdout
    naver = connectors_of(logto)["naver-universal"]
    assert (naver.id, naver.config["clientSecret"]) == ("naver-example-com", "rolled-hush")
    assert tally(run("provision", "--connectors", declared))[0] == 1


def test_a_change_made_in_logto_console_is_reported_and_reverted(
    first: tuple[Result, Result], logto: Provider, declared: Path
) -> None:
    async def change_in_logto(client: ManagementClient) -> None:
        experience = await client.get_sign_in_experience()
        await client.change_sign_in_experience(
            {
                "mfa": {**experience["mfa"], "organizationRequiredMfaPolicy": "NoPrompt"},
                "color": {**experience["color"], "primaryColor": "#102030"},
            }
        )

    ask(logto, change_in_logto)

    check = run("provision", "--check", "--connectors", declared)
    assert [line.split(maxsplit=1)[1] for line in differing(check)] == [
        "sign-in experience      what the sign-in pages offer  (mfa)"
    ]
    assert tally(run("provision", "--connectors", declared))[0] == 1
    found = ask(logto, ManagementClient.get_sign_in_experience)
    assert found["mfa"]["organizationRequiredMfaPolicy"] == "Mandatory"
    assert found["color"]["primaryColor"] == "#102030"


def test_without_a_file_sign_in_methods_are_not_touched(
    first: tuple[Result, Result], logto: Provider
) -> None:
    before = connectors_of(logto)

    result = run("provision")

    assert sum(tally(result)) == _TEMPLATE
    assert connectors_of(logto) == before


def test_an_invalid_file_is_rejected_before_anything_is_sent(
    logto: Provider, declared: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "connectors.toml"
    broken.write_text(declared.read_text().replace("expires_after = 600", "expires_after = 1"))

    for command in (["provision"], ["connectors", "check"]):
        result = run(*command, "--connectors", broken)
        (line,) = result.stderr.splitlines()
        assert result.exit_code == 1
        assert line == f"Error: {broken}: verification_code.expires_after: must be from 60 to 3600."


def test_a_valid_file_is_reported_as_valid(logto: Provider, declared: Path) -> None:
    result = run("connectors", "check", "--connectors", declared)

    assert result.output == (
        "No problems found. Connectors: mailgun-email, gatewayapi-sms, naver-universal.\n"
    )
    assert "connectors.toml was not found" in run("connectors", "check").stderr


async def send_test(declared: Path, name: str, to: str, *options: str, **env: str) -> Result:
    """Send a test message, in a thread so that the servers of this loop can respond."""
    arguments = ("connectors", "test", name, "--to", to, "--connectors", declared, *options)
    return await asyncio.to_thread(run, *arguments, **env)


async def test_a_test_message_by_email_goes_through_mailgun(
    logto: Provider, declared: Path, senders: Senders
) -> None:
    result = await send_test(declared, "mailgun-email", "grace@example.test")

    assert result.exit_code == 0, result.output
    assert result.output == (
        "mailgun-email accepted the message to grace@example.test: "
        "the text for Generic, with the code 000000.\n"
    )
    message = await senders.mailgun.next_message("grace@example.test")
    assert message.credentials == ("api", API_KEY)
    assert "000000" in message.form["text"]


async def test_a_test_message_can_be_sent_in_spanish(
    first: tuple[Result, Result], declared: Path, senders: Senders
) -> None:
    result = await send_test(declared, "mailgun-email", "eva@example.test", "--language", "es")

    assert result.exit_code == 0, result.output
    message = await senders.mailgun.next_message("eva@example.test")
    assert message.form["subject"] == "000000 es tu código de Workroom"


async def test_a_test_message_to_a_phone_goes_through_gatewayapi(
    logto: Provider, declared: Path, senders: Senders
) -> None:
    result = await send_test(declared, "gatewayapi-sms", "+1 (202) 555-0101")

    assert result.exit_code == 0, result.output
    message = await senders.gatewayapi.next_message("12025550101")
    assert message.json["message"].startswith("000000 is your Workroom code")


@pytest.mark.parametrize(
    ("name", "to", "secret"),
    [
        ("mailgun-email", "ada@example.test", "MAILGUN_API_KEY"),
        ("gatewayapi-sms", "12025550102", "GATEWAYAPI_TOKEN"),
    ],
)
async def test_a_wrong_key_is_reported_in_one_line_without_the_key(
    logto: Provider, declared: Path, name: str, to: str, secret: str
) -> None:
    result = await send_test(declared, name, to, **{secret: "wrong-hush"})

    (line,) = result.stderr.splitlines()
    assert result.exit_code == 1
    assert line.startswith(
        f"Error: {name} did not send the message (connector.general): the provider answered"
    )
    assert "hush" not in line


async def test_a_response_that_repeats_the_key_is_shown_without_it(
    logto: Provider, declared: Path, senders: Senders
) -> None:
    senders.mailgun.refuse(400, f"the key {API_KEY}\nis \x1b[2Jnot good")
    try:
        result = await send_test(declared, "mailgun-email", "a@b.test")
    finally:
        senders.mailgun.behave()

    assert result.stderr == (
        "Error: mailgun-email did not send the message (connector.general): the provider answered 400: "
        "the key … is [2Jnot good\n"
    )


async def test_a_provider_that_disconnects_is_reported_in_one_line(
    logto: Provider, declared: Path, senders: Senders
) -> None:
    senders.gatewayapi.drop_connections()
    try:
        result = await send_test(declared, "gatewayapi-sms", "12025550103")
    finally:
        senders.gatewayapi.behave()

    (line,) = result.stderr.splitlines()
    assert result.exit_code == 1
    assert "gatewayapi-sms" in line


@pytest.mark.parametrize(
    ("name", "to", "says"),
    [
        ("naver-universal", "ada@example.test", "Declared: mailgun-email, gatewayapi-sms"),
        ("mailgun-email", "12025550101", "must be an email address"),
        ("gatewayapi-sms", "ada@example.test", "must be a phone number with country code"),
    ],
)
def test_what_cannot_be_tested_is_reported_before_anything_is_sent(
    logto: Provider, declared: Path, senders: Senders, name: str, to: str, says: str
) -> None:
    heard: tuple[Any, ...] = (len(senders.mailgun.received), len(senders.gatewayapi.received))

    result = run("connectors", "test", name, "--to", to, "--connectors", declared)

    (line,) = result.stderr.splitlines()
    assert result.exit_code == 1
    assert says in line
    assert (len(senders.mailgun.received), len(senders.gatewayapi.received)) == heard

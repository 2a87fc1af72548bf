"""``saas-app connectors``: look at the declared ways to sign in, and send a test message through one."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import Final

import click

from saas_app.config import load_management_settings
from saas_app.errors import ConfigurationError, LogtoUnavailable
from saas_app.logto import ManagementError, connect, provider_answer
from saas_app.operations.commands.common import env_file_option, in_one_line, overlay
from saas_app.operations.output import one_line
from saas_app.operations.sign_in_methods.declaration import (
    DEFAULT_FILE,
    FILE_VARIABLE,
    find_declaration,
    load_declaration,
)
from saas_app.operations.sign_in_methods.model import Declaration
from saas_app.operations.sign_in_methods.wire import DeclaredConnector, connectors_of

_PATIENCE: Final = 30.0  # seconds: a provider may be slow, and Logto waits for it
_LONGEST_ANSWER: Final = 300  # characters of a provider's answer that are shown
_PHONE: Final = re.compile(r"[0-9]{6,15}")

connectors_option = click.option(
    "--connectors",
    "connectors_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"The ways to sign in ({FILE_VARIABLE}; {DEFAULT_FILE} when it exists).",
)


def load_connectors(given: Path | None) -> Declaration | None:
    """The declaration of a file, of the environment's or the usual one; None when there is none at all."""
    path = given or find_declaration(os.environ)
    return load_declaration(path, os.environ) if path else None


def named_file(given: Path | None) -> Path | None:
    """The file by name, the option's or the environment's: what the application is told, too."""
    return given or (Path(named) if (named := os.environ.get(FILE_VARIABLE)) else None)


def _load(given: Path | None) -> Declaration:
    declaration = load_connectors(given)
    if declaration is None:
        raise ConfigurationError(
            f"There is no {DEFAULT_FILE}. Copy {DEFAULT_FILE}.example, or name a file with --connectors."
        )
    return declaration


@click.group("connectors")
def command() -> None:
    """The ways to sign in that connectors.toml declares: Mailgun, GatewayAPI, Naver."""


@command.command()
@connectors_option
@env_file_option
@in_one_line
def check(connectors_file: Path | None, env_file: Path | None) -> None:
    """Check the file, without asking Logto or a provider."""
    overlay(env_file)
    declared = ", ".join(connector.factory for connector in connectors_of(_load(connectors_file)))
    click.echo(f"Nothing to fix. Connectors: {declared or 'none'}.")


@command.command()
@click.argument("name")
@click.option("--to", required=True, help="An email address, or a phone number with its country code.")
@click.option("--language", default="", help="Ask for the text in this language, such as es.")
@connectors_option
@env_file_option
@in_one_line
def test(name: str, to: str, language: str, connectors_file: Path | None, env_file: Path | None) -> None:
    """Have Logto send a test message through a connector, as the file declares it: mailgun-email, …

    The connector need not be provisioned; the message is the text for Generic with the code 000000.
    """
    overlay(env_file)
    declaration = _load(connectors_file)
    connector, recipient = _addressed(declaration, name, to)
    try:
        asyncio.run(_send(connector, recipient, language))
    except ManagementError as refusal:
        if not refusal.code.startswith("connector."):
            raise
        raise click.ClickException(_refused(connector, refusal)) from None
    except LogtoUnavailable as failure:
        raise click.ClickException(
            f"Logto could not send it ({failure.detail}) Is Logto itself well ('saas-app doctor'), and does "
            f"the endpoint of connectors.{name} answer?"
        ) from None
    click.echo(f"{name} took the message to {to}: the text for Generic, with the code 000000.")


def _addressed(declaration: Declaration, name: str, to: str) -> tuple[DeclaredConnector, dict[str, str]]:
    email, sms = declaration.connectors.email, declaration.connectors.sms
    senders = {sender.factory: sender for sender in (email, sms) if sender}
    if name not in senders:
        raise ConfigurationError(
            f"No connector '{name}' is declared that sends messages; there is {', '.join(senders) or 'none'}."
        )
    (connector,) = (found for found in connectors_of(declaration) if found.factory == name)
    if senders[name] is email:
        if not re.fullmatch(r"[^\s@]+@[^\s@]+", to):
            raise ConfigurationError(f"{name} sends email: --to takes an email address.")
        return connector, {"email": to}
    digits = re.sub(r"[\s()+.-]", "", to)
    if not _PHONE.fullmatch(digits):
        raise ConfigurationError(f"{name} sends to phones: --to takes a number with its country code.")
    return connector, {"phone": digits}


async def _send(connector: DeclaredConnector, recipient: dict[str, str], language: str) -> None:
    async with connect(load_management_settings(), patience=_PATIENCE) as client:
        await client.test_connector(connector.factory, connector.config, recipient, locale=language)


def _refused(connector: DeclaredConnector, refusal: ManagementError) -> str:
    """What went wrong, on one line and without the secrets that an answer may repeat."""
    answer = one_line(provider_answer(refusal))
    for value in connector.secrets:
        answer = answer.replace(value, "…")
    if len(answer) > _LONGEST_ANSWER:
        answer = f"{answer[:_LONGEST_ANSWER]}…"
    return f"{connector.factory} did not send it ({refusal.code}): {answer}"

"""``saas-app connectors``: check the declared sign-in methods, and send a test message through one."""

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
from saas_app.operations.commands.common import env_file_option, load_env_files, short_errors
from saas_app.operations.output import one_line
from saas_app.operations.sign_in_methods.connector_configs import DeclaredConnector, connectors_of
from saas_app.operations.sign_in_methods.declaration import (
    DEFAULT_FILE,
    FILE_VARIABLE,
    find_declaration,
    load_declaration,
)
from saas_app.operations.sign_in_methods.model import Declaration

_PATIENCE: Final = 30.0  # seconds; a provider may be slow, and Logto waits for it
_LONGEST_ANSWER: Final = 300  # characters of a provider's answer that are shown
_PHONE: Final = re.compile(r"[0-9]{6,15}")

connectors_option = click.option(
    "--connectors",
    "connectors_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"The file with the sign-in methods ({FILE_VARIABLE}, or {DEFAULT_FILE} if it exists).",
)


def load_connectors(given: Path | None) -> Declaration | None:
    """Return the declaration in the given file, otherwise in the default one. None if there is no file."""
    path = given or find_declaration(os.environ)
    return load_declaration(path, os.environ) if path else None


def named_file(given: Path | None) -> Path | None:
    """Return the file that the option or the environment names, or None. The default file is not named."""
    return given or (Path(named) if (named := os.environ.get(FILE_VARIABLE)) else None)


def _load(given: Path | None) -> Declaration:
    declaration = load_connectors(given)
    if declaration is None:
        raise ConfigurationError(
            f"{DEFAULT_FILE} was not found. Copy {DEFAULT_FILE}.example, or name a file with --connectors."
        )
    return declaration


@click.group("connectors")
def command() -> None:
    """Check and test the sign-in methods in connectors.toml: Mailgun, GatewayAPI, Naver."""


@command.command()
@connectors_option
@env_file_option
@short_errors
def check(connectors_file: Path | None, env_file: Path | None) -> None:
    """Check the file without connecting to Logto or a provider."""
    load_env_files(env_file)
    declared = ", ".join(connector.factory for connector in connectors_of(_load(connectors_file)))
    click.echo(f"No problems found. Connectors: {declared or 'none'}.")


@command.command()
@click.argument("name")
@click.option("--to", required=True, help="An email address, or a phone number with country code.")
@click.option("--language", default="", help="The language of the text, such as es.")
@connectors_option
@env_file_option
@short_errors
def test(name: str, to: str, language: str, connectors_file: Path | None, env_file: Path | None) -> None:
    """Send a test message through a connector of the file, such as mailgun-email.

    The connector does not have to be provisioned. The message is the text for Generic, with the code 000000.
    """
    load_env_files(env_file)
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
            f"Logto could not send the message ({failure.detail}) Check Logto with "
            f"'saas-app doctor', and check that the endpoint of connectors.{name} responds."
        ) from None
    click.echo(f"{name} accepted the message to {to}: the text for Generic, with the code 000000.")


def _addressed(declaration: Declaration, name: str, to: str) -> tuple[DeclaredConnector, dict[str, str]]:
    email, sms = declaration.connectors.email, declaration.connectors.sms
    senders = {sender.factory: sender for sender in (email, sms) if sender}
    if name not in senders:
        raise ConfigurationError(
            f"No connector '{name}' that sends messages is declared. Declared: "
            f"{', '.join(senders) or 'none'}."
        )
    (connector,) = (found for found in connectors_of(declaration) if found.factory == name)
    if senders[name] is email:
        if not re.fullmatch(r"[^\s@]+@[^\s@]+", to):
            raise ConfigurationError(f"{name} sends email, so --to must be an email address.")
        return connector, {"email": to}
    digits = re.sub(r"[\s()+.-]", "", to)
    if not _PHONE.fullmatch(digits):
        raise ConfigurationError(f"{name} sends to phones, so --to must be a phone number with country code.")
    return connector, {"phone": digits}


async def _send(connector: DeclaredConnector, recipient: dict[str, str], language: str) -> None:
    async with connect(load_management_settings(), patience=_PATIENCE) as client:
        await client.test_connector(connector.factory, connector.config, recipient, locale=language)


def _refused(connector: DeclaredConnector, refusal: ManagementError) -> str:
    """Return what went wrong, on one line and without the secrets that a response may repeat."""
    answer = one_line(provider_answer(refusal))
    for value in connector.secrets:
        answer = answer.replace(value, "…")
    if len(answer) > _LONGEST_ANSWER:
        answer = f"{answer[:_LONGEST_ANSWER]}…"
    return f"{connector.factory} did not send the message ({refusal.code}): {answer}"

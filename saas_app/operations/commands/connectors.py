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
from saas_app.operations.output import one_line, say
from saas_app.operations.sign_in_methods.connector_configs import DeclaredConnector, connectors_of
from saas_app.operations.sign_in_methods.declaration import (
    DEFAULT_FILE,
    FILE_VARIABLE,
    find_declaration,
    load_declaration,
)
from saas_app.operations.sign_in_methods.model import Declaration
from saas_app.text.translation import Sentence, _

_PATIENCE: Final = 30.0  # seconds; a provider may be slow, and Logto waits for it
_LONGEST_ANSWER: Final = 300  # characters of a provider's answer that are shown
_PHONE: Final = re.compile(r"[0-9]{6,15}")

connectors_option = click.option(
    "--connectors",
    "connectors_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help=_("The file with the sign-in methods (CONNECTORS_FILE, or connectors.toml if it exists)."),
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
            _(
                "%(default_file)s was not found. Copy %(default_file)s.example, or name a file with "
                "--connectors.",
                default_file=DEFAULT_FILE,
            )
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
    say(_("No problems found. Connectors: %(declared)s.", declared=declared or _("none")))


@command.command()
@click.argument("name")
@click.option("--to", required=True, help=_("An email address, or a phone number with country code."))
@click.option("--language", default="", help=_("The language of the text, such as es."))
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
            _(
                "Logto could not send the message (%(detail)s) Check Logto with 'saas-app doctor', "
                "and check that the endpoint of connectors.%(name)s responds.",
                detail=failure.detail,
                name=name,
            )
        ) from None
    say(
        _(
            "%(name)s accepted the message to %(to)s: the text for Generic, with the code 000000.",
            name=name,
            to=to,
        )
    )


def _addressed(declaration: Declaration, name: str, to: str) -> tuple[DeclaredConnector, dict[str, str]]:
    email, sms = declaration.connectors.email, declaration.connectors.sms
    senders = {sender.factory: sender for sender in (email, sms) if sender}
    if name not in senders:
        raise ConfigurationError(
            _(
                "No connector '%(name)s' that sends messages is declared. Declared: %(senders)s.",
                name=name,
                senders=", ".join(senders) or _("none"),
            )
        )
    (connector,) = (found for found in connectors_of(declaration) if found.factory == name)
    if senders[name] is email:
        if not re.fullmatch(r"[^\s@]+@[^\s@]+", to):
            raise ConfigurationError(_("%(name)s sends email, so --to must be an email address.", name=name))
        return connector, {"email": to}
    digits = re.sub(r"[\s()+.-]", "", to)
    if not _PHONE.fullmatch(digits):
        raise ConfigurationError(
            _("%(name)s sends to phones, so --to must be a phone number with country code.", name=name)
        )
    return connector, {"phone": digits}


async def _send(connector: DeclaredConnector, recipient: dict[str, str], language: str) -> None:
    async with connect(load_management_settings(), patience=_PATIENCE) as client:
        await client.test_connector(connector.factory, connector.config, recipient, locale=language)


def _refused(connector: DeclaredConnector, refusal: ManagementError) -> Sentence:
    """Return what went wrong, on one line and without the secrets that a response may repeat."""
    answer = one_line(provider_answer(refusal))
    for value in connector.secrets:
        answer = answer.replace(value, "…")
    if len(answer) > _LONGEST_ANSWER:
        answer = f"{answer[:_LONGEST_ANSWER]}…"
    return _(
        "%(factory)s did not send the message (%(code)s): %(answer)s",
        factory=connector.factory,
        code=refusal.code,
        answer=answer,
    )

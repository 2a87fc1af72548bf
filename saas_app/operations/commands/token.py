"""``saas-app token``: print an access token for an API client, to try the JSON API."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import click

from saas_app.config import ManagementSettings, load_management_settings
from saas_app.errors import ConfigurationError
from saas_app.operations.client_token import ClientChoice, get_token
from saas_app.operations.commands.common import env_file_option, load_env_files, short_errors
from saas_app.operations.deployment import load_deployment_settings
from saas_app.operations.output import say
from saas_app.text.translation import _

SECRET_VARIABLE = "WORKROOM_CLIENT_SECRET"  # noqa: S105 - a name, not a password


@click.command("token")
@click.option("--client", required=True, help=_("The ID or name of the API client."))
@click.option(
    "--organization", help=_("The ID or name of its organization. Required if it belongs to several.")
)
@env_file_option
@short_errors
def command(client: str, organization: str | None, env_file: Path | None) -> None:
    """Print an access token for an API client and one of its organizations.

    The secret is read from WORKROOM_CLIENT_SECRET, or from the Management API if its credentials are set.
    Otherwise, the command asks for it.
    """
    load_env_files(env_file)
    resource = load_deployment_settings().api_resource
    choice = ClientChoice(client, organization, os.environ.get(SECRET_VARIABLE, ""))
    say(asyncio.run(get_token(_find_management(), _endpoint(), resource, choice, _ask_secret)))


def _find_management() -> ManagementSettings | None:
    try:
        return load_management_settings()
    except ConfigurationError:
        return None


def _endpoint() -> str:
    endpoint = os.environ.get("LOGTO_ENDPOINT", "").rstrip("/")
    if not endpoint:
        raise ConfigurationError(_("LOGTO_ENDPOINT is not set. Name the environment file with --env-file."))
    return endpoint


def _ask_secret() -> str:
    if not sys.stdin.isatty():
        raise ConfigurationError(
            _(
                "%(secret_variable)s is not set, and the secret cannot be asked for without a terminal.",
                secret_variable=SECRET_VARIABLE,
            )
        )
    answer: str = click.prompt(_("Secret").said, hide_input=True, err=True)
    return answer

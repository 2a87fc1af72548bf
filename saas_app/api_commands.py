"""The commands around the JSON API: its schema, and a token to try it with."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import click
from cryptography.fernet import Fernet
from pydantic import SecretStr

from saas_app.app import create_app
from saas_app.client_token import Asked, get_token
from saas_app.command_line import env_file_option, in_one_line, overlay
from saas_app.config import ManagementSettings, Settings, load_management_settings
from saas_app.deployment import load_deployment_settings
from saas_app.errors import ConfigurationError
from saas_app.web.json_api.pages import schema_text

SECRET_VARIABLE = "WORKROOM_CLIENT_SECRET"  # noqa: S105 - a name, not a password


@click.command()
@click.option("--write", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file.")
@in_one_line
def openapi(write: Path | None) -> None:
    """Print the schema of the JSON API (OpenAPI 3.1), as /api/openapi.json serves it."""
    text = schema_text(create_app(_any_settings()))
    if write is None:
        click.echo(text, nl=False)
        return
    try:
        write.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{write} cannot be written: {error.strerror or error}.") from None
    click.echo(f"{write} written.")


@click.command()
@click.option("--client", required=True, help="The machine client: its id or its name.")
@click.option("--organization", help="Its organization: id or name. Needed when it belongs to several.")
@env_file_option
@in_one_line
def token(client: str, organization: str | None, env_file: Path | None) -> None:
    """Print an access token of a machine client, for the API and one organization.

    The secret is WORKROOM_CLIENT_SECRET; without it, it is read through the Management API where there are
    credentials for that, or asked for.
    """
    overlay(env_file)
    resource = load_deployment_settings().api_resource
    asked = Asked(client, organization, os.environ.get(SECRET_VARIABLE, ""))
    click.echo(asyncio.run(get_token(_find_management(), _endpoint(), resource, asked, _ask_secret)))


def _any_settings() -> Settings:
    """Settings to build the application with where it will not serve: the schema depends on none of them."""
    return Settings(  # type: ignore[call-arg]  # the others have defaults
        encryption_keys=(SecretStr(Fernet.generate_key().decode()),),
        logto_endpoint="http://localhost",
        logto_app_id="none",
        logto_app_secret=SecretStr("none"),
    )


def _find_management() -> ManagementSettings | None:
    try:
        return load_management_settings()
    except ConfigurationError:
        return None


def _endpoint() -> str:
    endpoint = os.environ.get("LOGTO_ENDPOINT", "").rstrip("/")
    if not endpoint:
        raise ConfigurationError("LOGTO_ENDPOINT is not set. Name the environment with --env-file.")
    return endpoint


def _ask_secret() -> str:
    if not sys.stdin.isatty():
        raise ConfigurationError(f"{SECRET_VARIABLE} is not set, and nobody is there to be asked.")
    answer: str = click.prompt("Secret", hide_input=True, err=True)
    return answer

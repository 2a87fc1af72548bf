"""``saas-app openapi``: print the schema of the JSON API."""

from __future__ import annotations

from pathlib import Path

import click
from cryptography.fernet import Fernet
from pydantic import SecretStr

from saas_app.app import create_app
from saas_app.config import Settings
from saas_app.errors import ConfigurationError
from saas_app.operations.commands.common import short_errors
from saas_app.operations.output import say
from saas_app.text.translation import _
from saas_app.web.json_api.pages import schema_text


@click.command("openapi")
@click.option(
    "--write", type=click.Path(path_type=Path, dir_okay=False), help=_("Write the schema to this file.")
)
@short_errors
def command(write: Path | None) -> None:
    """Print the OpenAPI 3.1 schema of the JSON API, as served at /api/openapi.json."""
    text = schema_text(create_app(_any_settings()))
    if write is None:
        say(text, nl=False)
        return
    try:
        write.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            _("Cannot write %(path)s: %(error)s.", path=write, error=error.strerror or error)
        ) from None
    say(_("%(path)s written.", path=write))


def _any_settings() -> Settings:
    """Return settings to build the application. The schema does not depend on them."""
    return Settings(  # type: ignore[call-arg]  # the others have defaults
        encryption_keys=(SecretStr(Fernet.generate_key().decode()),),
        logto_endpoint="http://localhost",
        logto_app_id="none",
        logto_app_secret=SecretStr("none"),
    )

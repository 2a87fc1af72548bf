"""``saas-app database roles``: create the roles of PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from saas_app.config import DatabaseLocation
from saas_app.operations.commands.common import env_file_option, load_env_files, short_errors
from saas_app.operations.commands.steps import report_steps
from saas_app.operations.database.roles import create_roles
from saas_app.operations.deployment import load_deployment_settings
from saas_app.text.translation import _

_ADMIN: Final = "--admin-url (DATABASE_ADMIN_URL)"


@click.command("roles")
@click.option(
    "--admin-url",
    envvar="DATABASE_ADMIN_URL",
    help=_("The database's address for a role that may create roles. Default: DATABASE_OWNER_URL."),
)
@env_file_option
@short_errors
def roles(admin_url: str | None, env_file: Path | None) -> None:
    """Create the roles of DATABASE_URL, DATABASE_OWNER_URL and DATABASE_JOBS_URL, with their rights."""
    load_env_files(env_file)
    settings = load_deployment_settings()
    admin = DatabaseLocation(admin_url, _ADMIN) if admin_url else settings.for_owner
    report_steps(admin, create_roles(settings), none=_("Every role is up to date."))

"""``saas-app migrate``: apply pending migrations."""

from __future__ import annotations

from pathlib import Path

import click

from saas_app.operations.commands.common import env_file_option, in_one_line, overlay
from saas_app.operations.deployment import load_deployment_settings
from saas_app.operations.migrate import migrate as apply_migrations


@click.command("migrate")
@env_file_option
@in_one_line
def command(env_file: Path | None) -> None:
    """Apply all pending migrations to the database."""
    overlay(env_file)
    before = apply_migrations(load_deployment_settings().database_url)
    if before.is_newest:
        click.echo(f"The database is up to date ({before.newest}).")
    else:
        click.echo(f"Migrated from {before.current or 'an empty database'} to {before.newest}.")

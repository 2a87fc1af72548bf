"""``saas-app migrate``: apply pending migrations."""

from __future__ import annotations

from pathlib import Path

import click

from saas_app.operations.commands.common import env_file_option, load_env_files, short_errors
from saas_app.operations.deployment import load_deployment_settings
from saas_app.operations.migrate import migrate as apply_migrations


@click.command("migrate")
@env_file_option
@short_errors
def command(env_file: Path | None) -> None:
    """Apply all pending migrations to the database."""
    load_env_files(env_file)
    done = apply_migrations(load_deployment_settings().for_owner)
    before = done.before
    if not before.is_newest:
        click.echo(f"Migrated from {before.current or 'an empty database'} to {before.newest}.")
    if done.secured and before.current is not None:
        tables = f"{len(done.secured)} {'tables' if len(done.secured) > 1 else 'table'}"
        click.echo(f"Set the policies and grants of {tables}: {', '.join(done.secured)}.")
    elif before.is_newest:
        click.echo(f"The database is up to date ({before.newest}).")

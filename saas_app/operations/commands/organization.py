"""``saas-app organization``: export an organization to a file, and import it into another database."""

from __future__ import annotations

from pathlib import Path

import click

from saas_app.operations.commands.common import env_file_option, load_env_files, short_errors
from saas_app.operations.data.database import on_database
from saas_app.operations.data.organization_export import Moved, export_organization
from saas_app.operations.data.organization_import import import_organization
from saas_app.operations.output import one_line

to_option = click.option(
    "--to",
    "path",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to create, such as acme.zip. Only its owner may read it.",
)


@click.group("organization")
def command() -> None:
    """Move an organization to another database, or hand its data over."""


@command.command()
@click.argument("organization_id")
@to_option
@env_file_option
@short_errors
def export(organization_id: str, path: Path, env_file: Path | None) -> None:
    """Write everything that belongs to an organization to a new file."""
    load_env_files(env_file)
    moved = on_database(lambda work, revision: export_organization(work, organization_id, path, revision))
    _report("Exported", moved)


@command.command("import")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@env_file_option
@short_errors
def import_(path: Path, env_file: Path | None) -> None:
    """Read the file of an export into this database, completely or not at all."""
    load_env_files(env_file)
    _report("Imported", on_database(lambda work, revision: import_organization(work, path, revision)))


def _report(done: str, moved: Moved) -> None:
    for table, rows in moved.rows.items():
        click.echo(f"{rows:>10,}  {table}")
    click.echo(f"{done} {one_line(moved.organization_name)}: {sum(moved.rows.values()):,} rows.")

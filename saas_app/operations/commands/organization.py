"""``saas-app organization``: export an organization to a file, and import it into another database."""

from __future__ import annotations

from pathlib import Path

import click

from saas_app.operations.commands.common import env_file_option, load_env_files, short_errors
from saas_app.operations.data.database import on_database
from saas_app.operations.data.organization_export import Moved, export_organization
from saas_app.operations.data.organization_import import import_organization
from saas_app.operations.output import one_line, say
from saas_app.text.translation import _, number

to_option = click.option(
    "--to",
    "path",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help=_("The file to create, such as acme.zip. Only its owner may read it."),
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
    _report(moved)
    say(_("Exported %(name)s: %(rows)s rows.", name=one_line(moved.organization_name), rows=_total(moved)))


@command.command("import")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@env_file_option
@short_errors
def import_(path: Path, env_file: Path | None) -> None:
    """Read the file of an export into this database, completely or not at all."""
    load_env_files(env_file)
    moved = on_database(lambda work, revision: import_organization(work, path, revision))
    _report(moved)
    say(_("Imported %(name)s: %(rows)s rows.", name=one_line(moved.organization_name), rows=_total(moved)))


def _report(moved: Moved) -> None:
    for table, rows in moved.rows.items():
        say(f"{number(rows):>10} ", table)


def _total(moved: Moved) -> int:
    return sum(moved.rows.values())

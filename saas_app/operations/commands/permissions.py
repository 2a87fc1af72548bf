"""``saas-app permissions``: print or document which role grants which permission."""

from __future__ import annotations

from pathlib import Path

import click

from saas_app.config import MIGRATIONS
from saas_app.errors import ConfigurationError
from saas_app.operations import permissions_table
from saas_app.operations.commands.common import short_errors

_GUIDE = MIGRATIONS.parent / "docs" / "rbac-guide.md"


@click.command("permissions")
@click.option("--markdown", is_flag=True, help="Write the table to the docs page instead of printing it.")
@click.option(
    "--check", is_flag=True, help=("With --markdown: only compare, and exit with 1 if the table differs.")
)
@click.option(
    "--page", type=click.Path(path_type=Path, dir_okay=False), default=_GUIDE, help="The docs page."
)
@short_errors
def command(markdown: bool, check: bool, page: Path) -> None:
    """Print the permissions of each role."""
    if not markdown:
        click.echo(permissions_table.as_text())
        return
    is_current = permissions_table.update_page(page, check=check)
    if check and not is_current:
        raise ConfigurationError(f"{page} is out of date: run 'saas-app permissions --markdown'.")
    click.echo(f"{page} {'is up to date' if is_current else 'written'}.")

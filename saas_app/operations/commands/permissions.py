"""``saas-app permissions``: print or document which role grants which permission."""

from __future__ import annotations

from pathlib import Path

import click

from saas_app.config import MIGRATIONS
from saas_app.errors import ConfigurationError
from saas_app.operations import permissions_table
from saas_app.operations.commands.common import in_one_line

_GUIDE = MIGRATIONS.parent / "docs" / "rbac-guide.md"


@click.command("permissions")
@click.option("--markdown", is_flag=True, help="Write the table of the docs instead of printing it.")
@click.option("--check", is_flag=True, help="With --markdown: only compare; exit 1 when it differs.")
@click.option(
    "--page", type=click.Path(path_type=Path, dir_okay=False), default=_GUIDE, help="The docs page."
)
@in_one_line
def command(markdown: bool, check: bool, page: Path) -> None:
    """Print which role holds which permission."""
    if not markdown:
        click.echo(permissions_table.as_text())
        return
    held = permissions_table.update_page(page, check=check)
    if check and not held:
        raise ConfigurationError(f"{page} is behind: run 'saas-app permissions --markdown'.")
    click.echo(f"{page} {'is up to date' if held else 'written'}.")

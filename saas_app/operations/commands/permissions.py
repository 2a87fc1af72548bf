"""``saas-app permissions``: print or document which role grants which permission."""

from __future__ import annotations

from pathlib import Path

import click

from saas_app.config import MIGRATIONS
from saas_app.errors import ConfigurationError
from saas_app.operations import permissions_table
from saas_app.operations.commands.common import short_errors
from saas_app.operations.output import say
from saas_app.text.translation import _

_GUIDE = MIGRATIONS.parent / "docs" / "rbac-guide.md"


@click.command("permissions")
@click.option("--markdown", is_flag=True, help=_("Write the table to the docs page instead of printing it."))
@click.option(
    "--check", is_flag=True, help=_("With --markdown: only compare, and exit with 1 if the table differs.")
)
@click.option(
    "--page", type=click.Path(path_type=Path, dir_okay=False), default=_GUIDE, help=_("The docs page.")
)
@short_errors
def command(markdown: bool, check: bool, page: Path) -> None:
    """Print the permissions of each role."""
    if not markdown:
        say(permissions_table.as_text())
        return
    is_current = permissions_table.update_page(page, check=check)
    if check and not is_current:
        raise ConfigurationError(
            _("%(page)s is out of date: run 'saas-app permissions --markdown'.", page=page)
        )
    say(_("%(path)s is up to date.", path=page) if is_current else _("%(path)s written.", path=page))

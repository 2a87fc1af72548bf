"""``saas-app make-migration``: write a migration from the models, and try it in both directions."""

from __future__ import annotations

import click

from saas_app.operations.commands.common import short_errors
from saas_app.operations.new_migration import write_migration
from saas_app.operations.output import say
from saas_app.text.translation import _


@click.command("make-migration")
@click.argument("name")
@short_errors
def command(name: str) -> None:
    """Write a migration for changed models. NAME says what it does, as in "add project colors".

    It is tried on a scratch database: applied, undone and applied again. No other database is changed.
    """
    written = write_migration(name)
    if written is None:
        say(_("Nothing to write: the migrations already have everything that the models have."))
        return
    for operation in written.operations:
        say(f"  {operation}")
    say(_("Written: %(path)s", path=written.path))
    say(_("It was applied, undone and applied again on a scratch database. Read it before you commit it."))
    say(_("Add renames, data and triggers by hand."))

"""``saas-app migrate``: apply pending migrations."""

from __future__ import annotations

from pathlib import Path

import click

from saas_app.operations.commands.common import env_file_option, load_env_files, short_errors
from saas_app.operations.deployment import load_deployment_settings
from saas_app.operations.migrate import migrate as apply_migrations
from saas_app.operations.output import say
from saas_app.text.translation import _, ngettext


@click.command("migrate")
@env_file_option
@short_errors
def command(env_file: Path | None) -> None:
    """Apply all pending migrations to the database."""
    load_env_files(env_file)
    done = apply_migrations(load_deployment_settings().for_owner)
    before = done.before
    if not before.is_newest:
        say(
            _(
                "Migrated from %(current)s to %(newest)s.",
                current=before.current or _("an empty database"),
                newest=before.newest,
            )
        )
    if done.secured and before.current is not None:
        say(
            ngettext(
                "Set the policies and grants of %(num)s table: %(tables)s.",
                "Set the policies and grants of %(num)s tables: %(tables)s.",
                len(done.secured),
                tables=", ".join(done.secured),
            )
        )
    elif before.is_newest:
        say(_("The database is up to date (%(newest)s).", newest=before.newest))

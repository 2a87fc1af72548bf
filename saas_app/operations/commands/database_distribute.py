"""``saas-app database distribute``: distribute the tables with Citus."""

from __future__ import annotations

from pathlib import Path

import click

from saas_app.operations.commands.common import env_file_option, load_env_files, short_errors
from saas_app.operations.commands.steps import report_steps
from saas_app.operations.database.distribution import distribute as distribute_tables
from saas_app.operations.deployment import load_deployment_settings
from saas_app.text.translation import _


@click.command("distribute")
@env_file_option
@short_errors
def distribute(env_file: Path | None) -> None:
    """Distribute the tables by organization over the workers of a Citus cluster.

    The command can be run again: it continues an interrupted run, and places tables that are new.
    """
    load_env_files(env_file)
    location = load_deployment_settings().for_owner
    report_steps(location, distribute_tables, none=_("Everything is distributed already."))

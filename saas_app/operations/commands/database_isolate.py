"""``saas-app database isolate``: give one large organization a node of its own."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from saas_app.operations.commands.common import env_file_option, load_env_files, short_errors
from saas_app.operations.commands.steps import report_steps
from saas_app.operations.database.isolation import isolate as isolate_organization
from saas_app.operations.deployment import load_deployment_settings
from saas_app.text.translation import _


@click.command("isolate")
@click.argument("organization_id")
@click.option("--node", metavar="HOST:PORT", help=_("The worker to move it to. Default: where it is."))
@env_file_option
@short_errors
def isolate(organization_id: str, node: str | None, env_file: Path | None) -> None:
    """Move an organization to a shard of its own on a Citus cluster, and that to a worker.

    The organization stays usable meanwhile. The command can be run again.
    """
    load_env_files(env_file)
    steps = partial(isolate_organization, organization_id=organization_id, node=node)
    report_steps(load_deployment_settings().for_owner, steps, none=_("It is there already."))

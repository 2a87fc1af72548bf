"""``saas-app provision``: write to Logto what Workroom needs there, or report what differs."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import click

from saas_app.config import ManagementSettings, load_management_settings
from saas_app.logto import connect
from saas_app.operations.commands.common import env_file_option, load_env_files, short_errors
from saas_app.operations.commands.connectors import connectors_option, load_connectors, named_file
from saas_app.operations.deployment import load_deployment_settings, stored_environment
from saas_app.operations.env_file import write_env_file
from saas_app.operations.provisioning import (
    Action,
    Change,
    Deployment,
    ProvisionedApplication,
    SocialCallback,
    apply,
    drift,
    list_social_callbacks,
    plan,
    survey,
)


@click.command("provision")
@click.option("--check", is_flag=True, help="Only report differences, and exit with 1 if there are any.")
@click.option(
    "--write-env",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Store the application's ID and secret, and everything else that 'serve' needs, in this file.",
)
@connectors_option
@env_file_option
@short_errors
def command(check: bool, write_env: Path | None, connectors_file: Path | None, env_file: Path | None) -> None:
    """Set up Logto: roles, permissions, the API resource, the application and the sign-in methods."""
    load_env_files(env_file, write_env if write_env and write_env.exists() else None)
    management, settings = load_management_settings(), load_deployment_settings()
    deployment = replace(settings.deployment, sign_in_methods=load_connectors(connectors_file))
    outcome = asyncio.run(_provision(management, deployment, check=check))
    _report(outcome.changes, check=check)
    if outcome.application is None:
        sys.exit(1 if drift(outcome.changes) else 0)
    for callback in outcome.callbacks:
        click.echo(f"Register this callback URL at {callback.provider}: {callback.url}")
    if write_env:
        stored = stored_environment(management, settings, outcome.application, named_file(connectors_file))
        write_env_file(write_env, stored)
        click.echo(f"Stored in {write_env}. Start with: saas-app serve --env-file {write_env}")
    else:
        click.echo(
            f"The application's ID is {outcome.application.app_id}. To store its secret, use "
            "--write-env FILE."
        )


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The result of a run. With ``--check``, there is no application."""

    changes: tuple[Change, ...]
    application: ProvisionedApplication | None = None
    callbacks: tuple[SocialCallback, ...] = ()


async def _provision(management: ManagementSettings, deployment: Deployment, *, check: bool) -> _Outcome:
    async with connect(management) as client:
        found = await survey(client, deployment)
        changes = plan(deployment, found)
        if check:
            return _Outcome(changes)
        application = await apply(client, deployment, found, changes)
        callbacks = await list_social_callbacks(client, deployment, management.endpoint)
        return _Outcome(changes, application, callbacks)


def _report(changes: tuple[Change, ...], *, check: bool) -> None:
    done = {Action.KEEP: "ok", Action.CREATE: "created", Action.UPDATE: "updated"}
    to_do = {Action.KEEP: "ok", Action.CREATE: "missing", Action.UPDATE: "differs"}
    for change in changes:
        says = (to_do if check else done)[change.action]
        detail = f"  ({change.detail})" if change.detail and change.action is not Action.KEEP else ""
        click.echo(f"{says:<8} {change.kind:<23} {change.name}{detail}")
    different = len(drift(changes))
    click.echo(
        f"{different} {'differ' if check else 'written'}, {len(changes) - different} already up to date."
    )

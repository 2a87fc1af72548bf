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
from saas_app.operations.deployment import load_deployment_settings, stored_environment, support_environment
from saas_app.operations.env_file import write_env_file
from saas_app.operations.output import column, say
from saas_app.operations.provisioning import (
    Action,
    Change,
    Deployment,
    ProvisionedApplication,
    SocialCallback,
    SupportTeam,
    apply,
    apply_support,
    drift,
    list_social_callbacks,
    plan,
    plan_support,
    survey,
    survey_support,
)
from saas_app.text.translation import _, said


@click.command("provision")
@click.option("--check", is_flag=True, help=_("Only report differences, and exit with 1 if there are any."))
@click.option(
    "--write-env",
    type=click.Path(path_type=Path, dir_okay=False),
    help=_("Store the application's ID and secret, and everything else that 'serve' needs, in this file."),
)
@click.option(
    "--support",
    is_flag=True,
    help=_("Also set up support access: the team's organization, and an application that exchanges tokens."),
)
@click.option(
    "--single-sign-on",
    is_flag=True,
    help=_("Also let admins connect their company's identity provider: turn single sign-on on in Logto."),
)
@connectors_option
@env_file_option
@short_errors
def command(
    check: bool,
    write_env: Path | None,
    support: bool,
    single_sign_on: bool,
    connectors_file: Path | None,
    env_file: Path | None,
) -> None:
    """Set up Logto: roles, permissions, the API resource, the application and the sign-in methods."""
    load_env_files(env_file, write_env if write_env and write_env.exists() else None)
    management, settings = load_management_settings(), load_deployment_settings()
    deployment = replace(
        settings.deployment,
        sign_in_methods=load_connectors(connectors_file),
        single_sign_on=single_sign_on or settings.single_sign_on,
    )
    team = settings.support_team if support or settings.support_app_id else None
    outcome = asyncio.run(_provision(management, deployment, team, check=check))
    _report(outcome.changes, check=check)
    if outcome.application is None:
        sys.exit(1 if drift(outcome.changes) else 0)
    for callback in outcome.callbacks:
        say(
            _(
                "Register this callback URL at %(provider)s: %(url)s",
                provider=callback.provider,
                url=callback.url,
            )
        )
    if write_env:
        stored = stored_environment(management, settings, outcome.application, named_file(connectors_file))
        if outcome.support is not None:
            stored |= support_environment(outcome.support)
        if deployment.single_sign_on:
            stored["SINGLE_SIGN_ON"] = "true"
        write_env_file(write_env, stored)
        say(
            _(
                "Stored in %(path)s. Start with: saas-app serve --env-file %(path)s",
                path=write_env,
            )
        )
    else:
        say(
            _(
                "The application's ID is %(app_id)s. To store its secret, use --write-env FILE.",
                app_id=outcome.application.app_id,
            )
        )


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The result of a run. With ``--check``, there is no application."""

    changes: tuple[Change, ...]
    application: ProvisionedApplication | None = None
    callbacks: tuple[SocialCallback, ...] = ()
    support: SupportTeam | None = None


async def _provision(
    management: ManagementSettings, deployment: Deployment, team: SupportTeam | None, *, check: bool
) -> _Outcome:
    """Carry out what is needed. ``team`` is what is stored about the support team, or None without one."""
    async with connect(management) as client:
        found = await survey(client, deployment)
        found_support = None if team is None else await survey_support(client, team)
        changes = plan(deployment, found)
        if team is not None and found_support is not None:
            changes += plan_support(team, found_support)
        if check:
            return _Outcome(changes)
        application = await apply(client, deployment, found, changes)
        support = None if found_support is None else await apply_support(client, found_support)
        callbacks = await list_social_callbacks(client, deployment, management.endpoint)
        return _Outcome(changes, application, callbacks, support)


def _report(changes: tuple[Change, ...], *, check: bool) -> None:
    done = {Action.KEEP: _("ok"), Action.CREATE: _("created"), Action.UPDATE: _("updated")}
    to_do = {Action.KEEP: _("ok"), Action.CREATE: _("missing"), Action.UPDATE: _("differs")}
    for change in changes:
        says = (to_do if check else done)[change.action]
        detail = (f" ({said(change.detail)})",) if change.detail and change.action is not Action.KEEP else ()
        say(column(says, 8), column(change.kind.label, 23), change.name, *detail)
    different = len(drift(changes))
    values = {"different": different, "same": len(changes) - different}
    say(
        _("%(different)s differ, %(same)s already up to date.", **values)
        if check
        else _("%(different)s written, %(same)s already up to date.", **values)
    )

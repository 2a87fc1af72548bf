"""``saas-app single-sign-on``: which organizations may connect the identity provider of their company."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

import click

from saas_app.changes.organization_change import Systems
from saas_app.config import load_management_settings
from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import ConfigurationError
from saas_app.logto import ManagementClient, ManagementError, OrganizationInfo, connect
from saas_app.operations.commands.common import env_file_option, load_env_files, short_errors
from saas_app.operations.deployment import load_deployment_settings
from saas_app.operations.migrate import read_state
from saas_app.operations.output import one_line, say
from saas_app.single_sign_on.changes import permission
from saas_app.text.translation import _

Step: TypeAlias = Callable[[Systems, OrganizationInfo], Awaitable[bool]]


@click.group("single-sign-on")
def command() -> None:
    """Say which organizations may connect the identity provider of their company."""


@command.command()
@click.argument("organization_id")
@env_file_option
@short_errors
def allow(organization_id: str, env_file: Path | None) -> None:
    """Let an organization connect an identity provider."""
    load_env_files(env_file)
    organization, is_new = _run(organization_id, permission.allow)
    named = one_line(organization.name)
    say(
        _("%(name)s may connect an identity provider now.", name=named)
        if is_new
        else _("%(name)s was allowed to connect an identity provider already.", name=named)
    )


@command.command()
@click.argument("organization_id")
@env_file_option
@short_errors
def forbid(organization_id: str, env_file: Path | None) -> None:
    """Forbid it again. Its single sign-on is turned off, and people sign in as before."""
    load_env_files(env_file)
    if load_deployment_settings().single_sign_on_self_service:
        raise ConfigurationError(
            _(
                "SINGLE_SIGN_ON_SELF_SERVICE allows every organization to connect an identity provider. Set "
                "it to false first."
            )
        )
    organization, was_allowed = _run(organization_id, permission.forbid)
    named = one_line(organization.name)
    say(
        _("%(name)s may no longer connect an identity provider. Its single sign-on is off.", name=named)
        if was_allowed
        else _("%(name)s was not allowed to connect an identity provider.", name=named)
    )


def _run(organization_id: str, step: Step) -> tuple[OrganizationInfo, bool]:
    management, settings = load_management_settings(), load_deployment_settings()
    read_state(settings.for_jobs)  # names the setting if the address is wrong

    async def work() -> tuple[OrganizationInfo, bool]:
        engine = create_engine(settings.jobs_url)
        try:
            async with connect(management) as client:
                organization = await _find(client, organization_id)
                return organization, await step(Systems(UnitOfWork(engine), client, None), organization)
        finally:
            await engine.dispose()

    return asyncio.run(work())


async def _find(client: ManagementClient, organization_id: str) -> OrganizationInfo:
    try:
        return await client.get_organization(organization_id)
    except ManagementError as refusal:
        if refusal.status != 404:
            raise
        raise ConfigurationError(
            _("Logto has no organization with the ID %(organization_id)s.", organization_id=organization_id)
        ) from None

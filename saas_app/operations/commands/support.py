"""``saas-app support``: who belongs to the operator's support team."""

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
from saas_app.logto import LogtoUser, connect
from saas_app.operations import support_team
from saas_app.operations.commands.common import env_file_option, load_env_files, short_errors
from saas_app.operations.deployment import load_deployment_settings
from saas_app.operations.migrate import read_state
from saas_app.operations.output import one_line, say
from saas_app.text.translation import _

Step: TypeAlias = Callable[[Systems, str, LogtoUser], Awaitable[bool]]


@click.group("support")
def command() -> None:
    """Say who may act for members of organizations that allow support access."""


@command.command()
@click.argument("email")
@env_file_option
@short_errors
def grant(email: str, env_file: Path | None) -> None:
    """Make a person a member of the support team."""
    person, is_new = _run(env_file, email, support_team.grant)
    named = one_line(person.display_name)
    say(
        _("%(name)s belongs to the support team now.", name=named)
        if is_new
        else _("%(name)s belonged to the support team already.", name=named)
    )


@command.command()
@click.argument("email")
@env_file_option
@short_errors
def revoke(email: str, env_file: Path | None) -> None:
    """Remove a person from the support team. What they are doing for others ends immediately."""
    person, was_member = _run(env_file, email, support_team.revoke)
    named = one_line(person.display_name)
    say(
        _("%(name)s no longer belongs to the support team.", name=named)
        if was_member
        else _("%(name)s did not belong to the support team.", name=named)
    )


def _run(env_file: Path | None, email: str, step: Step) -> tuple[LogtoUser, bool]:
    load_env_files(env_file)
    management, settings = load_management_settings(), load_deployment_settings()
    team = settings.support_organization_id
    if not team:
        raise ConfigurationError(
            _(
                "This installation has no support team. Run 'saas-app provision --support --write-env .env' "
                "first."
            )
        )
    read_state(settings.for_jobs)  # names the setting if the address is wrong

    async def work() -> tuple[LogtoUser, bool]:
        engine = create_engine(settings.jobs_url)
        try:
            async with connect(management) as client:
                person = await support_team.find_person(client, email)
                return person, await step(Systems(UnitOfWork(engine), client, None), team, person)
        finally:
            await engine.dispose()

    return asyncio.run(work())

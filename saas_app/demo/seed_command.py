"""``saas-app seed-demo``: create the demo's people, organizations and projects."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import click

from saas_app.config import ManagementSettings, load_management_settings
from saas_app.config.addresses import is_loopback
from saas_app.coordination.jobs import Failure
from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.demo.people import PASSWORD
from saas_app.demo.seed import DemoSeeder
from saas_app.logto import connect
from saas_app.operations.commands.common import env_file_option, load_env_files, report_failed, short_errors
from saas_app.operations.deployment import DeploymentSettings, load_deployment_settings
from saas_app.operations.migrate import migrate as apply_migrations
from saas_app.operations.migrate import read_state
from saas_app.operations.output import column, say
from saas_app.text.translation import _


@click.command("seed-demo")
@env_file_option
@short_errors
def command(env_file: Path | None) -> None:
    """Create the demo people, organizations and projects. The password of these accounts is public."""
    load_env_files(env_file)
    management, settings = load_management_settings(), load_deployment_settings()
    if not is_loopback(urlsplit(management.endpoint).hostname or ""):
        say(
            _(
                "Note: the password of these accounts at %(endpoint)s is public.",
                endpoint=management.endpoint,
            ),
            err=True,
        )
    apply_migrations(settings.for_owner)
    read_state(settings.for_jobs)  # names the setting if the address is wrong
    failed = asyncio.run(_seed(management, settings))
    say(_("The password of every account is %(password)s", password=PASSWORD))
    report_failed(failed)


async def _seed(management: ManagementSettings, settings: DeploymentSettings) -> list[Failure]:
    engine, failed = create_engine(settings.jobs_url), []
    try:
        async with connect(management) as client:
            work, team = UnitOfWork(engine), settings.support_organization_id
            async for step in DemoSeeder(client, work, settings.app_url, support=team).seed():
                if isinstance(step, Failure):
                    failed.append(step)
                    continue
                say(column(_("written") if step.changed else _("ok"), 8), column(step.what, 13), step.name)
    finally:
        await engine.dispose()
    return failed

"""``saas-app reconcile``: compare Workroom with Logto, and repair what differs."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import click

from saas_app.changes.organization_change import Systems
from saas_app.config import ManagementSettings, load_management_settings
from saas_app.coordination.jobs import Failure
from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.email_domains.dns_records import TxtResolver
from saas_app.email_domains.rechecks import DomainChecks
from saas_app.logto import connect
from saas_app.operations.commands.common import env_file_option, load_env_files, report_failed, short_errors
from saas_app.operations.deployment import DeploymentSettings, load_deployment_settings, registration_with
from saas_app.operations.migrate import migrate as apply_migrations
from saas_app.operations.migrate import read_state
from saas_app.operations.output import column, one_line, say
from saas_app.operations.preflight import require_package
from saas_app.operations.reconciliation.logto_state import require_own_application
from saas_app.operations.reconciliation.service import Reconciler
from saas_app.single_sign_on.rechecks import SsoChecks
from saas_app.text.translation import _


@click.command("reconcile")
@click.option("--organization", "organization_id", help=_("Only the organization with this ID."))
@click.option(
    "--metrics-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help=_("Write the result to this file, for node_exporter's textfile collector (NAME.prom)."),
)
@env_file_option
@short_errors
def command(organization_id: str | None, metrics_file: Path | None, env_file: Path | None) -> None:
    """Compare Workroom with Logto and repair missed changes, such as lost webhooks."""
    load_env_files(env_file)
    if metrics_file is not None:
        require_package("prometheus_client", "pip install 'workroom[metrics]'")
    management, settings = load_management_settings(), load_deployment_settings()
    apply_migrations(settings.for_owner)
    read_state(settings.for_jobs)  # names the setting if the address is wrong
    repaired, failed = asyncio.run(_reconcile(management, settings, organization_id))
    if metrics_file is not None:
        from saas_app.telemetry.job_file import write_reconcile_result  # needs that package

        write_reconcile_result(metrics_file, repaired=repaired, failed=len(failed))
    say(_("%(number)s repaired.", number=repaired) if repaired else _("Nothing to repair."))
    report_failed(failed)


async def _reconcile(
    management: ManagementSettings, settings: DeploymentSettings, organization_id: str | None
) -> tuple[int, list[Failure]]:
    engine, repaired, failed = create_engine(settings.jobs_url), 0, []
    try:
        async with connect(management) as client:
            await require_own_application(client, settings.app_id)
            work, grace = UnitOfWork(engine), timedelta(seconds=settings.domain_grace)
            domains = DomainChecks(
                Systems(work, client, None), TxtResolver(settings.domain_nameservers), grace
            )
            checks = _single_sign_on(Systems(work, client, None), management, settings)
            async for found in Reconciler(work, client, domains, checks).run(organization_id):
                if isinstance(found, Failure):
                    failed.append(found)
                    continue
                say(column(found.organization_id, 12), one_line(found.what))
                repaired += found.changed
    finally:
        await engine.dispose()
    return repaired, failed


def _single_sign_on(
    systems: Systems, management: ManagementSettings, settings: DeploymentSettings
) -> SsoChecks | None:
    """Return the checks of single sign-on, or None where it is not offered."""
    if not settings.single_sign_on:
        return None
    keys = settings.encryption_keys.get_secret_value()
    registration = registration_with(keys, settings.app_url, management.endpoint)
    return SsoChecks(systems, registration, self_service=settings.single_sign_on_self_service)

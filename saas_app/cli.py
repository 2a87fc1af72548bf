"""``saas-app``: the commands. What they do lives elsewhere; here they get their settings and say a result."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import click
import structlog

from saas_app import permissions_table
from saas_app.api_commands import openapi, token
from saas_app.command_line import (
    Commands,
    announce,
    env_file_option,
    in_one_line,
    logs_are_json,
    one_line,
    overlay,
)
from saas_app.config import MIGRATIONS, ManagementSettings, load_management_settings, load_settings
from saas_app.connector_commands import connectors, connectors_option, load_connectors, named_file
from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.demo.people import PASSWORD
from saas_app.demo.seed import DemoSeeder
from saas_app.demo.supervisor import DemoOptions, run_demo
from saas_app.deployment import (
    DeploymentSettings,
    is_loopback,
    load_deployment_settings,
    stored_environment,
)
from saas_app.doctor import examine
from saas_app.email_domains.dns_records import TxtResolver
from saas_app.email_domains.rechecks import DomainChecks
from saas_app.env_file import write_env_file
from saas_app.errors import ConfigurationError
from saas_app.identity.management import connect
from saas_app.identity.provisioning import (
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
from saas_app.identity.sign_in_methods.declaration import find_declaration, offered_methods
from saas_app.jobs import Failure
from saas_app.migrate import migrate as apply_migrations
from saas_app.observability import configure_logging, take_over_logging
from saas_app.preflight import require_free_port
from saas_app.reconciliation.service import Reconciler, require_own_application
from saas_app.server import run_server

_GUIDE = MIGRATIONS.parent / "docs" / "rbac-guide.md"


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Workroom: projects and tasks for organizations, with Logto deciding who may do what."""
    os.umask(0o077)  # what is written here holds keys and people's data
    if logs_are_json():
        take_over_logging("json")
    else:
        configure_logging("console")
    # A command tells its result itself; the application sets up logs of its own when it is served.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR), cache_logger_on_first_use=False
    )


main.add_command(connectors)


@main.command()
@click.option("--host", help="Address to listen on (APP_HOST).")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on (APP_PORT).")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
@click.option("--no-migrate", is_flag=True, help="Do not apply pending migrations first.")
@env_file_option
@in_one_line
def serve(host: str | None, port: int | None, workers: int, no_migrate: bool, env_file: Path | None) -> None:
    """Run the application. FORWARDED_ALLOW_IPS names the proxies whose X-Forwarded-* headers are trusted."""
    overlay(env_file)
    if logs_are_json():  # perhaps since that file was read
        take_over_logging("json")
    settings = load_settings()
    offered_methods(find_declaration(os.environ))  # a file that cannot be read is told before anything starts
    host, port = host or settings.host, port or settings.port
    require_free_port(host, port, "stop what listens there, or choose another with --port")
    if not no_migrate:
        apply_migrations(settings.database_url)
    announce(f"Workroom serves {settings.app_url}, listening on {host}:{port}")
    run_server(settings, host, port, workers)


@main.command()
@click.option("--app-port", type=click.IntRange(1, 65535), default=3000, envvar="APP_PORT", show_default=True)
@click.option(
    "--logto-port", type=click.IntRange(1, 65535), default=3001, envvar="LOGTO_PORT", show_default=True
)
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), default=Path("var"), show_default=True
)
@in_one_line
def demo(app_port: int, logto_port: int, data: Path) -> None:
    """Run everything on this machine: application, identity provider, demo people and projects."""
    if app_port == logto_port:
        raise ConfigurationError("APP_PORT and LOGTO_PORT must differ.")
    run_demo(DemoOptions(app_port, logto_port, data))


@main.command()
@env_file_option
@in_one_line
def migrate(env_file: Path | None) -> None:
    """Apply all pending migrations to the database."""
    overlay(env_file)
    before = apply_migrations(load_deployment_settings().database_url)
    if before.is_newest:
        click.echo(f"The database is at {before.newest} already.")
    else:
        click.echo(f"Migrated from {before.current or 'nothing'} to {before.newest}.")


@main.command()
@click.option("--check", is_flag=True, help="Only report what differs; exit 1 when something does.")
@click.option(
    "--write-env",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Store the application's id and secret, and all that 'serve' needs, in this file.",
)
@connectors_option
@env_file_option
@in_one_line
def provision(
    check: bool, write_env: Path | None, connectors_file: Path | None, env_file: Path | None
) -> None:
    """Write roles, permissions, the API resource, the application and the ways to sign in to Logto."""
    overlay(env_file, write_env if write_env and write_env.exists() else None)
    management, settings = load_management_settings(), load_deployment_settings()
    deployment = replace(settings.deployment, sign_in_methods=load_connectors(connectors_file))
    outcome = asyncio.run(_provision(management, deployment, check=check))
    _report(outcome.changes, check=check)
    if outcome.application is None:
        sys.exit(1 if drift(outcome.changes) else 0)
    for callback in outcome.callbacks:
        click.echo(f"Register at {callback.provider} as callback URL: {callback.url}")
    if write_env:
        stored = stored_environment(management, settings, outcome.application, named_file(connectors_file))
        write_env_file(write_env, stored)
        click.echo(f"Stored in {write_env}. Start with: saas-app serve --env-file {write_env}")
    else:
        click.echo(f"The application is {outcome.application.app_id}; --write-env FILE stores its secret.")


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a run changed and made; with --check no application."""

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
    done = {Action.HOLDS: "holds", Action.CREATE: "created", Action.UPDATE: "updated"}
    ahead = {Action.HOLDS: "holds", Action.CREATE: "missing", Action.UPDATE: "differs"}
    for change in changes:
        says = (ahead if check else done)[change.action]
        detail = f"  ({change.detail})" if change.detail and change.action is not Action.HOLDS else ""
        click.echo(f"{says:<8} {change.kind:<23} {change.name}{detail}")
    different = len(drift(changes))
    click.echo(f"{different} {'differ' if check else 'written'}, {len(changes) - different} held already.")


@main.command()
@click.option("--organization", "organization_id", help="Only this organization, by its id.")
@env_file_option
@in_one_line
def reconcile(organization_id: str | None, env_file: Path | None) -> None:
    """Read members again from Logto and repair what was missed: lost webhooks, changes cut off by a crash."""
    overlay(env_file)
    management, settings = load_management_settings(), load_deployment_settings()
    apply_migrations(settings.database_url)
    repaired, failed = asyncio.run(_reconcile(management, settings, organization_id))
    click.echo(f"{repaired} repaired." if repaired else "Nothing to repair.")
    _exit_for(failed)


async def _reconcile(
    management: ManagementSettings, settings: DeploymentSettings, organization_id: str | None
) -> tuple[int, list[Failure]]:
    engine, repaired, failed = create_engine(settings.database_url), 0, []
    try:
        async with connect(management) as client:
            await require_own_application(client, settings.app_id)
            work, grace = UnitOfWork(engine), timedelta(seconds=settings.domain_grace)
            domains = DomainChecks(work, client, TxtResolver(settings.domain_nameservers), grace)
            async for found in Reconciler(work, client, domains).run(organization_id):
                if isinstance(found, Failure):
                    failed.append(found)
                    continue
                click.echo(f"{found.organization_id:<12} {one_line(found.what)}")
                repaired += found.changed
    finally:
        await engine.dispose()
    return repaired, failed


def _exit_for(failed: list[Failure]) -> None:
    """Say what a job could not deal with, and end with 1 when there was anything."""
    for failure in failed:
        click.echo(f"FAILED {one_line(failure.item)} ({failure.why})", err=True)
    if failed:
        raise click.ClickException(f"{len(failed)} failed; everything else was done.")


@main.command("seed-demo")
@env_file_option
@in_one_line
def seed_demo(env_file: Path | None) -> None:
    """Create the demo people, organizations and projects. The password of these accounts is public."""
    overlay(env_file)
    management, settings = load_management_settings(), load_deployment_settings()
    if not is_loopback(urlsplit(management.endpoint).hostname or ""):
        click.echo(f"Note: the password of these accounts at {management.endpoint} is public.", err=True)
    apply_migrations(settings.database_url)
    failed = asyncio.run(_seed(management, settings))
    click.echo(f"Everybody's password is {PASSWORD}")
    _exit_for(failed)


async def _seed(management: ManagementSettings, settings: DeploymentSettings) -> list[Failure]:
    engine, failed = create_engine(settings.database_url), []
    try:
        async with connect(management) as client:
            async for step in DemoSeeder(client, UnitOfWork(engine)).seed():
                if isinstance(step, Failure):
                    failed.append(step)
                    continue
                click.echo(f"{'written' if step.changed else 'holds':<8} {step.what:<13} {step.name}")
    finally:
        await engine.dispose()
    return failed


@main.command()
@click.option("--markdown", is_flag=True, help="Write the table of the docs instead of printing it.")
@click.option("--check", is_flag=True, help="With --markdown: only compare; exit 1 when it differs.")
@click.option(
    "--page", type=click.Path(path_type=Path, dir_okay=False), default=_GUIDE, help="The docs page."
)
@in_one_line
def permissions(markdown: bool, check: bool, page: Path) -> None:
    """Print which role holds which permission."""
    if not markdown:
        click.echo(permissions_table.as_text())
        return
    held = permissions_table.update_page(page, check=check)
    if check and not held:
        raise ConfigurationError(f"{page} is behind: run 'saas-app permissions --markdown'.")
    click.echo(f"{page} {'is up to date' if held else 'written'}.")


@main.command()
@connectors_option
@env_file_option
@in_one_line
def doctor(connectors_file: Path | None, env_file: Path | None) -> None:
    """Check everything from the settings to Logto's webhooks, and say which command fixes what is wrong."""
    overlay(env_file)
    failed = False
    for check in examine(os.environ, connectors_file):
        failed = failed or not check.passed
        click.echo(f"{'ok' if check.passed else 'FAILED':<7} {check.name:<15} {check.found}")
        if not check.passed:
            click.echo(f"{'':<7} {'':<15} → {check.remedy}")
    sys.exit(1 if failed else 0)


main.add_command(openapi)
main.add_command(token)

"""``saas-app serve``: run the application."""

from __future__ import annotations

import os
from pathlib import Path

import click

from saas_app.config import load_settings
from saas_app.observability import take_over_logging
from saas_app.operations.commands.common import env_file_option, load_env_files, short_errors
from saas_app.operations.database.protection import require_protection
from saas_app.operations.migrate import migrate_apart
from saas_app.operations.output import announce, logs_are_json
from saas_app.operations.preflight import require_free_port, require_package
from saas_app.operations.server import run_server
from saas_app.operations.sign_in_methods.declaration import find_declaration, offered_methods
from saas_app.text.translation import _


@click.command("serve")
@click.option("--host", help=_("The address to listen on (APP_HOST)."))
@click.option("--port", type=click.IntRange(1, 65535), help=_("The port to listen on (APP_PORT)."))
@click.option(
    "--workers", type=click.IntRange(1), default=1, show_default=True, help=_("The number of processes.")
)
@click.option("--no-migrate", is_flag=True, help=_("Do not apply pending migrations."))
@click.option("--reload", is_flag=True, help=_("For development: restart when code or templates change."))
@env_file_option
@short_errors
def command(
    host: str | None, port: int | None, workers: int, no_migrate: bool, reload: bool, env_file: Path | None
) -> None:
    """Run the application. FORWARDED_ALLOW_IPS lists the proxies whose X-Forwarded-* headers are trusted."""
    load_env_files(env_file)
    if reload:
        require_package("watchfiles", _("it comes with make setup"))
    if logs_are_json():  # the environment file may have set it
        take_over_logging("json")
    settings = load_settings()
    offered_methods(find_declaration(os.environ))  # fails if the file cannot be read
    host, port = host or settings.host, port or settings.port
    require_free_port(host, port, _("stop the program that uses it, or choose another port with --port"))
    if settings.metrics_port is not None:
        remedy = _("stop the program that uses it, or choose another METRICS_PORT")
        require_free_port(settings.metrics_host, settings.metrics_port, remedy)
    if not no_migrate:
        migrate_apart(settings.for_owner)
    require_protection(settings)
    announce(
        _(
            "Workroom is running at %(app_url)s, listening on %(host)s:%(port)s",
            app_url=settings.app_url,
            host=host,
            port=str(port),
        )
    )
    run_server(settings, host, port, workers, reload=reload)

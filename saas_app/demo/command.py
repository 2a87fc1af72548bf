"""``saas-app demo``: run the application, the development identity provider and the demo's people."""

from __future__ import annotations

from pathlib import Path

import click

from saas_app.demo.options import DemoOptions
from saas_app.demo.supervisor import run_demo
from saas_app.errors import ConfigurationError
from saas_app.operations.commands.common import short_errors
from saas_app.text.translation import _


@click.command("demo")
@click.option(
    "--app-port",
    type=click.IntRange(1, 65535),
    default=3000,
    envvar="APP_PORT",
    show_default=True,
    help=_("The port of Workroom (APP_PORT)."),
)
@click.option(
    "--logto-port",
    type=click.IntRange(1, 65535),
    default=3001,
    envvar="LOGTO_PORT",
    show_default=True,
    help=_("The port of the identity provider (LOGTO_PORT)."),
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var"),
    show_default=True,
    help=_("The folder for data and logs."),
)
@click.option("--reload", is_flag=True, help=_("Restart Workroom when its code or templates change."))
@short_errors
def command(app_port: int, logto_port: int, data: Path, reload: bool) -> None:
    """Run everything on this machine: Workroom, an identity provider, demo people and projects."""
    if app_port == logto_port:
        raise ConfigurationError(_("APP_PORT and LOGTO_PORT must differ."))
    run_demo(DemoOptions(app_port, logto_port, data, reload))

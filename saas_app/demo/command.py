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
    "--company-port",
    type=click.IntRange(1, 65535),
    envvar="COMPANY_PORT",
    help=_("The port of a customer's identity provider (COMPANY_PORT). [default: LOGTO_PORT + 1]"),
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
def command(app_port: int, logto_port: int, company_port: int | None, data: Path, reload: bool) -> None:
    """Run everything on this machine: Workroom, an identity provider, demo people and projects."""
    if company_port is None:
        company_port = next_port(logto_port, app_port)
    if len({app_port, logto_port, company_port}) < 3:
        raise ConfigurationError(_("APP_PORT, LOGTO_PORT and COMPANY_PORT must differ."))
    run_demo(DemoOptions(app_port, logto_port, company_port, data, reload))


def next_port(port: int, taken: int) -> int:
    """Return the port after ``port`` that is not ``taken``, or one before it if there is none."""
    return next(near for near in (port + 1, port + 2, port - 1, port - 2) if near != taken and near <= 65535)

"""``saas-app database``: what the operator of a PostgreSQL database does beyond migrations."""

from __future__ import annotations

import click

from saas_app.operations.commands.database_distribute import distribute
from saas_app.operations.commands.database_isolate import isolate
from saas_app.operations.commands.database_roles import roles


@click.group("database")
def command() -> None:
    """Prepare and change the PostgreSQL database of a deployment."""


command.add_command(distribute)
command.add_command(isolate)
command.add_command(roles)

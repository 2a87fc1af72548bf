"""``saas-app shell``: a Python prompt with settings, models and database sessions."""

from __future__ import annotations

from pathlib import Path

import click

from saas_app.config import load_settings
from saas_app.operations.commands.common import env_file_option, load_env_files, short_errors
from saas_app.operations.shell import run_shell


@click.command("shell")
@env_file_option
@short_errors
def command(env_file: Path | None) -> None:
    """Open a Python prompt with settings, models and database sessions. Tenant rules apply."""
    load_env_files(env_file)
    run_shell(load_settings())

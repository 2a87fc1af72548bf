"""``saas-app doctor``: check the whole chain from the settings to Logto's webhooks."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from saas_app.operations.commands.common import env_file_option, load_env_files, short_errors
from saas_app.operations.commands.connectors import connectors_option
from saas_app.operations.doctor import examine
from saas_app.operations.output import column, say
from saas_app.text.translation import _


@click.command("doctor")
@connectors_option
@env_file_option
@short_errors
def command(connectors_file: Path | None, env_file: Path | None) -> None:
    """Check the settings, the database and Logto, and show how to fix each problem."""
    load_env_files(env_file)
    failed = False
    for check in examine(os.environ, connectors_file):
        failed = failed or not check.passed
        verdict = _("ok") if check.passed else _("FAILED")
        say(column(verdict, 7), column(check.name, 15), check.found)
        if not check.passed:
            say(column("", 7), column("", 15), "→", check.remedy)
    sys.exit(1 if failed else 0)

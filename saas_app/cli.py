"""``saas-app``: the command line. Each command is a module that defines ``command``.

Only the module of the command that runs is imported, so that a command starts without the imports of others.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from typing import Any, Final

import click

from saas_app.observability import configure_logging, take_over_logging
from saas_app.operations.imports import without_collections
from saas_app.operations.language import speak_click, terminal_language, translated_help
from saas_app.operations.output import logs_are_json, say
from saas_app.text.languages import SOURCE, speaking
from saas_app.text.translation import _
from saas_app.without_rich import structlog

_COMMANDS: Final = {
    "connectors": "saas_app.operations.commands.connectors",
    "database": "saas_app.operations.commands.database",
    "demo": "saas_app.demo.command",
    "doctor": "saas_app.operations.commands.doctor",
    "make-migration": "saas_app.operations.commands.make_migration",
    "migrate": "saas_app.operations.commands.migrate",
    "new": "saas_app.operations.commands.new",
    "openapi": "saas_app.operations.commands.openapi",
    "organization": "saas_app.operations.commands.organization",
    "permissions": "saas_app.operations.commands.permissions",
    "person": "saas_app.operations.commands.person",
    "provision": "saas_app.operations.commands.provision",
    "reconcile": "saas_app.operations.commands.reconcile",
    "rename": "saas_app.operations.commands.rename",
    "seed-demo": "saas_app.demo.seed_command",
    "serve": "saas_app.operations.commands.serve",
    "shell": "saas_app.operations.commands.shell",
    "single-sign-on": "saas_app.operations.commands.single_sign_on",
    "support": "saas_app.operations.commands.support",
    "token": "saas_app.operations.commands.token",
}


class Commands(click.Group):
    """A group that imports a command when it is needed, and reports errors in ``LOG_FORMAT``.

    Texts are in the language of the terminal. Log lines are English.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in order."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command with this name, or return None."""
        if cmd_name not in _COMMANDS:
            return super().get_command(ctx, cmd_name)
        with without_collections():
            command: click.Command = import_module(_COMMANDS[cmd_name]).command
        return translated_help(command)

    def get_help(self, ctx: click.Context) -> str:
        """Return the help of the group itself."""
        return super(Commands, translated_help(self)).get_help(ctx)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command. In standalone mode, exit with its exit code."""
        speak_click()
        self._help_option = None  # click keeps it, in the language that it was first shown in
        with speaking(SOURCE if logs_are_json() else terminal_language(os.environ)):
            return self._main(args, prog_name, complete_var, standalone_mode=standalone_mode, **extra)

    def _main(
        self,
        args: Sequence[str] | None,
        prog_name: str | None,
        complete_var: str | None,
        *,
        standalone_mode: bool,
        **extra: Any,
    ) -> Any:
        run = partial(super().main, args, prog_name, complete_var, **extra)
        if not standalone_mode:
            return run(standalone_mode=False)
        try:
            result: Any = run(standalone_mode=False)
        except click.Abort:
            say(_("Aborted!"), err=True)
            sys.exit(1)
        except click.ClickException as failure:
            if logs_are_json():
                structlog.get_logger("saas_app.commands").error(str(failure.format_message()))
            elif isinstance(failure, click.UsageError):
                failure.show()
            else:
                say(_("Error: %(problem)s", problem=failure.format_message()), err=True)
            sys.exit(failure.exit_code)
        sys.exit(result if isinstance(result, int) else 0)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="workroom", prog_name="saas-app", message="%(prog)s %(version)s")
def main() -> None:
    """Workroom: projects and tasks for organizations, with roles and permissions from Logto."""
    os.umask(0o077)  # commands write files with keys and people's data
    if logs_are_json():
        take_over_logging("json")
    else:
        configure_logging("console")
    # A command prints its results itself. When the application is served, it sets up its own logs.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR), cache_logger_on_first_use=False
    )

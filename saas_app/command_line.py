"""What every command has in common: expected failures in one line, and ``--env-file``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
import structlog

from saas_app.env_file import overlay_environment
from saas_app.errors import ConfigurationError, DatabaseUnavailable, LogtoUnavailable, NotFound
from saas_app.identity.management import ManagementError, provider_answer

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Commands(click.Group):
    """A group whose failures, those of its options included, follow ``LOG_FORMAT``."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command. Standalone, end the process with its exit code."""
        run = partial(super().main, args, prog_name, complete_var, **extra)
        if not standalone_mode:
            return run(standalone_mode=False)
        try:
            result: Any = run(standalone_mode=False)
        except click.Abort:
            click.echo("Aborted!", err=True)
            sys.exit(1)
        except click.ClickException as failure:
            if logs_are_json():
                structlog.get_logger("saas_app.commands").error(failure.format_message())
            else:
                failure.show()
            sys.exit(failure.exit_code)
        sys.exit(result if isinstance(result, int) else 0)


def logs_are_json() -> bool:
    """Return whether what is not a command's result is written for machines."""
    return os.environ.get("LOG_FORMAT") == "json"


def announce(sentence: str) -> None:
    """Say what begins now: a line for people, or one of the log's."""
    if logs_are_json():
        structlog.get_logger("saas_app.commands").info(sentence)
    else:
        click.echo(sentence)


def in_one_line(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """What can be expected to go wrong is told in a line, exit code 1, without a stack trace."""

    @wraps(function)
    def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return function(*args, **kwargs)
        except ConfigurationError as error:
            raise click.ClickException(str(error)) from None
        except NotFound as error:
            raise click.ClickException(error.detail) from None
        except ManagementError as refusal:
            raise click.ClickException(_explain(refusal)) from None
        except DatabaseUnavailable as failure:
            raise click.ClickException(f"{failure.detail} Nothing is lost: run the command again.") from None
        except LogtoUnavailable as failure:
            endpoint = os.environ.get("LOGTO_ENDPOINT", "")
            raise click.ClickException(f"{failure.detail} Is LOGTO_ENDPOINT={endpoint} right?") from None

    return wrapper


def one_line(answer: str) -> str:
    """What somebody else's server said, without line breaks and without what would steer a terminal."""
    return " ".join("".join(char if char.isprintable() else " " for char in answer).split())


def _explain(refusal: ManagementError) -> str:
    if refusal.code in ("oidc.invalid_client", "auth.unauthorized"):
        return (
            f"Logto refused the machine application ({refusal.message}): "
            "check LOGTO_MANAGEMENT_APP_ID, LOGTO_MANAGEMENT_APP_SECRET and LOGTO_MANAGEMENT_TOKEN_ENDPOINT."
        )
    if refusal.code in ("oidc.invalid_target", "auth.forbidden"):
        return (
            f"The machine application may not use the Management API ({refusal.message}): give it the role "
            "'Logto Management API access' and check LOGTO_MANAGEMENT_RESOURCE."
        )
    if refusal.code == "organization.role_names_not_found":
        return f"{refusal.message} Run 'saas-app provision' first."
    if refusal.code.startswith("connector."):
        return f"Logto refused a connector ({refusal.code}): {one_line(provider_answer(refusal))}"
    return f"Logto refused: {refusal}."


env_file_option = click.option(
    "--env-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with KEY=value lines. Variables of the environment take precedence.",
)


def overlay(*files: Path | None) -> None:
    """Let files say what the environment does not."""
    for file in files:
        if file is not None:
            overlay_environment(file)

"""What all commands share: expected failures in one line, and ``--env-file``."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from saas_app.coordination.jobs import Failure
from saas_app.errors import ConfigurationError, DatabaseUnavailable, LogtoUnavailable, NotFound
from saas_app.logto import ManagementError, provider_answer
from saas_app.operations.env_file import overlay_environment
from saas_app.operations.output import one_line, say
from saas_app.text.translation import Sentence, _

_P = ParamSpec("_P")
_R = TypeVar("_R")


def short_errors(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Decorate a command: an expected failure ends it with one line and exit code 1, without a traceback."""

    @wraps(function)
    def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return function(*args, **kwargs)
        except ConfigurationError as error:
            raise click.ClickException(error.message) from None
        except NotFound as error:
            raise click.ClickException(error.detail) from None
        except ManagementError as refusal:
            raise click.ClickException(_explain(refusal)) from None
        except DatabaseUnavailable as failure:
            raise click.ClickException(
                _("%(detail)s Nothing was lost. Run the command again.", detail=failure.detail)
            ) from None
        except LogtoUnavailable as failure:
            endpoint = os.environ.get("LOGTO_ENDPOINT", "")
            raise click.ClickException(
                _("%(detail)s Check LOGTO_ENDPOINT=%(endpoint)s.", detail=failure.detail, endpoint=endpoint)
            ) from None

    return wrapper


def _explain(refusal: ManagementError) -> Sentence:
    if refusal.code in ("oidc.invalid_client", "auth.unauthorized"):
        return _(
            "Logto rejected the machine application (%(told)s): check "
            "LOGTO_MANAGEMENT_APP_ID, LOGTO_MANAGEMENT_APP_SECRET and "
            "LOGTO_MANAGEMENT_TOKEN_ENDPOINT.",
            told=refusal.message,
        )
    if refusal.code in ("oidc.invalid_target", "auth.forbidden"):
        return _(
            "The machine application cannot use the Management API (%(told)s): assign it the "
            "role 'Logto Management API access' and check LOGTO_MANAGEMENT_RESOURCE.",
            told=refusal.message,
        )
    if refusal.code == "organization.role_names_not_found":
        return _("%(told)s Run 'saas-app provision' first.", told=refusal.message)
    if refusal.code.startswith("connector."):
        return _(
            "Logto rejected a connector (%(code)s): %(answer)s",
            code=refusal.code,
            answer=one_line(provider_answer(refusal)),
        )
    return _("Logto rejected the request: %(refusal)s.", refusal=refusal)


env_file_option = click.option(
    "--env-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help=_("A file with KEY=value lines. Environment variables take precedence."),
)


def load_env_files(*files: Path | None) -> None:
    """Add the values of files to the environment, which takes precedence. None is skipped."""
    for file in files:
        if file is not None:
            overlay_environment(file)


def report_failed(failed: list[Failure]) -> None:
    """Print the items for which a job failed, and end with exit code 1 if there are any."""
    for failure in failed:
        say(_("FAILED %(item)s (%(why)s)", item=one_line(failure.item), why=failure.why), err=True)
    if failed:
        raise click.ClickException(_("%(number)s failed. Everything else was completed.", number=len(failed)))

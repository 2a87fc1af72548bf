"""Runs all checks, in the order in which they depend on each other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from saas_app.errors import ConfigurationError
from saas_app.logto.http import open_http
from saas_app.operations.deployment import DeploymentSettings, load_deployment_settings, registration_with
from saas_app.operations.doctor import installation, logto, provisioned
from saas_app.operations.doctor.check import PROVISION, Check
from saas_app.operations.provisioning import Deployment
from saas_app.single_sign_on.broker.registration import Registration
from saas_app.text.translation import _

_TIMEOUT: Final = 5.0  # seconds, for each request


def examine(environ: Mapping[str, str], connectors_file: Path | None = None) -> Iterator[Check]:
    """Yield the result of each check. Checks that depend on a failed one are left out.

    Must not be called in a running event loop.
    """
    yield installation.check_settings()
    declaration, check = installation.check_declaration(environ, connectors_file)
    yield check
    try:
        settings = load_deployment_settings()
    except ConfigurationError as error:
        yield Check(_("deployment"), False, error.message, _("correct the named settings, see .env.example"))
        return
    yield installation.check_database(settings.for_requests)
    yield installation.check_redis()
    yield installation.check_email()
    deployment = replace(settings.deployment, sign_in_methods=declaration)
    endpoint = environ.get("LOGTO_ENDPOINT", "").rstrip("/")
    yield from asyncio.run(_check_over_http(deployment, endpoint, _find_registration(settings, endpoint)))


def _find_registration(settings: DeploymentSettings, endpoint: str) -> Registration | None:
    """Return how Logto should know Workroom, or None without single sign-on or without valid keys."""
    if not settings.single_sign_on:
        return None
    try:
        return registration_with(settings.encryption_keys.get_secret_value(), settings.app_url, endpoint)
    except ConfigurationError:  # the check of the settings has reported it
        return None


async def _check_over_http(
    deployment: Deployment, endpoint: str, registration: Registration | None
) -> list[Check]:
    async with open_http(_TIMEOUT) as http:
        checks = [await installation.check_address(deployment, endpoint, http)]
        if not endpoint:
            return [*checks, Check(_("endpoint"), False, _("LOGTO_ENDPOINT is not set"), PROVISION)]
        checks += await logto.check_logto(endpoint, http)
        if logto.has_responded(checks):
            checks += await provisioned.check_provisioned(deployment, registration, http, patience=_TIMEOUT)
        return checks

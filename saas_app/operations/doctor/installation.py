"""Checks of Workroom itself: settings, declared sign-in methods, database, and the running application."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from saas_app.config import DatabaseLocation, load_settings
from saas_app.errors import ConfigurationError
from saas_app.operations.deployment import is_loopback
from saas_app.operations.doctor.check import PROVISION, Check
from saas_app.operations.migrate import read_state
from saas_app.operations.provisioning import Deployment
from saas_app.operations.sign_in_methods.connector_configs import connectors_of
from saas_app.operations.sign_in_methods.declaration import find_declaration, load_declaration
from saas_app.operations.sign_in_methods.model import Declaration

_SERVE: Final = "saas-app serve --env-file .env"


def check_settings() -> Check:
    """Check whether ``saas-app serve`` would start with this environment."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        return Check("settings", False, str(error), PROVISION)
    return Check("settings", True, f"complete, application {settings.logto_app_id} at {settings.app_url}")


def check_declaration(environ: Mapping[str, str], given: Path | None) -> tuple[Declaration | None, Check]:
    """Check the declared sign-in methods and return them, or None if they are invalid or not declared."""
    path = given or find_declaration(environ)
    if path is None:
        return None, Check("sign-in methods", True, "none declared: Logto's own settings are not changed")
    try:
        declaration = load_declaration(path, environ)
    except ConfigurationError as error:
        return None, Check(
            "sign-in methods",
            False,
            str(error),
            "correct the file, and check it with: saas-app connectors check",
        )
    declared = ", ".join(connector.factory for connector in connectors_of(declaration)) or "no connector"
    return declaration, Check("sign-in methods", True, f"{path} declares {declared}")


def check_database(location: DatabaseLocation) -> Check:
    """Check whether the database responds and is at the newest migration."""
    try:
        state = read_state(location)
    except ConfigurationError as error:
        return Check("database", False, str(error), f"start the database, or correct {location.setting}")
    found = f"at {state.current or 'no migration'}, the newest is {state.newest}"
    return Check("database", state.is_newest, found, "saas-app migrate")


def check_redis() -> Check:
    """Report that shared data is not in Redis, so that nobody looks for it there. It always passes."""
    return Check("redis", True, "not used: sessions, leases and other shared data are in the database")


async def check_address(deployment: Deployment, endpoint: str, http: aiohttp.ClientSession) -> Check:
    """Check whether Workroom responds at ``APP_URL``, and whether Logto can reach it there."""
    address = deployment.app_url
    if _is_local(address) and endpoint and not _is_local(endpoint):
        found = f"{address} is local to this machine: {endpoint} cannot send webhooks to it"
        return Check("address", False, found, f"set APP_URL to a public address, then {PROVISION}")
    try:
        async with http.get(f"{address}/readyz", allow_redirects=False) as response:
            status, text = response.status, await response.text()
    except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError):
        return Check("address", False, f"nothing responds at {address}", f"{_SERVE}, or correct APP_URL")
    if status == 503:
        found = f"Workroom responds at {address}, but it cannot reach its database"
        return Check("address", False, found, "start the database, or restart Workroom")
    if status != 200 or '"database"' not in text:
        found = f"something other than Workroom responds at {address} ({status})"
        return Check("address", False, found, f"correct APP_URL or the proxy, then {_SERVE}")
    return Check("address", True, f"Workroom responds at {address}")


def _is_local(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")

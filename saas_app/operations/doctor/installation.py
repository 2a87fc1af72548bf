"""Checks of Workroom itself: settings, declared sign-in methods, database, and the running application."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from saas_app.config import DatabaseLocation, load_settings
from saas_app.config.addresses import is_loopback
from saas_app.errors import ConfigurationError
from saas_app.notifications.smtp import MailUnavailable, SmtpServer
from saas_app.operations.doctor.check import PROVISION, Check
from saas_app.operations.migrate import read_state
from saas_app.operations.provisioning import Deployment
from saas_app.operations.sign_in_methods.connector_configs import connectors_of
from saas_app.operations.sign_in_methods.declaration import find_declaration, load_declaration
from saas_app.operations.sign_in_methods.model import Declaration
from saas_app.text.translation import _

_SERVE: Final = "saas-app serve --env-file .env"


def check_settings() -> Check:
    """Check whether ``saas-app serve`` would start with this environment."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        return Check(_("settings"), False, error.message, PROVISION)
    return Check(
        _("settings"),
        True,
        _(
            "complete, application %(logto_app_id)s at %(app_url)s",
            logto_app_id=settings.logto_app_id,
            app_url=settings.app_url,
        ),
    )


def check_declaration(environ: Mapping[str, str], given: Path | None) -> tuple[Declaration | None, Check]:
    """Check the declared sign-in methods and return them, or None if they are invalid or not declared."""
    path = given or find_declaration(environ)
    if path is None:
        return None, Check(
            _("sign-in methods"), True, _("none declared: Logto's own settings are not changed")
        )
    try:
        declaration = load_declaration(path, environ)
    except ConfigurationError as error:
        return None, Check(
            _("sign-in methods"),
            False,
            error.message,
            _("correct the file, and check it with: saas-app connectors check"),
        )
    declared = ", ".join(connector.factory for connector in connectors_of(declaration)) or _("no connector")
    return declaration, Check(
        _("sign-in methods"), True, _("%(path)s declares %(declared)s", path=path, declared=declared)
    )


def check_database(location: DatabaseLocation) -> Check:
    """Check whether the database responds and is at the newest migration."""
    try:
        state = read_state(location)
    except ConfigurationError as error:
        return Check(
            _("database"),
            False,
            error.message,
            _("start the database, or correct %(setting)s", setting=location.setting),
        )
    found = _(
        "at %(current)s, the newest is %(newest)s",
        current=state.current or _("no migration"),
        newest=state.newest,
    )
    return Check(_("database"), state.is_newest, found, "saas-app migrate")


def check_redis() -> Check:
    """Report that shared data is not in Redis, so that nobody looks for it there. It always passes."""
    return Check(_("redis"), True, _("not used: sessions, leases and other shared data are in the database"))


def check_email() -> Check:
    """Check whether the mail server of ``SMTP_URL`` responds and accepts the login. Nothing is sent."""
    name = _("email")
    try:
        settings = load_settings()
    except ConfigurationError:
        return Check(name, True, _("not checked, because the settings are incomplete"))
    if not settings.smtp_url.get_secret_value():
        return Check(
            name, True, _("SMTP_URL is not set: people cannot choose emails about their memberships")
        )
    server = SmtpServer.at(settings.smtp_url.get_secret_value())
    place = f"{server.host}:{server.port}"
    try:
        server.check()
    except MailUnavailable as failure:
        found = _("%(place)s cannot be used: %(reason)s", place=place, reason=failure.reason)
        return Check(name, False, found, _("start the mail server, or correct SMTP_URL"))
    return Check(name, True, _("%(place)s responds and accepts the login", place=place))


async def check_address(deployment: Deployment, endpoint: str, http: aiohttp.ClientSession) -> Check:
    """Check whether Workroom responds at ``APP_URL``, and whether Logto can reach it there."""
    address = deployment.app_url
    if _is_local(address) and endpoint and not _is_local(endpoint):
        found = _(
            "%(address)s is local to this machine: %(endpoint)s cannot send webhooks to it",
            address=address,
            endpoint=endpoint,
        )
        return Check(
            _("address"),
            False,
            found,
            _("set APP_URL to a public address, then %(provision)s", provision=PROVISION),
        )
    try:
        async with http.get(f"{address}/readyz", allow_redirects=False) as response:
            status, text = response.status, await response.text()
    except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError):
        return Check(
            _("address"),
            False,
            _("nothing responds at %(address)s", address=address),
            _("%(serve)s, or correct APP_URL", serve=_SERVE),
        )
    if status == 503:
        found = _("Workroom responds at %(address)s, but it cannot reach its database", address=address)
        return Check(_("address"), False, found, _("start the database, or restart Workroom"))
    if status != 200 or '"database"' not in text:
        found = _(
            "something other than Workroom responds at %(address)s (%(status)s)",
            address=address,
            status=str(status),
        )
        return Check(
            _("address"), False, found, _("correct APP_URL or the proxy, then %(serve)s", serve=_SERVE)
        )
    return Check(_("address"), True, _("Workroom responds at %(address)s", address=address))


def _is_local(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")

"""Wiring and nothing else: blueprints, the store's opening and closing, and how errors are rendered."""

from __future__ import annotations

import asyncio
import logging
import re
from functools import partial
from urllib.parse import urlsplit

from quart import Quart, Response, current_app, request
from werkzeug.exceptions import HTTPException, NotFound

from local_logto import absent, maintenance
from local_logto.account import blueprint as account_blueprint
from local_logto.account_api import blueprint as account_api_blueprint
from local_logto.crypto import provider_secrets
from local_logto.crypto.keys import open_keys
from local_logto.crypto.signed_cookies import CookieSigner
from local_logto.errors import OidcError, RequestError, render_oidc_error, render_request_error
from local_logto.experience import blueprint as experience_blueprint
from local_logto.finishing import Finishing
from local_logto.http_layer import complete_response
from local_logto.management import blueprint as management_blueprint
from local_logto.management.seed import seed
from local_logto.oidc import blueprint as oidc_blueprint
from local_logto.oidc.cors import allow_origin
from local_logto.pages import page
from local_logto.received_mail import receiver_for
from local_logto.responses import json_response, text_response
from local_logto.settings import Settings, is_ip_address
from local_logto.store import Store
from local_logto.translation import _, install

logger = logging.getLogger("local_logto")

_PORT = re.compile(r":[0-9]*$")
BODY_LIMIT_BYTES = 1024 * 1024
_NOTHING_HERE = _(
    "This development identity provider has no such page. Open your application and sign in there."
)


def create_app(settings: Settings) -> Quart:
    """Return the provider as an ASGI application. Its store is open while it serves."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    app = Quart("local_logto", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT_BYTES
    app.extensions["settings"] = settings
    app.extensions["store"] = Store(settings.database)
    app.before_serving(partial(_open, app))
    app.after_serving(partial(_close, app))
    for blueprint in (
        oidc_blueprint,
        management_blueprint,
        experience_blueprint,
        account_blueprint,
        account_api_blueprint,
    ):
        app.register_blueprint(blueprint)
    absent.register(app)
    app.before_request(_refuse_foreign_hosts)
    app.before_request(_refuse_doubled_slash)
    install(app.jinja_env)
    app.after_request(complete_response)
    app.after_request(allow_origin)
    app.register_error_handler(OidcError, render_oidc_error)
    app.register_error_handler(RequestError, render_request_error)
    app.register_error_handler(HTTPException, _render_http_error)
    app.register_error_handler(Exception, _render_unexpected)
    app.asgi_app = Finishing(app.asgi_app)  # type: ignore[assignment, method-assign]
    return app


async def _open(app: Quart) -> None:
    store: Store = app.extensions["store"]
    store.open()
    app.extensions["cookie_signer"] = CookieSigner(provider_secrets.read_or_create(store, "cookies"))
    app.extensions["keys"] = open_keys(store)
    seed(store, app.extensions["settings"])
    maintenance.purge(store)
    app.extensions["sweeper"] = asyncio.create_task(maintenance.purge_regularly(store))
    smtp_port = app.extensions["settings"].smtp_port
    app.extensions["smtp"] = await receiver_for(store).listen(smtp_port) if smtp_port else None


async def _close(app: Quart) -> None:
    app.extensions["sweeper"].cancel()
    if app.extensions["smtp"]:
        app.extensions["smtp"].close()
    app.extensions["store"].close()


async def _refuse_foreign_hosts() -> Response | None:
    """Reject foreign host names: DNS rebinding would let other sites read what this server shows."""
    settings: Settings = current_app.extensions["settings"]
    host = _PORT.sub("", request.headers.get("Host", "")).lower()
    if host in ("localhost", urlsplit(settings.endpoint).hostname) or is_ip_address(host):
        return None
    return json_response({"message": "This server does not serve that host name."}, 421)


async def _refuse_doubled_slash() -> None:
    """Answer 404 to ``//oidc/…`` as Logto does, so that clients notice an endpoint with a trailing slash here
    too.
    """
    if request.scope["path"].startswith("//"):
        raise NotFound


async def _render_http_error(error: HTTPException) -> Response:
    """Render an error of the framework: a page if the browser asks for one, otherwise JSON or text."""
    status = error.code or 500
    if request.path.startswith("/oidc"):
        route = f"{request.method} on {request.path.removeprefix('/oidc') or '/'}"
        refusal = OidcError(404, "invalid_request", f"unrecognized route or not allowed method ({route})")
        return await render_oidc_error(refusal)
    if request.path.startswith("/api"):
        return text_response(error.name, status)
    if "text/html" not in request.accept_mimetypes.values():
        return json_response({"message": error.name}, status)
    title = _("Page not found") if status == 404 else _("This request is not possible")
    response = await page("notice.html", title=title, text=_NOTHING_HERE, links=[])
    response.status_code = status
    return response


async def _render_unexpected(error: Exception) -> Response:
    logger.error("unexpected error on %s %s", request.method, request.path, exc_info=error)
    if request.path.startswith("/oidc"):
        return await render_oidc_error(OidcError(500, "server_error", "oops! something went wrong"))
    return json_response({"message": "Internal server error."}, 500)

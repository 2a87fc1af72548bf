"""Where Logto and the providers of companies reach us: we are the one's provider, and the others' client."""

from __future__ import annotations

from typing import Any, Final

from quart import Blueprint, redirect, request
from quart.typing import ResponseReturnValue

from saas_app.errors import NotFound
from saas_app.single_sign_on.broker.registration import PREFIX
from saas_app.single_sign_on.broker.service import Broker, Callback
from saas_app.single_sign_on.broker.signing import KEYS_PATH, LIFETIME, metadata_of
from saas_app.text.translation import _
from saas_app.web.context import browser, runtime
from saas_app.web.guards import public, public_webhook, public_without_database
from saas_app.web.limits import limited_by_address
from saas_app.web.notices import notify
from saas_app.web.prefetches import only_deliberately
from saas_app.web.templating import render
from saas_app.web.to_logto import bound_to_attempt
from saas_app.web.visitors import find_principal

blueprint = Blueprint("broker", __name__)

_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@blueprint.get(f"{PREFIX}/<connector_id>/.well-known/openid-configuration")
@public_without_database
async def show_metadata(connector_id: str) -> ResponseReturnValue:
    """Publish what Logto must know. It is the same for connectors that do not exist."""
    return metadata_of(offered_broker().registration, connector_id)


@blueprint.get(KEYS_PATH)
@public_without_database
async def show_keys() -> ResponseReturnValue:
    """Publish the keys that verify our ID tokens."""
    return offered_broker().signer.published_keys()


@blueprint.get(f"{PREFIX}/<connector_id>/authorize")
@limited_by_address
@public
@only_deliberately
async def authorize(connector_id: str) -> ResponseReturnValue:
    """Send a browser that comes from Logto to the provider of its company."""
    visitor = browser(request)
    way = await offered_broker().depart(connector_id, request.args.to_dict(), visitor.attempt_cookie)
    return bound_to_attempt(redirect(way.url, 303), visitor, way.browser_cookie)


@blueprint.get(f"{PREFIX}/<connector_id>/callback")
@limited_by_address
@public
@only_deliberately
async def come_back(connector_id: str) -> ResponseReturnValue:
    """Verify what the company's provider says, and go on: to Logto, or to the page of a test.

    A page leads to Logto, not a redirect: the provider's own page may let its form lead to us only.
    """
    principal = await find_principal()
    landing = await offered_broker().come_back(
        connector_id,
        _callback(),
        browser(request).attempt_cookie,
        None if principal is None else principal.subject,
    )
    if landing.is_test:
        await notify(_("The test succeeded."))
        return redirect(landing.url, 303)
    return render("single_sign_on/moving_on.html", url=landing.url)


@blueprint.post(f"{PREFIX}/<connector_id>/token")
@public_webhook
async def exchange(connector_id: str) -> ResponseReturnValue:
    """Give Logto the ID token for a code of ours (RFC 6749 §4.1.3)."""
    registration = offered_broker().registration
    form, credentials = await request.form, request.authorization
    if (
        credentials is None
        or credentials.type != "basic"
        or credentials.username != connector_id
        or not registration.is_secret(connector_id, credentials.password or "")
    ):
        challenge = {**_NO_STORE, "WWW-Authenticate": 'Basic realm="Workroom"'}
        return {"error": "invalid_client"}, 401, challenge
    if form.get("grant_type") != "authorization_code":
        return {"error": "unsupported_grant_type"}, 400, _NO_STORE
    is_expected = form.get("redirect_uri") == registration.logto_callback(connector_id)
    token = await offered_broker().redeem(connector_id, form.get("code", "")) if is_expected else None
    if token is None:
        return {"error": "invalid_grant"}, 400, _NO_STORE
    answer: dict[str, Any] = {"id_token": token, "token_type": "Bearer", "expires_in": LIFETIME}
    # Logto 1.42 wants an access token. This one opens nothing: we have no userinfo endpoint.
    return {**answer, "access_token": "none"}, 200, _NO_STORE


def _callback() -> Callback:
    only = {name: values[0] for name, values in request.args.lists() if len(values) == 1}
    return Callback(*(only.get(name, "") for name in ("state", "code", "error", "iss")))


def offered_broker() -> Broker:
    """Return the broker. Raises :class:`NotFound` in an installation that does not offer single sign-on."""
    found = runtime().broker
    if found is None:
        raise NotFound(_("This page does not exist, or you do not have access to it."))
    return found

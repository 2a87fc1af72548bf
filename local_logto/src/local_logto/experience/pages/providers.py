"""Going to a provider and coming back: /direct/<method>/<target> and /callback/<connector id>.

A button posts to the first. An application links to it with ``direct_sign_in=social:<target>`` or
``sso:<connector id>``.
"""

from __future__ import annotations

from urllib.parse import urlencode

from quart import Blueprint, Response, request

from local_logto.context import origin_of
from local_logto.errors import RequestError
from local_logto.experience.departures import AnyProof, accept_return, depart_from_page, find_waiting
from local_logto.experience.flow import switch_event
from local_logto.experience.json_access import mapping
from local_logto.experience.pages.gateways import Gateway, find_gateway, find_gateway_of
from local_logto.experience.pages.responses import go_to, move_on, page_url, show_notice, sign_in_page
from local_logto.experience.pages.steps import complete
from local_logto.experience.session import ExperienceSession
from local_logto.experience.state import Event, Experience
from local_logto.oidc.session.interactions import find_interaction_by_uid, interaction_uids
from local_logto.responses import redirect_response
from local_logto.translation import _

blueprint = Blueprint("providers", __name__)
_UNKNOWN = ("user.identity_not_exist", "user.sso_identity_not_exist")
_FIRST_SCREENS = ("sign-in", "register", "reset-password", "identifier-sign-in", "identifier-register")


@blueprint.get("/direct/<method>")
@blueprint.route("/direct/<method>/<target>", methods=["GET", "POST"])
@sign_in_page
async def direct_sign_in(session: ExperienceSession, method: str, target: str = "") -> Response:
    """Go to the provider, or to the ``fallback`` page if it is not offered, as Logto does."""
    gateway = find_gateway(session, method, target)
    if gateway is None:
        fallback = request.args.get("fallback", "")
        return go_to(f"/{fallback}" if fallback in _FIRST_SCREENS else "/sign-in")
    address = _return_address(gateway.connector_id)
    try:
        uri = await depart_from_page(session, gateway.depart, gateway.connector_id, address)
    except RequestError as error:
        return await _show_failure(gateway, error)
    return redirect_response(uri) if request.method == "POST" else await move_on(uri)


@blueprint.get("/callback/<connector_id>")
async def callback(connector_id: str) -> Response:
    """Handle the provider's redirect. The state says which of the browser's sign-ins it belongs to."""
    if "app_id" not in request.args:
        client_id = _find_waiting_application(connector_id)
        if client_id is not None:
            query = urlencode([*request.args.items(multi=True), ("app_id", client_id)])
            return await move_on(f"{request.path}?{query}")
    return await _come_back(connector_id)


def _find_waiting_application(connector_id: str) -> str | None:
    state = request.args.get("state", "")
    for uid in interaction_uids(request).values():
        interaction = find_interaction_by_uid(uid)
        if interaction is None or not interaction.experience:
            continue
        if find_waiting(Experience.from_json(interaction.experience), connector_id, state):
            return interaction.client_id
    return None


@sign_in_page
async def _come_back(session: ExperienceSession, connector_id: str) -> Response:
    proof = await accept_return(session, connector_id, request.args.get("state", ""))
    gateway = find_gateway_of(session, proof) if proof else None
    if gateway is None or proof is None:
        return await _show_foreign_return()
    if "error" in request.args or "code" not in request.args:
        return await _show_declined(gateway)
    data = {"redirectUri": _return_address(connector_id), "code": request.args["code"]}
    try:
        await gateway.verify(session, connector_id, proof.id, data)
        return await _sign_in(session, proof)
    except RequestError as error:
        return await _show_failure(gateway, error)


async def _sign_in(session: ExperienceSession, proof: AnyProof) -> Response:
    """Sign in to the account of this identity, then to the one with its email address, otherwise to a new
    one.
    """
    try:
        return await complete(session, proof.id)
    except RequestError as error:
        if error.code not in _UNKNOWN:
            raise
        data = error.data if isinstance(error.data, dict) else {}
        if mapping(data, "relatedUser"):
            if session.settings.social.links_automatically:
                return await complete(session, proof.id, links_social=True)
            return go_to(f"/social/link/{proof.connector_id}")
        if session.settings.sign_in_mode == "SignIn":
            raise
    await switch_event(session, Event.REGISTER)
    return await complete(session, proof.id)


def _return_address(connector_id: str) -> str:
    return f"{origin_of(request)}/callback/{connector_id}"


async def _show_foreign_return() -> Response:
    return await show_notice(
        _("This sign-in is no longer valid"),
        _(
            "It was already used, replaced by a newer sign-in, or started in another browser. "
            "Nothing was changed."
        ),
        links=((_("Try another way"), page_url("/sign-in")),),
        status=403,
    )


async def _show_declined(gateway: Gateway) -> Response:
    name = gateway.name
    return await show_notice(
        _("You did not continue with %(name)s", name=name),
        _(
            "%(name)s reported that you did not agree. Nothing was shared, and nothing was changed here.",
            name=name,
        ),
        links=_ways_on(gateway),
        status=403,
    )


async def _show_failure(gateway: Gateway, error: RequestError) -> Response:
    """Show why the sign-in failed: an error of the provider, or a rule of this server."""
    name = gateway.name
    if not error.code.startswith("connector."):
        return await show_notice(
            _("You cannot sign in with %(name)s", name=name),
            error.message,
            links=_ways_on(gateway),
            status=error.status,
        )
    return await show_notice(
        _("Signing in with %(name)s failed", name=name),
        _(
            "Nothing was changed. Try again in a moment, or sign in another way. If the problem persists, "
            "ask an administrator to check the connector’s settings (%(code)s).",
            code=error.code,
        ),
        links=_ways_on(gateway),
        status=502,
    )


def _ways_on(gateway: Gateway) -> tuple[tuple[str, str], ...]:
    return (
        (_("Try another way"), page_url("/sign-in")),
        (_("Continue with %(name)s again", name=gateway.name), page_url(gateway.path)),
    )

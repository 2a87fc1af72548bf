"""Going to a social provider and coming back: /direct/social/<target> and /callback/<connector id>.

A button posts to the first. An application links to it with ``direct_sign_in=social:<target>``.
"""

from __future__ import annotations

from urllib.parse import urlencode

from quart import Blueprint, Response, request

from local_logto.connectors.registry import Connector, find_connector_by_id
from local_logto.context import origin_of
from local_logto.errors import RequestError
from local_logto.experience.flow import switch_event
from local_logto.experience.json_access import mapping
from local_logto.experience.pages.responses import go_to, page_url, show_notice, sign_in_page
from local_logto.experience.pages.social_buttons import name_of
from local_logto.experience.pages.steps import complete
from local_logto.experience.session import ExperienceSession
from local_logto.experience.social import (
    accept_return,
    depart_from_page,
    is_waiting_for,
    list_social_connectors,
    verify_social,
)
from local_logto.experience.social_proof import SocialProof
from local_logto.experience.state import Event, Experience
from local_logto.oidc.session.interactions import find_interaction_by_uid, interaction_uids
from local_logto.responses import redirect_response
from local_logto.translation import _

blueprint = Blueprint("social", __name__)
_FIRST_SCREENS = ("sign-in", "register", "reset-password", "identifier-sign-in", "identifier-register")


@blueprint.get("/direct/<method>")
@blueprint.route("/direct/<method>/<target>", methods=["GET", "POST"])
@sign_in_page
async def direct_sign_in(session: ExperienceSession, method: str, target: str = "") -> Response:
    """Redirect to the provider, or to the ``fallback`` page if there is no such button, as Logto does."""
    connectors = list_social_connectors(session) if method == "social" else ()
    connector = next((one for one in connectors if one.target == target), None)
    if connector is None:
        fallback = request.args.get("fallback", "")
        return go_to(f"/{fallback}" if fallback in _FIRST_SCREENS else "/sign-in")
    try:
        return redirect_response(await depart_from_page(session, connector, _return_address(connector.id)))
    except RequestError as error:
        return await _show_failure(connector, error)


@blueprint.get("/callback/<connector_id>")
async def callback(connector_id: str) -> Response:
    """Handle the provider's redirect. The state says which of the browser's sign-ins it belongs to."""
    if "app_id" not in request.args:
        client_id = _find_waiting_application(connector_id)
        if client_id is not None:
            query = urlencode([*request.args.items(multi=True), ("app_id", client_id)])
            return redirect_response(f"{request.path}?{query}")
    return await _come_back(connector_id)


def _find_waiting_application(connector_id: str) -> str | None:
    state = request.args.get("state", "")
    for uid in interaction_uids(request).values():
        interaction = find_interaction_by_uid(uid)
        if interaction is None or not interaction.experience:
            continue
        if is_waiting_for(Experience.from_json(interaction.experience).social, connector_id, state):
            return interaction.client_id
    return None


@sign_in_page
async def _come_back(session: ExperienceSession, connector_id: str) -> Response:
    connector = find_connector_by_id(session.store, connector_id)
    proof = await accept_return(session, connector_id, request.args.get("state", ""))
    if connector is None or proof is None:
        return await _show_foreign_return()
    if "error" in request.args or "code" not in request.args:
        return await _show_declined(connector)
    data = {"redirectUri": _return_address(connector_id), "code": request.args["code"]}
    try:
        await verify_social(session, connector_id, proof.id, data)
        return await _sign_in(session, proof)
    except RequestError as error:
        return await _show_failure(connector, error)


async def _sign_in(session: ExperienceSession, proof: SocialProof) -> Response:
    """Sign in to the account of this identity, then to the one with its email address, otherwise to a new
    one.
    """
    try:
        return await complete(session, proof.id)
    except RequestError as error:
        if error.code != "user.identity_not_exist":
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


async def _show_declined(connector: Connector) -> Response:
    name = name_of(connector)
    return await show_notice(
        _("You did not continue with %(name)s", name=name),
        _(
            "%(name)s reported that you did not agree. Nothing was shared, and nothing was changed here.",
            name=name,
        ),
        links=_ways_on(connector),
        status=403,
    )


async def _show_failure(connector: Connector, error: RequestError) -> Response:
    """Show why the sign-in failed: an error of the provider, or a rule of this server."""
    name = name_of(connector)
    if not error.code.startswith("connector."):
        return await show_notice(
            _("You cannot sign in with %(name)s", name=name),
            error.message,
            links=_ways_on(connector),
            status=error.status,
        )
    return await show_notice(
        _("Signing in with %(name)s failed", name=name),
        _(
            "Nothing was changed. Try again in a moment, or sign in another way. If the problem persists, "
            "ask an administrator to check the connector’s settings (%(code)s).",
            code=error.code,
        ),
        links=_ways_on(connector),
        status=502,
    )


def _ways_on(connector: Connector) -> tuple[tuple[str, str], ...]:
    again = page_url(f"/direct/social/{connector.target}")
    return (
        (_("Try another way"), page_url("/sign-in")),
        (_("Continue with %(name)s again", name=name_of(connector)), again),
    )

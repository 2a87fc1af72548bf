"""Where the link of an invitation leads."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from quart import Blueprint, flash, redirect, render_template, request, url_for

from saas_app.identity.principal import Principal
from saas_app.invitations import acceptance
from saas_app.invitations.changes import InvitationSettled
from saas_app.web.context import management, runtime
from saas_app.web.guards import find_principal, public, signed_in

blueprint = Blueprint("acceptance", __name__, url_prefix="/invitations/<invitation_id>")


@blueprint.get("")
@public
async def show(invitation_id: str) -> Any:
    """Who invites whom where as what, for whom it is meant; for a stranger the way to sign in or up."""
    principal = await find_principal()
    if principal is None:
        way_back = urlencode({"next": request.path})
        return await render_template("invitations/stranger.html", way_back=way_back)
    return await _show_offer(principal, invitation_id)


@blueprint.post("/accept")
@signed_in
async def accept(principal: Principal, invitation_id: str) -> Any:
    """Accept, then renew access at once: the grant does not know the new organization yet."""
    try:
        accepted = await acceptance.accept(
            runtime().work, management(), runtime().change_limits, principal, invitation_id
        )
    except InvitationSettled as error:
        return await _show_offer(principal, invitation_id), error.status
    await flash("Welcome. This is where you work together from now on.", "success")
    home = url_for("organizations.overview", organization_id=accepted.organization_id)
    return redirect(url_for("identity.renew", next=home), 303)


@blueprint.errorhandler(acceptance.NotInvited)
async def not_invited(error: acceptance.NotInvited) -> Any:
    """The same for a wrong id and for somebody else's invitation."""
    return await render_template("invitations/not_invited.html", error=error), error.status


async def _show_offer(principal: Principal, invitation_id: str) -> str:
    offer = await acceptance.get_offer(runtime().work, management(), principal, invitation_id)
    return await render_template("invitations/offer.html", offer=offer)

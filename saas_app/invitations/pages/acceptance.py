"""Pages for invited people, to which the link of an invitation leads."""

from __future__ import annotations

from urllib.parse import urlencode

from quart import Blueprint, redirect, request, url_for
from quart.typing import ResponseReturnValue

from saas_app.identity.principal import Principal
from saas_app.invitations import service
from saas_app.invitations.changes import accepting
from saas_app.invitations.forms import NameForm
from saas_app.invitations.values import InvitationSettled, NameNeeded, NotInvited
from saas_app.text.translation import _
from saas_app.web.context import management, runtime, systems
from saas_app.web.guards import public, signed_in
from saas_app.web.limits import limited_by_address
from saas_app.web.notices import notify
from saas_app.web.templating import render
from saas_app.web.to_logto import to_logto
from saas_app.web.visitors import find_principal

blueprint = Blueprint("acceptance", __name__, url_prefix="/invitations/<invitation_id>")


@blueprint.get("")
@public
async def show(invitation_id: str) -> ResponseReturnValue:
    """Show the invitation to the invited person. Visitors who are not signed in see how to sign in or up."""
    principal = await find_principal()
    if principal is None:
        proof = request.args.get("mail", "")
        return render(
            "invitations/stranger.html",
            way_back=urlencode({"next": request.path}),
            invitation_id=invitation_id,
            proof=proof,
            address=runtime().invitation_links.read_address(invitation_id, proof),
        )
    return await _show_offer(principal, invitation_id, NameForm())


@blueprint.post("/begin")
@limited_by_address
@public
async def begin(invitation_id: str) -> ResponseReturnValue:
    """Start the sign-in or sign-up of the invited person, with the invited address."""
    proof = (await request.form).get("mail", "")
    links = runtime().invitation_links
    options = await accepting.start_sign_in(management(), links, invitation_id, proof)
    return await to_logto(options, next_path=url_for("acceptance.show", invitation_id=invitation_id))


@blueprint.post("/accept")
@signed_in
async def accept(principal: Principal, invitation_id: str) -> ResponseReturnValue:
    """Accept the invitation, then renew access, because the grant does not cover the organization yet."""
    form = NameForm(await request.form)
    if not form.validate():
        return await _show_offer(principal, invitation_id, form), 422
    name = form.name.data or ""
    try:
        accepted = await accepting.accept(systems(), principal, invitation_id, name)
    except InvitationSettled as error:
        return await _show_offer(principal, invitation_id, form), error.status
    except NameNeeded as error:
        form.name.errors = list(error.fields.values())
        return await _show_offer(principal, invitation_id, form), error.status
    await notify(_("Welcome to the organization."))
    home = url_for("organizations.overview", organization_id=accepted.organization_id)
    return redirect(url_for("identity.renew", next=home), 303)


@blueprint.errorhandler(NotInvited)
async def not_invited(error: NotInvited) -> ResponseReturnValue:
    """Show one page for a wrong id and for somebody else's invitation."""
    return render("invitations/not_invited.html", error=error), error.status


async def _show_offer(principal: Principal, invitation_id: str, form: NameForm) -> str:
    offer = await service.get_offer(runtime().work, management(), principal, invitation_id)
    return render("invitations/offer.html", offer=offer, form=form)

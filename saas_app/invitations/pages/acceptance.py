"""Pages for invited people, to which the link of an invitation leads.

The emailed link carries a proof in its query. Opening the page uses nothing up, so link scanners do no harm:
only the button signs in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from quart import Blueprint, redirect, request, url_for
from quart.typing import ResponseReturnValue

from saas_app.identity.logto_messages import SignInOptions
from saas_app.identity.principal import Principal
from saas_app.invitations import service
from saas_app.invitations.changes import accepting
from saas_app.invitations.changes.signing_in import renew_link, signing_in
from saas_app.invitations.forms import NameForm
from saas_app.invitations.links import PROOF_FIELD, Proof
from saas_app.invitations.values import InvitationSettled, LinkStanding, NameNeeded, NotInvited
from saas_app.text.addresses import same_address
from saas_app.text.translation import _
from saas_app.web.context import management, runtime, systems
from saas_app.web.guards import public, signed_in
from saas_app.web.limits import limited_by_address
from saas_app.web.notices import WELCOME, notify
from saas_app.web.templating import render
from saas_app.web.to_logto import to_logto
from saas_app.web.visitors import find_principal

blueprint = Blueprint("acceptance", __name__, url_prefix="/invitations/<invitation_id>")


_SENT: Final = "sent"


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """An emailed link as its page shows it. ``sealed`` is its proof as it was received.

    ``was_renewed``: the reader has just asked for a new one.
    """

    proof: Proof
    sealed: str
    standing: LinkStanding
    was_renewed: bool

    @property
    def address(self) -> str:
        """The address that received the email."""
        return self.proof.address


@blueprint.get("")
@public
async def show(invitation_id: str) -> ResponseReturnValue:
    """Show the invitation to the invited person. Visitors who are not signed in see how to sign in or up."""
    principal = await find_principal()
    if principal is None:
        return await _show_to_visitor(invitation_id, request.args.get(PROOF_FIELD, ""))
    return await _show_offer(principal, invitation_id, NameForm())


@blueprint.post("/begin")
@limited_by_address
@public
async def begin(invitation_id: str) -> ResponseReturnValue:
    """Sign in the person whose address received the email. The link does that once."""
    sealed = (await request.form).get(PROOF_FIELD, "")
    back = url_for("acceptance.show", invitation_id=invitation_id)
    proof = runtime().invitation_links.read(invitation_id, sealed)
    if proof is None:
        return await to_logto(SignInOptions(first_screen="register"), next_path=back)
    async with signing_in(systems(), proof) as options:
        if options is not None:
            return await to_logto(options, next_path=back)
    return await _show_to_visitor(invitation_id, sealed), 409


@blueprint.post("/link")
@limited_by_address
@public
async def send_link(invitation_id: str) -> ResponseReturnValue:
    """Email a new link to the address that received an older one. The answer tells nothing else."""
    sealed = (await request.form).get(PROOF_FIELD, "")
    links = runtime().invitation_links
    proof = links.read(invitation_id, sealed)
    if proof is None:
        return redirect(url_for("acceptance.show", invitation_id=invitation_id), 303)
    await renew_link(systems(), links, proof)
    shown = {PROOF_FIELD: sealed, _SENT: "yes"}
    return redirect(url_for("acceptance.show", invitation_id=invitation_id, **shown), 303)


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
    await notify(_("Welcome to the organization."), WELCOME)
    home = url_for("organizations.overview", organization_id=accepted.organization_id)
    return redirect(url_for("identity.renew", next=home), 303)


@blueprint.errorhandler(NotInvited)
async def not_invited(error: NotInvited) -> ResponseReturnValue:
    """Show one page for a wrong id and for somebody else's invitation.

    Only the proof from an email adds the address that received it.
    """
    invitation_id = (request.view_args or {})["invitation_id"]
    link = await _open_link(invitation_id, request.args.get(PROOF_FIELD, ""))
    if link is not None and same_address(error.email, link.address):
        link = None  # the invitation is gone
    if link is not None:
        error.title = _("This invitation is for another address")
    page = render("invitations/not_invited.html", error=error, invitation_id=invitation_id, link=link)
    return page, error.status


async def _show_to_visitor(invitation_id: str, sealed: str) -> str:
    path = url_for("acceptance.show", invitation_id=invitation_id)
    link = await _open_link(invitation_id, sealed)
    # With a hint, Logto would still continue as somebody else who is signed in there.
    hint = {} if link is None else {"login_hint": link.address, "prompt": "login"}
    return render(
        "invitations/stranger.html",
        way_back=urlencode({"next": path}),
        way_back_with_hint=urlencode({"next": path, **hint}),
        invitation_id=invitation_id,
        link=link,
    )


async def _open_link(invitation_id: str, sealed: str) -> OpenedLink | None:
    """Return the emailed link that leads here, or None without a valid proof. Nothing is used up."""
    proof = runtime().invitation_links.read(invitation_id, sealed)
    if proof is None:
        return None
    standing = await service.get_standing(runtime().work, proof)
    return OpenedLink(proof, sealed, standing, was_renewed=_SENT in request.args)


async def _show_offer(principal: Principal, invitation_id: str, form: NameForm) -> str:
    offer = await service.get_offer(runtime().work, management(), principal, invitation_id)
    return render("invitations/offer.html", offer=offer, form=form)

"""A verified address without an account at sign-in, or with one at sign-up.

The code is used, but its proof stays valid: one button switches to the other flow.
"""

from __future__ import annotations

from quart import Blueprint, Response

from local_logto.experience.flow import switch_event
from local_logto.experience.pages.forms import FormPage, Link
from local_logto.experience.pages.identifiers import shown
from local_logto.experience.pages.responses import answer_form, go_to, page_url, show_notice, sign_in_page
from local_logto.experience.pages.steps import complete, find_sent_code, is_underway
from local_logto.experience.session import ExperienceSession
from local_logto.experience.state import Event, VerificationRecord
from local_logto.translation import _

blueprint = Blueprint("unexpected_accounts", __name__)
_METHODS = ["GET", "POST"]
_KINDS = {"email": _("email"), "phone": _("phone number")}


@blueprint.route("/sign-in/no-account", methods=_METHODS)
@sign_in_page
async def no_account(session: ExperienceSession) -> Response:
    """Offer to create an account with the address that was just verified."""
    proof = _find_proof(session, Event.SIGN_IN)
    if proof is None:
        return go_to("/sign-in")
    kind, address = _KINDS[proof.identifier.type], shown(proof.identifier)
    if not session.settings.registers_by_code(proof.identifier.type):
        return await show_notice(
            _("No account found"),
            _("The account with %(kind)s %(address)s does not exist.", kind=kind, address=address),
            links=((_("Change %(what)s", what=kind), page_url("/sign-in")),),
        )
    text = _("No account found for %(address)s. Create a new one?", address=address)
    page = _page(_("Create your account"), text, "/sign-in")
    return await _offer_switch(session, page, proof, Event.REGISTER)


@blueprint.route("/register/account-exists", methods=_METHODS)
@sign_in_page
async def account_exists(session: ExperienceSession) -> Response:
    """Offer to sign in to the account with the address that was just verified."""
    proof = _find_proof(session, Event.REGISTER)
    if proof is None:
        return go_to("/register")
    kind, address = _KINDS[proof.identifier.type], shown(proof.identifier)
    if not session.settings.signs_in_by_code(proof.identifier.type):
        return await show_notice(
            _("This account already exists"),
            _(
                "The account with %(kind)s %(address)s is linked to another account. "
                "Please try another %(kind)s.",
                kind=kind,
                address=address,
            ),
            links=(
                (_("Change %(what)s", what=kind), page_url("/register")),
                (_("Sign in"), page_url("/sign-in")),
            ),
        )
    text = _("An account with %(address)s already exists. Continue to sign in.", address=address)
    page = _page(_("Sign in to your account"), text, "/register")
    return await _offer_switch(session, page, proof, Event.SIGN_IN)


def _find_proof(session: ExperienceSession, event: Event) -> VerificationRecord | None:
    sent = find_sent_code(session) if is_underway(session, event) else None
    return sent if sent and sent.verified else None


def _page(title: str, text: str, back: str) -> FormPage:
    return FormPage(title, _("Continue"), (), text, links=(Link(_("Back"), page_url(back)),))


async def _offer_switch(
    session: ExperienceSession, page: FormPage, proof: VerificationRecord, event: Event
) -> Response:
    async def switch(session: ExperienceSession, _page: FormPage) -> Response:
        await switch_event(session, event)
        return await complete(session, proof.id)

    return await answer_form(session, page, switch)

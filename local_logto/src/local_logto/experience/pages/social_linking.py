"""Linking a social identity to an existing account, by the provider's email address or by a code."""

from __future__ import annotations

from quart import Blueprint, Response

from local_logto.connectors.registry import find_connector_by_id
from local_logto.errors import RequestError
from local_logto.experience.flow import identify, switch_event
from local_logto.experience.pages.forms import FormPage, Link, SideAction
from local_logto.experience.pages.identifiers import shown
from local_logto.experience.pages.responses import answer_form, go_to, page_url, sign_in_page
from local_logto.experience.pages.social_buttons import name_of
from local_logto.experience.pages.steps import complete, find_sent_code
from local_logto.experience.profile import add_social_identity, add_verified_address
from local_logto.experience.session import ExperienceSession
from local_logto.experience.social import find_related_user
from local_logto.experience.social_proof import SocialProof
from local_logto.experience.state import Event, VerificationRecord
from local_logto.translation import _

blueprint = Blueprint("social_linking", __name__)
_METHODS = ["GET", "POST"]
_TAKEN = ("user.email_already_in_use", "user.phone_already_in_use")
_KINDS = {"email": _("email"), "phone": _("phone number")}
_LINK = {
    (): _("Link or create account"),
    ("email",): _("Link email"),
    ("phone",): _("Link phone"),
    ("email", "phone"): _("Link email or phone"),
}
_CREATE = {
    (): _("Create new one instead"),
    ("email",): _("Link another email"),
    ("phone",): _("Link another phone"),
    ("email", "phone"): _("Link another email or phone"),
}


@blueprint.route("/social/link/<connector_id>", methods=_METHODS)
@sign_in_page
async def link_related_account(session: ExperienceSession, connector_id: str) -> Response:
    """Offer to link the account that has the identity's email address, which the provider has verified."""
    proof = _find_verified(session)
    connector = find_connector_by_id(session.store, connector_id)
    if proof is None or proof.user is None or connector is None or proof.connector_id != connector.id:
        return go_to("/sign-in")
    if not find_related_user(session, proof.user):
        return go_to("/sign-in")

    async def link(session: ExperienceSession, _page: FormPage) -> Response:
        await switch_event(session, Event.SIGN_IN)
        return await complete(session, proof.id, links_social=True)

    async def create(session: ExperienceSession, _page: FormPage) -> Response:
        await switch_event(session, Event.REGISTER)
        return await complete(session, proof.id)

    page = _related_page(session, name_of(connector), proof.user.email or "")
    return await answer_form(session, page, link, create)


def _related_page(session: ExperienceSession, provider: str, email: str) -> FormPage:
    kinds = tuple(kind for kind in ("email", "phone") if kind in session.settings.sign_up_identifiers)
    may_create = session.settings.sign_in_mode != "SignIn"
    create = SideAction(_CREATE[kinds], "create", _("Skip linking to existing account?"))
    return FormPage(
        _LINK[kinds],
        _("Link with %(address)s", address=_masked(email)),
        (),
        description=_(
            "An account with the email address from %(name)s already exists. Link it to sign in either way.",
            name=provider,
        ),
        side_actions=(create,) if may_create else (),
        links=(Link(_("Try another way"), page_url("/sign-in")),),
    )


def _masked(email: str) -> str:
    """Return enough of the address for its owner to recognize it."""
    name, _, domain = email.partition("@")
    return f"{name[:2]}****@{domain}" if len(name) > 3 else f"****@{domain}"


async def add_address_or_link(session: ExperienceSession, proof: VerificationRecord) -> Response:
    """Add the verified address to the account, or offer to link the account that has it.

    The offer is made only to people who came with a social identity. Others get the error.
    """
    try:
        await add_verified_address(session, proof.identifier.type, proof.id)
    except RequestError as error:
        if error.code not in _TAKEN or _find_verified(session) is None:
            raise
        return go_to("/continue/link-account")
    return await complete(session)


@blueprint.route("/continue/link-account", methods=_METHODS)
@sign_in_page
async def link_proved_account(session: ExperienceSession) -> Response:
    """Offer to link the account whose address the person has just verified with a code."""
    proof, sent = _find_verified(session), find_sent_code(session)
    if proof is None or sent is None or not sent.verified:
        return go_to("/sign-in")
    kind = sent.identifier.type

    async def link(session: ExperienceSession, _page: FormPage) -> Response:
        await switch_event(session, Event.SIGN_IN)
        await identify(session, sent.id)
        await add_social_identity(session, proof.id)
        return await complete(session)

    page = FormPage(
        _LINK[kind,],
        _("Link and continue"),
        (),
        description=_(
            "The account with %(kind)s %(address)s already exists. Would you like to link?",
            kind=_KINDS[kind],
            address=shown(sent.identifier),
        ),
        links=(Link(_("Change %(what)s", what=_KINDS[kind]), page_url(f"/continue/{kind}")),),
    )
    return await answer_form(session, page, link)


def _find_verified(session: ExperienceSession) -> SocialProof | None:
    proof = session.begun.social if session.begun else None
    return proof if proof and proof.user else None

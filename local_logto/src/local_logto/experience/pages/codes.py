"""Entering a code that was sent: /<flow>/verification-code."""

from __future__ import annotations

from quart import Blueprint, Response, request

from local_logto.errors import RequestError
from local_logto.experience.code_delivery import goes_to_messages_page
from local_logto.experience.flow import identify
from local_logto.experience.pages.forms import FormPage, Link, code_field
from local_logto.experience.pages.identifiers import shown
from local_logto.experience.pages.resending import SENT_AGAIN, with_resend
from local_logto.experience.pages.responses import (
    answer_form,
    first_page_url,
    go_to,
    page_url,
    sign_in_page,
)
from local_logto.experience.pages.social_linking import add_address_or_link
from local_logto.experience.pages.steps import complete, find_sent_code, send_code_to
from local_logto.experience.session import ExperienceSession
from local_logto.experience.state import VerificationRecord
from local_logto.experience.verification import verify_code
from local_logto.translation import _, ngettext, paragraph

blueprint = Blueprint("codes", __name__)
_METHODS = ["GET", "POST"]
_DIGITS = 6
_ALL_OPTIONS = {
    "sign-in": (_("All sign-in options"), "/sign-in"),
    "register": (_("All account creation options"), "/register"),
    "forgot-password": (_("All sign-in options"), "/sign-in"),
    "continue": (_("All sign-in options"), "/sign-in"),
}
_PATHS_OF_UNEXPECTED_ACCOUNTS = {
    "user.user_not_exist": "/sign-in/no-account",
    "user.email_already_in_use": "/register/account-exists",
    "user.phone_already_in_use": "/register/account-exists",
}


@blueprint.route(
    "/<any('sign-in', 'register', 'forgot-password', 'continue'):flow>/verification-code", methods=_METHODS
)
@sign_in_page
async def verification_code(session: ExperienceSession, flow: str) -> Response:
    sent = find_sent_code(session)
    if sent is None:
        return go_to("/sign-in" if flow == "continue" else f"/{flow}")

    async def resend(session: ExperienceSession, _page: FormPage) -> Response:
        await send_code_to(session, sent.identifier, session.experience.event)
        return go_to(request.path, notice=SENT_AGAIN)

    async def check(session: ExperienceSession, page: FormPage) -> Response:
        await verify_code(session, sent.id, sent.identifier, _read_code(page.value("code")))
        return await _continue_after_proof(session, flow, sent)

    page = with_resend(session.store, sent.id, _page(session, flow, sent))
    return await answer_form(session, page, check, resend)


def _read_code(typed: str) -> str:
    """Return the digits without separators. Raises 422 for input that can't be a code, so that it costs no
    attempt.
    """
    code = typed.replace(" ", "").replace("-", "")
    if len(code) != _DIGITS or not (code.isascii() and code.isdigit()):
        raise RequestError(
            422, "page.no_code", _("Invalid verification code. It has %(num)s digits.", num=_DIGITS)
        )
    return code


async def _continue_after_proof(session: ExperienceSession, flow: str, proof: VerificationRecord) -> Response:
    if flow == "continue":
        return await add_address_or_link(session, proof)
    if flow == "forgot-password":
        await identify(session, proof.id)
        return go_to("/forgot-password/reset")
    try:
        return await complete(session, proof.id)
    except RequestError as error:
        if error.code not in _PATHS_OF_UNEXPECTED_ACCOUNTS:
            raise
        return go_to(_PATHS_OF_UNEXPECTED_ACCOUNTS[error.code])


def _page(session: ExperienceSession, flow: str, sent: VerificationRecord) -> FormPage:
    kind, method = sent.identifier.type, session.settings.find_method(sent.identifier.type)
    offers_password = flow == "sign-in" and method is not None and method.password
    links = [Link(_("Back"), _page_before(session, flow, kind))]
    all_options, first_page = _ALL_OPTIONS[flow]
    if flow == "register" and session.settings.allows_sign_in:
        links.insert(0, Link(_("Sign in"), page_url("/sign-in"), _("Already have an account?")))
    return FormPage(
        _("Verify your email") if kind == "email" else _("Verify your phone number"),
        _("Continue"),
        (code_field(),),
        description=_where_the_code_is(session, flow, sent),
        links=tuple(links),
        other_ways=(Link(_("Sign in with password"), page_url("/sign-in/password")),)
        if offers_password
        else (),
        ways_if_unsent=(Link(all_options, page_url(first_page)),),
    )


def _page_before(session: ExperienceSession, flow: str, kind: str) -> str:
    if flow == "continue":
        missing = kind if kind in session.settings.required_profile() else "emailOrPhone"
        return page_url(f"/continue/{missing}")
    return page_url(f"/{flow}") if flow == "forgot-password" else first_page_url(flow)


def _where_the_code_is(session: ExperienceSession, flow: str, sent: VerificationRecord) -> str:
    """Say where the code went. Where an account must not be revealed, the sentence is conditional."""
    address, settings = shown(sent.identifier), session.settings
    only_to_known = flow == "forgot-password" or (flow == "sign-in" and settings.sign_in_mode == "SignIn")
    what = (
        _("If there is an account with %(address)s, a verification code was sent to it.", address=address)
        if only_to_known
        else _("A verification code was sent to %(address)s.", address=address)
    )
    if goes_to_messages_page(session.store, sent.identifier.type):
        return paragraph(what, _("This server shows it under Messages."))
    minutes = settings.code_policy.expires_after // 60
    return paragraph(what, ngettext("It works for one minute.", "It works for %(num)s minutes.", minutes))

"""/mfa-verification: verifying a second factor of the account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from quart import Blueprint, Response, request

from local_logto.experience import mfa, mfa_codes
from local_logto.experience.code_delivery import goes_to_messages_page
from local_logto.experience.mfa_state import MfaProof
from local_logto.experience.pages.forms import Field, FormPage, Link, code_field
from local_logto.experience.pages.identifiers import shown
from local_logto.experience.pages.mfa_paths import ways_to_verify
from local_logto.experience.pages.resending import SENT_AGAIN, with_resend
from local_logto.experience.pages.responses import answer_form, go_to, page_url, show_form, sign_in_page
from local_logto.experience.pages.steps import complete, has_identified
from local_logto.experience.session import ExperienceSession
from local_logto.experience.state import Identifier
from local_logto.second_factors import BACKUP_CODE, EMAIL_CODE, PHONE_CODE, TOTP
from local_logto.translation import _, paragraph

_P = ParamSpec("_P")
_View = Callable[Concatenate[ExperienceSession, tuple[str, ...], _P], Awaitable[Response]]

blueprint = Blueprint("mfa_verification", __name__, url_prefix="/mfa-verification")
_METHODS = ["GET", "POST"]
_TITLE = _("2-step verification")
_WILL_BE_SENT = {
    "email": _("A verification code will be sent to your email."),
    "phone": _("A verification code will be sent to your phone."),
}
_ENABLED = _("2-step verification has been enabled for this account.")


def _asked_page(view: _View[_P]) -> Callable[_P, Awaitable[Response]]:
    """Guard a page for identified people with a second factor. Others are sent to the sign-in page."""

    @wraps(view)
    async def guarded(session: ExperienceSession, /, *args: _P.args, **kwargs: _P.kwargs) -> Response:
        if not has_identified(session):
            return go_to("/sign-in")
        kinds = mfa.usable_kinds(session)
        named = request.path.removeprefix(blueprint.url_prefix or "").strip("/")
        if not kinds or (named and named not in kinds):
            return await complete(session)
        return await view(session, kinds, *args, **kwargs)

    return sign_in_page(guarded)


@blueprint.get("")
@_asked_page
async def choose(session: ExperienceSession, kinds: tuple[str, ...]) -> Response:
    text = paragraph(_ENABLED, _("Select the second way to verify your identity."))
    page = FormPage(_TITLE, "", (), text, choices=ways_to_verify(kinds), links=_links(()))
    return await show_form(session, page)


@blueprint.route(f"/{TOTP}", methods=_METHODS)
@_asked_page
async def totp(session: ExperienceSession, kinds: tuple[str, ...]) -> Response:
    async def check(session: ExperienceSession, page: FormPage) -> Response:
        await mfa.verify_totp(session, page.value("code").replace(" ", ""))
        return await complete(session)

    text = paragraph(_ENABLED, _("Enter the one-time code shown on your linked authenticator app."))
    field = code_field(_("Enter the one-time code"))
    return await answer_form(
        session, FormPage(_TITLE, _("Continue"), (field,), text, links=_links(kinds)), check
    )


@blueprint.route(f"/{BACKUP_CODE}", methods=_METHODS)
@_asked_page
async def backup_code(session: ExperienceSession, kinds: tuple[str, ...]) -> Response:
    async def check(session: ExperienceSession, page: FormPage) -> Response:
        await mfa.verify_backup_code(session, page.value("code").lower())
        return await complete(session)

    text = _("Enter one of the backup codes you saved when 2-step verification was set up. Each works once.")
    field = Field("code", _("Backup code"))
    return await answer_form(
        session, FormPage(_TITLE, _("Continue"), (field,), text, links=_links(kinds)), check
    )


@blueprint.route(f"/<any({EMAIL_CODE}, {PHONE_CODE}):kind>", methods=_METHODS)
@_asked_page
async def address_code(session: ExperienceSession, kinds: tuple[str, ...], kind: str) -> Response:
    """Show the button that sends a code, then the field for it."""
    address_type = mfa_codes.ADDRESS_TYPES[kind]
    proof = session.experience.mfa.find_proof(kind)
    if proof is not None and not proof.is_verified:
        return await _check_code(session, kinds, proof)
    text = paragraph(_ENABLED, _WILL_BE_SENT[address_type])
    page = FormPage(_TITLE, _("Send verification code"), (), text, links=_links(kinds))
    return await answer_form(session, page, _send_to(address_type))


async def _check_code(session: ExperienceSession, kinds: tuple[str, ...], proof: MfaProof) -> Response:
    address_type = mfa_codes.ADDRESS_TYPES[proof.kind]

    async def check(session: ExperienceSession, page: FormPage) -> Response:
        code = page.value("code").replace(" ", "")
        await mfa_codes.verify_mfa_code(session, proof.id, address_type, code)
        return await complete(session)

    recipient = shown(Identifier(address_type, proof.recipient or ""))
    text = _("Enter the code sent to %(address)s.", address=recipient)
    if goes_to_messages_page(session.store, address_type):
        text = paragraph(text, _("This server shows it under Messages."))
    page = FormPage(_TITLE, _("Continue"), (code_field(),), text, links=_links(kinds))
    page = with_resend(session.store, proof.id, page)
    return await answer_form(session, page, check, _send_to(address_type, notice=SENT_AGAIN))


def _send_to(
    address_type: str, **notice: str
) -> Callable[[ExperienceSession, FormPage], Awaitable[Response]]:
    async def send(session: ExperienceSession, _page: FormPage) -> Response:
        await mfa_codes.send_mfa_code(session, address_type)
        return go_to(request.path, **notice)

    return send


def _links(kinds: tuple[str, ...]) -> tuple[Link, ...]:
    others = (
        (Link(_("Try another method to verify"), page_url("/mfa-verification")),) if len(kinds) > 1 else ()
    )
    return (*others, Link(_("Back to sign in"), page_url("/sign-in")))

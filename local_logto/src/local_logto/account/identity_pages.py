"""/account/verify: confirming one's identity before security settings are changed."""

from __future__ import annotations

from typing import Final

from quart import Blueprint, Response

from local_logto.account import proving
from local_logto.account.pages import code_sent, where_the_code_is
from local_logto.account.visitor import HOME, Visitor, account_page, answer
from local_logto.experience.pages.forms import (
    Choice,
    FormPage,
    Link,
    code_field,
    password_field,
)
from local_logto.experience.pages.resending import with_resend
from local_logto.experience.pages.responses import show_plain_form
from local_logto.responses import redirect_response
from local_logto.translation import _

blueprint = Blueprint("account_identity", __name__, url_prefix="/verify")
_METHODS = ["GET", "POST"]
_TITLE = _("Security verification")
_WHY = _("Confirm your identity before you change your security settings.")
_WAYS: Final = {
    "password": (_("Password"), _("Verify your password")),
    "email": (_("Email verification code"), _("Send verification code to your email")),
    "phone": (_("Phone verification code"), _("Send verification code to your phone number")),
}


@blueprint.get("")
@account_page
async def choose(visitor: Visitor) -> Response:
    """Show the ways to confirm an identity, or redirect to the only one."""
    ways = visitor.ways_to_prove
    if visitor.progress.is_proved or not ways:
        return redirect_response(visitor.progress.return_to)
    if len(ways) == 1:
        return redirect_response(f"{HOME}/verify/{ways[0]}")
    choices = tuple(Choice(*_WAYS[way], f"{HOME}/verify/{way}") for way in ways)
    back = (Link(_("Back to your account"), HOME),)
    return await show_plain_form(FormPage(_TITLE, "", (), _WHY, choices=choices, links=back))


@blueprint.route("/password", methods=_METHODS)
@account_page
async def by_password(visitor: Visitor) -> Response:
    if "password" not in visitor.ways_to_prove:
        return redirect_response(f"{HOME}/verify")

    async def check(page: FormPage) -> Response:
        await proving.prove_password(visitor, page.value("password"))
        return redirect_response(visitor.progress.return_to)

    account = visitor.user["username"] or visitor.user["primary_email"] or ""
    page = FormPage(
        _("Verify password"), _("Continue"), (password_field(),), _WHY, links=_links(visitor), account=account
    )
    return await answer(page, check)


@blueprint.route("/<any(email, phone):kind>", methods=_METHODS)
@account_page
async def by_code(visitor: Visitor, kind: str) -> Response:
    """Show the button that sends the code, then the field for it."""
    if kind not in visitor.ways_to_prove:
        return redirect_response(f"{HOME}/verify")

    async def send(page: FormPage) -> Response:
        await proving.send_proof_code(visitor, kind)
        return code_sent(f"{HOME}/verify/{kind}", page)

    async def check(page: FormPage) -> Response:
        await proving.prove_code(visitor, page.value("code").replace(" ", ""))
        return redirect_response(visitor.progress.return_to)

    title = _("Verify your email") if kind == "email" else _("Verify your phone number")
    sent = visitor.progress.code
    if sent is None or (sent.purpose, sent.address_type) != ("verify", kind):
        page = FormPage(title, _("Send verification code"), (), _WHY, links=_links(visitor))
        return await answer(page, send)
    text = where_the_code_is(visitor, kind, sent.address)
    page = FormPage(title, _("Continue"), (code_field(),), text, links=_links(visitor))
    return await answer(with_resend(visitor.store, sent.verification_id, page), check, send)


def _links(visitor: Visitor) -> tuple[Link, ...]:
    back = Link(_("Back to your account"), HOME)
    if len(visitor.ways_to_prove) == 1:
        return (back,)
    return (Link(_("Try another method to verify"), f"{HOME}/verify"), back)

"""/account, and the pages that change the name, identifiers and password."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from quart import Blueprint, Response, request

from local_logto import second_factors
from local_logto.account import changes
from local_logto.account.visitor import HOME, Visitor, account_page, answer, proved_page
from local_logto.experience.code_delivery import goes_to_messages_page
from local_logto.experience.pages.forms import Field, FormPage, Link, code_field, new_password_page
from local_logto.experience.pages.identifiers import identifier_field, read_identifier, shown
from local_logto.experience.pages.resending import SENT_AGAIN, with_resend
from local_logto.experience.pages.responses import show_template
from local_logto.experience.state import Identifier
from local_logto.responses import redirect_response
from local_logto.second_factors import BACKUP_CODE, TOTP
from local_logto.translation import _, paragraph

blueprint = Blueprint("account_pages", __name__)
_METHODS = ["GET", "POST"]
_BACK = (Link(_("Back to your account"), HOME),)
_ADDRESS_PAGES: Final = {
    "email": (_("Link email"), _("Use it to sign in and to recover your account.")),
    "phone": (_("Link phone number"), _("Use it to sign in and to recover your account.")),
}
_NOTICES: Final = {
    "name": _("Name updated."),
    "username": _("Username updated."),
    "password": _("Password updated."),
    "email": _("Email address updated."),
    "phone": _("Phone number updated."),
    "identity": _("Social account removed."),
    "totp": _("Authenticator app added."),
    "backup-codes": _("Backup codes saved."),
    "factor-removed": _("2-step verification method removed."),
}


def done(notice: str) -> Response:
    """Redirect to the account page, which confirms the change."""
    return redirect_response(f"{HOME}?notice={notice}")


def code_sent(path: str, page: FormPage) -> Response:
    """Redirect to the field for the code. The page says whether the code was sent again."""
    return redirect_response(f"{path}?notice={SENT_AGAIN}" if page.pressed else path)


@blueprint.get("")
@account_page
async def home(visitor: Visitor) -> Response:
    user, factors = visitor.user, visitor.user["mfa_verifications"]
    backup_codes = second_factors.find_factor(factors, BACKUP_CODE)
    return await show_template(
        "account.html",
        user=user,
        phone=f"+{user['primary_phone']}" if user["primary_phone"] else None,
        notice=_NOTICES.get(request.args.get("notice", "")),
        offers=visitor.settings.mfa.factors,
        has_totp=second_factors.find_factor(factors, TOTP) is not None,
        codes_left=None if backup_codes is None else second_factors.unused_codes(backup_codes),
    )


@blueprint.route("/name", methods=_METHODS)
@account_page
async def name(visitor: Visitor) -> Response:
    async def save(page: FormPage) -> Response:
        changes.change_name(visitor, page.value("name"))
        return done("name")

    field = Field("name", _("Name"), autocomplete="name", value=visitor.user["name"] or "")
    return await answer(FormPage(_("Change name"), _("Save"), (field,), links=_BACK), save)


@blueprint.route("/username", methods=_METHODS)
@proved_page
async def username(visitor: Visitor) -> Response:
    async def save(page: FormPage) -> Response:
        changes.change_username(visitor, page.value("identifier"))
        return done("username")

    field = identifier_field(("username",), visitor.user["username"] or "")
    text = _("Use letters, numbers and underscores. A username can’t start with a number.")
    return await answer(FormPage(_("Set username"), _("Save"), (field,), text, links=_BACK), save)


@blueprint.route("/password", methods=_METHODS)
@proved_page
async def password(visitor: Visitor) -> Response:
    async def save(page: FormPage) -> Response:
        await changes.change_password(visitor, page.value("password"))
        return done("password")

    account = visitor.user["username"] or visitor.user["primary_email"] or ""
    page = new_password_page(_("Set password"), visitor.settings.password_policy, account)
    return await answer(_with_way_back(page), save)


@blueprint.route("/<any(email, phone):kind>", methods=_METHODS)
@proved_page
async def address(visitor: Visitor, kind: str) -> Response:
    async def send(page: FormPage) -> Response:
        await changes.send_code_to_new_address(visitor, read_identifier(page.value("identifier"), (kind,)))
        return redirect_response(f"{HOME}/{kind}/verification-code")

    title, text = _ADDRESS_PAGES[kind]
    page = FormPage(title, _("Send verification code"), (identifier_field((kind,)),), text, links=_BACK)
    return await answer(page, send)


@blueprint.route("/<any(email, phone):kind>/verification-code", methods=_METHODS)
@proved_page
async def address_code(visitor: Visitor, kind: str) -> Response:
    sent = visitor.progress.code
    if sent is None or (sent.purpose, sent.address_type) != ("bind", kind):
        return redirect_response(f"{HOME}/{kind}")

    async def send_again(page: FormPage) -> Response:
        await changes.send_code_to_new_address(visitor, Identifier(kind, sent.address))
        return code_sent(request.path, page)

    async def take(page: FormPage) -> Response:
        return done(await changes.take_new_address(visitor, page.value("code").replace(" ", "")))

    text = where_the_code_is(visitor, kind, sent.address)
    links = (Link(_("Another address") if kind == "email" else _("Another number"), f"{HOME}/{kind}"), *_BACK)
    title = _("Verify your email") if kind == "email" else _("Verify your phone number")
    page = FormPage(title, _("Continue"), (code_field(),), text, links=links)
    return await answer(with_resend(visitor.store, sent.verification_id, page), take, send_again)


@blueprint.route("/identities/<target>/remove", methods=_METHODS)
@proved_page
async def remove_identity(visitor: Visitor, target: str) -> Response:
    if target not in visitor.user["identities"]:
        return redirect_response(HOME)

    async def remove(_page: FormPage) -> Response:
        changes.remove_identity(visitor, target)
        return done("identity")

    text = _(
        "You will not be able to sign in with %(name)s until you link it again.", name=target.capitalize()
    )
    return await answer(FormPage(_("Remove social account"), _("Remove"), (), text, links=_BACK), remove)


def where_the_code_is(visitor: Visitor, kind: str, address: str) -> str:
    """Return a sentence that says where the code was sent."""
    where = _("A verification code was sent to %(address)s.", address=shown(Identifier(kind, address)))
    if goes_to_messages_page(visitor.store, kind):
        return paragraph(where, _("This server shows it under Messages."))
    return where


def _with_way_back(page: FormPage) -> FormPage:
    return replace(page, links=_BACK)

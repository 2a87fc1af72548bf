"""/account/authenticator-app and /account/backup-codes: adding and removing second factors."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from quart import Blueprint, Response

from local_logto import second_factors
from local_logto.account import factors
from local_logto.account.pages import done
from local_logto.account.visitor import HOME, Visitor, answer, proved_page
from local_logto.errors import RequestError
from local_logto.experience.pages.factor_setup import backup_codes_page, totp_page
from local_logto.experience.pages.forms import FormPage, Link
from local_logto.experience.pages.responses import show_notice
from local_logto.experience.pages.sentences import sentence_of
from local_logto.responses import redirect_response
from local_logto.second_factors import BACKUP_CODE, TOTP
from local_logto.translation import _

blueprint = Blueprint("account_factors", __name__)
_METHODS = ["GET", "POST"]
_BACK = (Link(_("Back to your account"), HOME),)
_KINDS: Final = {"authenticator-app": TOTP, "backup-codes": BACKUP_CODE}
_REMOVAL: Final = {
    TOTP: (
        _("Remove authenticator app"),
        _(
            "Your backup codes are removed too. You may lose access to organizations that require 2-step "
            "verification."
        ),
    ),
    BACKUP_CODE: (
        _("Remove backup codes"),
        _("The codes you saved will no longer work."),
    ),
}


@blueprint.route("/authenticator-app", methods=_METHODS)
@proved_page
async def authenticator_app(visitor: Visitor) -> Response:
    try:
        secret = await factors.begin_totp(visitor)
    except RequestError as error:
        return await _show_unavailable(error)

    async def add(page: FormPage) -> Response:
        await factors.add_totp(visitor, secret, page.value("code").replace(" ", ""))
        return done("totp")

    page = totp_page(secret, second_factors.qr_svg(factors.totp_uri(visitor, secret)))
    return await answer(replace(page, links=_BACK), add)


@blueprint.route("/backup-codes", methods=_METHODS)
@proved_page
async def backup_codes(visitor: Visitor) -> Response:
    try:
        codes = await factors.begin_backup_codes(visitor)
    except RequestError as error:
        return await _show_unavailable(error)

    async def save(_page: FormPage) -> Response:
        await factors.add_backup_codes(visitor, codes)
        return done("backup-codes")

    page = backup_codes_page(codes)
    if second_factors.find_factor(visitor.user["mfa_verifications"], BACKUP_CODE):
        page = replace(page, notice=_("When you continue, these codes replace your old ones."))
    return await answer(replace(page, links=_BACK), save)


@blueprint.route("/<any('authenticator-app', 'backup-codes'):name>/remove", methods=_METHODS)
@proved_page
async def remove(visitor: Visitor, name: str) -> Response:
    kind = _KINDS[name]
    if second_factors.find_factor(visitor.user["mfa_verifications"], kind) is None:
        return redirect_response(HOME)

    async def remove_factor(_page: FormPage) -> Response:
        await factors.remove(visitor, kind)
        return done("factor-removed")

    title, text = _REMOVAL[kind]
    return await answer(FormPage(title, _("Remove"), (), text, links=_BACK), remove_factor)


async def _show_unavailable(error: RequestError) -> Response:
    links = ((_("Back to your account"), HOME),)
    return await show_notice(_("This isn’t available"), sentence_of(error), links=links, status=error.status)

"""/mfa-onboarding and /mfa-binding: adding a second factor during a sign-in, or skipping it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import wraps
from typing import Concatenate, ParamSpec

from quart import Blueprint, Response

from local_logto import second_factors
from local_logto.experience import mfa
from local_logto.experience.mfa_policy import Demand
from local_logto.experience.pages.factor_setup import backup_codes_page, totp_page
from local_logto.experience.pages.forms import FormPage, Link, SideAction
from local_logto.experience.pages.mfa_paths import ways_to_enroll
from local_logto.experience.pages.responses import answer_form, go_to, page_url, sign_in_page
from local_logto.experience.pages.steps import complete, has_identified
from local_logto.experience.session import ExperienceSession
from local_logto.second_factors import BACKUP_CODE, TOTP
from local_logto.translation import _

_P = ParamSpec("_P")
_View = Callable[Concatenate[ExperienceSession, Demand, _P], Awaitable[Response]]

blueprint = Blueprint("mfa_binding", __name__)
_METHODS = ["GET", "POST"]


def _demanded_page(view: _View[_P]) -> Callable[_P, Awaitable[Response]]:
    """Guard a page for a sign-in that must add a factor. Other sign-ins go on."""

    @wraps(view)
    async def guarded(session: ExperienceSession, /, *args: _P.args, **kwargs: _P.kwargs) -> Response:
        if not has_identified(session):
            return go_to("/sign-in")
        demand = mfa.find_demand(session)
        if demand is None:
            return await complete(session)
        return await view(session, demand, *args, **kwargs)

    return sign_in_page(guarded)


@blueprint.route("/mfa-onboarding", methods=_METHODS)
@_demanded_page
async def onboarding(session: ExperienceSession, _demand: Demand) -> Response:
    text = _(
        "Protect your account with 2-step verification. When you sign in, you also enter a code that only "
        "you have."
    )
    skip = (SideAction(_("Skip"), "skip"),)
    page = FormPage(
        _("Turn on 2-step verification"), _("Enable 2-step verification"), (), text, side_actions=skip
    )
    return await answer_form(session, page, _enable, _skip)


@blueprint.route("/mfa-binding", methods=_METHODS)
@_demanded_page
async def choose(session: ExperienceSession, demand: Demand) -> Response:
    text = _("Two-factor verification is enabled. Select your second verification method for secure sign-in.")
    page = FormPage(_("Add 2-step verification"), "", (), text, choices=ways_to_enroll(demand.kinds))
    return await answer_form(session, _skippable(page, demand), _continue_sign_in, _skip)


@blueprint.route(f"/mfa-binding/{TOTP}", methods=_METHODS)
@_demanded_page
async def bind_totp(session: ExperienceSession, demand: Demand) -> Response:
    """Bind an authenticator app. The secret stays until the page is completed: a wrong code needs no second
    scan.
    """
    if TOTP not in demand.kinds:
        return await complete(session)
    pending = session.experience.mfa.find_proof(TOTP)
    if pending is None or pending.secret is None:
        new = await mfa.create_totp(session)
        proof_id, secret = new.verification_id, new.secret
    else:
        proof_id, secret = pending.id, pending.secret

    async def check(session: ExperienceSession, page: FormPage) -> Response:
        await mfa.verify_new_totp(session, proof_id, page.value("code").replace(" ", ""))
        await mfa.bind(session, TOTP, proof_id)
        return await complete(session)

    page = totp_page(secret, second_factors.qr_svg(mfa.totp_uri(session, secret)))
    if len(demand.kinds) > 1:
        page = replace(page, links=(Link(_("Switch to another method"), page_url("/mfa-binding")),))
    return await answer_form(session, _skippable(page, demand), check, _skip)


@blueprint.route(f"/mfa-binding/{BACKUP_CODE}", methods=_METHODS)
@_demanded_page
async def bind_backup_codes(session: ExperienceSession, _demand: Demand) -> Response:
    pending = session.experience.mfa.find_proof(BACKUP_CODE)
    proof = pending if pending and pending.codes else await mfa.create_backup_codes(session)

    async def keep(session: ExperienceSession, _page: FormPage) -> Response:
        await mfa.bind(session, BACKUP_CODE, proof.id)
        return await complete(session)

    return await answer_form(session, backup_codes_page(proof.codes), keep)


def _skippable(page: FormPage, demand: Demand) -> FormPage:
    return replace(page, side_actions=(SideAction(_("Skip"), "skip"),)) if demand.is_skippable else page


async def _enable(session: ExperienceSession, _page: FormPage) -> Response:
    await mfa.enable(session)
    return await complete(session)


async def _skip(session: ExperienceSession, _page: FormPage) -> Response:
    await mfa.skip(session)
    return await complete(session)


async def _continue_sign_in(session: ExperienceSession, _page: FormPage) -> Response:
    return await complete(session)

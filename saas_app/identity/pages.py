"""Signing in, up and out, the callback, and the account page."""

from __future__ import annotations

import uuid
from typing import Any

from quart import Blueprint, flash, redirect, render_template, request

from saas_app.errors import BadRequest, LogtoUnavailable, NotFound
from saas_app.identity.linked_identities import linked_identities
from saas_app.identity.logto_client import SignInOptions
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.sign_in import KeptForm
from saas_app.identity.sign_in_options import read_options
from saas_app.identity.way_back import own_path
from saas_app.web.context import browser, cookie_name, runtime
from saas_app.web.guards import find_principal, public, signed_in
from saas_app.web.limits import limited_by_address

blueprint = Blueprint("identity", __name__)

_ATTEMPT_COOKIE_LIFETIME = 3600  # seconds, as long as an attempt lives


@blueprint.get("/sign-in")
@limited_by_address
@public
async def sign_in() -> Any:
    """Send the browser to Logto, with the extra parameters Logto knows."""
    return await _to_logto(read_options(request.args))


@blueprint.get("/sign-up")
@limited_by_address
@public
async def sign_up() -> Any:
    """The same, beginning at Logto's registration page."""
    return await _to_logto(read_options(request.args, first_screen="register"))


@blueprint.get("/callback")
@limited_by_address
@public
async def callback() -> Any:
    """Where Logto sends the browser back to."""
    done = await runtime().sign_in.finish(browser(request), request.url)
    response = redirect(done.next_path, 303)
    if done.session_cookie is not None:
        lifetime = runtime().settings.session_absolute_timeout
        _set_cookie(response, "session", done.session_cookie, lifetime)
    return response


@blueprint.get("/sign-in/renew")
@signed_in
async def renew(principal: SessionPrincipal) -> Any:
    """A silent round trip: Logto freezes API-resource scopes at consent, so a promotion needs one."""
    return await _to_logto(SignInOptions(), renewed_for=request.args.get("for", "")[:160])


@blueprint.post("/sign-in/renew")
@signed_in
async def renew_with_form(principal: SessionPrincipal) -> Any:
    """The same for a form that was refused: it is kept, and sent again afterwards."""
    form = await request.form
    action = own_path(form.get("_action"), "")
    if not action:
        raise BadRequest("There is no form to keep.")
    fields = tuple((name, value) for name, value in form.items(multi=True) if not name.startswith("_"))
    kept = KeptForm(principal.subject, action, fields)
    return await _to_logto(SignInOptions(), renewed_for=form.get("_for", "")[:160], form=kept)


@blueprint.get("/sign-in/fresh")
@signed_in
async def sign_in_again(principal: SessionPrincipal) -> Any:
    """A sign-in at which Logto asks who this is, whatever its session: for pages that want a fresh one."""
    options = SignInOptions(prompt="login consent", login_hint=principal.email or principal.username or "")
    return await _to_logto(options, renewed_for=request.args.get("for", "fresh")[:160])


@blueprint.get("/sign-in/finish")
@signed_in
async def finish_form(principal: SessionPrincipal) -> Any:
    """Offer to send the kept form, now that access has been renewed."""
    kept = await runtime().sign_in.take_form(browser(request), request.args.get("form", ""), principal)
    return await render_template("identity/finish.html", action=kept.action, fields=kept.fields)


@blueprint.post("/sign-out")
@public
async def sign_out() -> Any:
    """End this session here and its grant at Logto. Works for a session that has ended already, too."""
    return _signed_out(await runtime().sign_in.sign_out(await find_principal()))


@blueprint.get("/account")
@signed_in
async def account(principal: SessionPrincipal) -> Any:
    """Who Logto says you are, and where you are signed in."""
    authorization = runtime().authorization
    try:
        user_info = await authorization.fetch_user_info(principal)
    except LogtoUnavailable:
        user_info = None
    return await render_template(
        "identity/account.html",
        claims=await authorization.get_claims(principal),
        user_info=user_info,
        identities=linked_identities(user_info or {}, runtime().offered),
        account_center=runtime().settings.account_center,
        sessions=await runtime().sessions.list_own(principal),
    )


@blueprint.post("/account/sessions/<uuid:session_id>/end")
@signed_in
async def end_session(principal: SessionPrincipal, session_id: uuid.UUID) -> Any:
    """End one of one's own sessions."""
    if session_id == principal.session_id:
        return _signed_out(await runtime().sign_in.sign_out(principal))
    if not await runtime().sign_in.end_own_session(principal, session_id):
        raise NotFound("You have no such session.")
    await flash("That session has ended.", "success")
    return redirect("/account", 303)


@blueprint.post("/account/sign-out-everywhere")
@signed_in
async def sign_out_everywhere(principal: SessionPrincipal) -> Any:
    """End every session of the person, in every browser."""
    return _signed_out(await runtime().sign_in.sign_out_everywhere(principal))


async def _to_logto(
    options: SignInOptions, *, renewed_for: str | None = None, form: KeptForm | None = None
) -> Any:
    visitor = browser(request)
    next_path = own_path(request.args.get("next"))
    url, attempt = await runtime().sign_in.start(
        visitor, next_path, options, renewed_for=renewed_for, form=form
    )
    response = redirect(url, 303)
    if attempt != visitor.attempt_cookie:
        _set_cookie(response, "attempt", attempt, _ATTEMPT_COOKIE_LIFETIME)
    return response


def _signed_out(url: str) -> Any:
    response = redirect(url, 303)
    response.delete_cookie(cookie_name("session"), path="/", secure=runtime().settings.is_tls)
    return response


def _set_cookie(response: Any, kind: str, value: str, max_age: int) -> None:
    response.set_cookie(
        cookie_name(kind),
        value,
        max_age=max_age,
        path="/",
        secure=runtime().settings.is_tls,
        httponly=True,
        samesite="Lax",
    )

"""Pages to sign in, sign up and sign out, the callback, and the account page."""

from __future__ import annotations

import asyncio
from typing import Any

from quart import Blueprint, redirect, request
from quart.typing import ResponseReturnValue

from saas_app.accounts.linked_identities import linked_identities
from saas_app.accounts.sign_in_options import read_options
from saas_app.email_domains.changes.joins import note_join
from saas_app.errors import BadRequest, LogtoUnavailable
from saas_app.identity.devices import ProviderFailure
from saas_app.identity.logto_messages import SignInOptions
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.return_paths import KEPT_FORM
from saas_app.identity.sign_out import Ended
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated
from saas_app.web.context import browser, cookie_name, runtime, set_cookie
from saas_app.web.guards import public, signed_in
from saas_app.web.kept_forms import bind_to_browser, keep_form
from saas_app.web.limits import counts_as_change, limited_by_address
from saas_app.web.notices import notify
from saas_app.web.prefetches import only_deliberately
from saas_app.web.templating import render
from saas_app.web.to_logto import to_logto
from saas_app.web.user_agents import device_name
from saas_app.web.visitors import find_principal

blueprint = Blueprint("identity", __name__)


@blueprint.get("/sign-in")
@limited_by_address
@public
@only_deliberately
async def sign_in() -> ResponseReturnValue:
    """Send the browser to Logto, with the extra parameters that Logto supports."""
    return await to_logto(read_options(request.args))


@blueprint.get("/sign-up")
@limited_by_address
@public
@only_deliberately
async def sign_up() -> ResponseReturnValue:
    """Send the browser to Logto's registration page."""
    return await to_logto(read_options(request.args, first_screen="register"))


@blueprint.get("/callback")
@limited_by_address
@public
@only_deliberately
async def callback() -> ResponseReturnValue:
    """Complete a sign-in when Logto returns the browser."""
    done = await runtime().sign_in.finish(browser(request), _callback_url())
    await note_join(runtime().work, runtime().management, done.claims)
    response = redirect(done.next_path, 303)
    if done.session_cookie is not None:
        lifetime = runtime().settings.session_absolute_timeout
        set_cookie(response, "session", done.session_cookie, lifetime)
    return response


def _callback_url() -> str:
    """Return our redirect URI with the query that Logto sent. A proxy may have changed the request URL."""
    return f"{runtime().settings.redirect_uri}?{request.query_string.decode('ascii', 'replace')}"


@blueprint.get("/sign-in/renew")
@signed_in
@only_deliberately
async def renew(principal: SessionPrincipal) -> ResponseReturnValue:
    """Renew the grant silently at Logto. Promotions need it: API-resource scopes are fixed at consent."""
    return await to_logto(SignInOptions(), renewed_for=request.args.get("for", "")[:160])


@blueprint.post("/sign-in/renew")
@signed_in
async def renew_with_form(principal: SessionPrincipal) -> ResponseReturnValue:
    """Store a form that was refused, and renew access silently; the form is sent again afterwards."""
    waiting = await keep_form(principal.subject)
    if waiting is None:
        raise BadRequest(_("There is no form to continue with."))
    form = await request.form
    response = await to_logto(SignInOptions(), renewed_for=form.get("_for", "")[:160], next_path=waiting)
    return bind_to_browser(response)


@blueprint.get("/sign-in/fresh")
@signed_in
@only_deliberately
async def sign_in_again(principal: SessionPrincipal) -> ResponseReturnValue:
    """Start a sign-in at which Logto asks for credentials again, for pages that require a fresh one."""
    options = SignInOptions(prompt="login consent", login_hint=principal.email or principal.username or "")
    return await to_logto(options, renewed_for=request.args.get("for", "fresh")[:160])


@blueprint.get(KEPT_FORM)
@signed_in
@only_deliberately
async def finish_form(principal: SessionPrincipal) -> ResponseReturnValue:
    """Show a stored form, which its owner sends. The first time, a script sends it automatically."""
    handle, visitor = request.args.get("form", ""), browser(request)
    found = await runtime().kept_forms.find(handle, visitor.attempt_cookie, principal.subject)
    if found is None:
        await notify(
            _(
                "No saved form was found for your account. It may have expired, or it belongs to another "
                "account."
            ),
            "info",
        )
        return redirect("/", 303)
    return render("identity/finish.html", form=found.form, is_new=found.is_new)


@blueprint.post("/sign-out")
@public
async def sign_out() -> ResponseReturnValue:
    """End this session here and its grant at Logto. Works for a session that has ended already, too."""
    return _signed_out(await runtime().sign_out.end_current(await find_principal()))


@blueprint.get("/account")
@signed_in
async def account(principal: SessionPrincipal) -> ResponseReturnValue:
    """Show the person's account at Logto, and where they are signed in."""
    user_info, devices = await asyncio.gather(
        _user_info(principal), runtime().sign_out.list_devices(principal)
    )
    return render(
        "identity/account.html",
        claims=await runtime().profiles.get_claims(principal),
        user_info=user_info,
        identities=linked_identities(user_info or {}, runtime().offered),
        account_center=runtime().settings.account_center,
        devices=devices.devices,
        devices_failure=devices.failure,
    )


async def _user_info(principal: SessionPrincipal) -> dict[str, Any] | None:
    """Return the person's current userinfo, or None if Logto cannot be asked."""
    try:
        return await runtime().profiles.fetch_user_info(principal)
    except LogtoUnavailable:
        return None


@blueprint.post("/account/sessions/<device_id>/end")
@signed_in
@counts_as_change
async def end_session(principal: SessionPrincipal, device_id: str) -> ResponseReturnValue:
    """Sign out one of the person's devices, at the sign-in provider too."""
    device, ended = await runtime().sign_out.end_device(principal, device_id)
    if device.is_current:
        return _signed_out(await runtime().sign_out.end_current(principal))
    name = device_name(device.user_agent)
    if ended.failure is None:
        await notify(_("%(device)s is signed out.", device=isolated(name)), "success")
    else:
        await notify(_left_at_logto(name, ended.failure), "danger")
    return redirect("/account", 303)


@blueprint.post("/account/sign-out-everywhere")
@signed_in
@counts_as_change
async def sign_out_everywhere(principal: SessionPrincipal) -> ResponseReturnValue:
    """End every session of the person, in every browser, at the sign-in provider too."""
    ended = await runtime().sign_out.end_everywhere(principal)
    if ended.failure is None:
        return _signed_out(await runtime().sign_out.end_current(None))
    await notify(_left_elsewhere(ended, ended.failure), "danger")
    if ended.kept_current:
        return redirect("/account", 303)
    return _signed_out(await runtime().sign_out.end_current(None))


def _left_at_logto(name: str, failure: ProviderFailure) -> Sentence:
    """Return the notice about a device that was signed out here, and maybe not at Logto."""
    values = {"device": isolated(name), "reason": failure.detail}
    if failure.can_retry:
        return _(
            "%(device)s is signed out of Workroom. %(reason)s It may still be signed in to Logto, and could "
            "return without a password. Try again in a moment.",
            **values,
        )
    return _(
        "%(device)s is signed out of Workroom. %(reason)s It may still be signed in to Logto, and could "
        "return without a password.",
        **values,
    )


def _left_elsewhere(ended: Ended, failure: ProviderFailure) -> Sentence:
    """Return the notice after signing out everywhere, if sessions at Logto may be left."""
    values = {"here": ended.here, "there": ended.at_provider, "reason": failure.detail}
    if ended.kept_current:
        return _(
            "%(here)s of your Workroom sessions and %(there)s of your Logto sessions ended. %(reason)s Other "
            "devices may still be signed in to Logto, and could return without a password. You are still "
            "signed in on this device. Try again.",
            **values,
        )
    if failure.can_retry:
        return _(
            "%(here)s of your Workroom sessions and %(there)s of your Logto sessions ended. %(reason)s Other "
            "devices may still be signed in to Logto, and could return without a password. Sign in and try "
            "again.",
            **values,
        )
    return _(
        "%(here)s of your Workroom sessions and %(there)s of your Logto sessions ended. %(reason)s Other "
        "devices may still be signed in to Logto, and could return without a password. Sign them out on your "
        "Logto account page.",
        **values,
    )


def _signed_out(url: str) -> ResponseReturnValue:
    response = redirect(url, 303)
    response.delete_cookie(cookie_name("session"), path="/", secure=runtime().settings.is_tls)
    return response

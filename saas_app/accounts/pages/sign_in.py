"""Pages to sign in, sign up and sign out, and the callback."""

from __future__ import annotations

from quart import Blueprint, redirect, request
from quart.typing import ResponseReturnValue

from saas_app.accounts.sign_in_options import read_options
from saas_app.email_domains.changes.joins import note_join
from saas_app.errors import BadRequest, SignInAgain, SsoRequired
from saas_app.identity.logto_messages import SignInOptions
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.return_paths import KEPT_FORM, own_path, signing_in_first
from saas_app.identity.single_sign_on import SINGLE_SIGN_ON, sign_in_mark
from saas_app.text.translation import _
from saas_app.web.context import browser, cookie_name, runtime, session_cookie, set_cookie
from saas_app.web.guards import public, signed_in
from saas_app.web.kept_forms import bind_to_browser, keep_form
from saas_app.web.limits import limited_by_address
from saas_app.web.notices import notify
from saas_app.web.personas import back_to_own, current_persona
from saas_app.web.preference_cookies import remember
from saas_app.web.prefetches import only_deliberately
from saas_app.web.templating import render
from saas_app.web.to_logto import to_logto
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
    try:
        done = await runtime().sign_in.finish(browser(request), _callback_url())
    except SignInAgain as forgotten:
        return redirect(signing_in_first(forgotten.next_path), 303)
    await note_join(runtime().work, runtime().management, done.claims)
    response = redirect(done.next_path, 303)
    if done.session_cookie is not None:
        lifetime = runtime().settings.session_absolute_timeout
        set_cookie(response, "session", done.session_cookie, lifetime)
    remember(response, await runtime().preferences.find(done.claims["sub"]))
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


@blueprint.get(SINGLE_SIGN_ON)
@signed_in
@only_deliberately
async def sign_in_at_provider(principal: SessionPrincipal) -> ResponseReturnValue:
    """Send a member to the identity provider that their organization requires, and back.

    Only a refusal of the organization names the provider, and only members get one. So nobody is sent to the
    provider of an organization that they do not belong to.
    """
    organization_id = request.args.get("organization", "")
    if not organization_id:
        raise BadRequest(_("The address does not name an organization."))
    caller = await runtime().browser_sessions.prove(session_cookie(request), organization_id)
    try:
        await caller.get_tenant(organization_id, is_visit=False)
    except SsoRequired as required:
        options = SignInOptions(prompt="login consent", direct_sign_in=f"sso:{required.connector_id}")
        return await to_logto(options, renewed_for=sign_in_mark(organization_id))
    return redirect(own_path(request.args.get("next")), 303)


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
    principal = await find_principal()
    if current_persona() is None:
        await notify(_("You are signed out."))
    return await leave(principal)


async def leave(principal: SessionPrincipal | None) -> ResponseReturnValue:
    """End this session, or None if that is done, and send the browser to Logto's sign-out.

    A visitor who played a demo person returns to their own session, also at Logto.
    """
    persona = current_persona()
    if persona is not None:
        return await back_to_own(
            persona, principal, "/", _("This person is signed out. You are yourself again.")
        )
    response = redirect(await runtime().sign_out.end_current(principal), 303)
    response.delete_cookie(cookie_name("session"), path="/", secure=runtime().settings.is_tls)
    return response

"""A person's profile and settings, and the language of visitors."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from quart import Blueprint, current_app, redirect, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from saas_app.accounts.forms import ProfileForm, SettingsForm, read_language
from saas_app.db.base import utc_now
from saas_app.identity.preferences import AUTOMATIC, Preferences
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.return_paths import own_path
from saas_app.text.languages import speak
from saas_app.text.translation import _
from saas_app.web.context import runtime
from saas_app.web.guards import public, signed_in
from saas_app.web.limits import counts_as_change, limited_by_address
from saas_app.web.notices import notify
from saas_app.web.preference_cookies import remember
from saas_app.web.templating import render
from saas_app.web.visitors import find_principal

blueprint = Blueprint("settings", __name__)


@blueprint.get("/account/settings")
@signed_in
async def show_settings(principal: SessionPrincipal) -> ResponseReturnValue:
    """Show the form of a person's settings."""
    stored = await runtime().preferences.find(principal.subject)
    chosen = {name: getattr(stored, name) or AUTOMATIC for name in ("language", "zone", "theme")}
    form = _settings_form(data={**chosen, "emails": bool(stored.email_language)})
    return render("identity/settings.html", form=form, now=utc_now())


@blueprint.post("/account/settings")
@signed_in
@counts_as_change
async def save_settings(principal: SessionPrincipal) -> ResponseReturnValue:
    """Save the settings, and bring this browser's copy up to date."""
    form = _settings_form(await request.form)
    if not form.validate():
        return render("identity/settings.html", form=form, now=utc_now()), 422
    wanted = form.as_preferences()
    await runtime().preferences.save(principal.subject, wanted)
    if wanted.language:
        speak(wanted.language)
    await notify(_("Settings saved. Your other browsers follow when you next sign in there."), "success")
    response = redirect("/account/settings", 303)
    remember(response, wanted)
    return response


@blueprint.get("/account/profile")
@signed_in
async def show_profile(principal: SessionPrincipal) -> ResponseReturnValue:
    """Show the form of a person's name and picture."""
    form = ProfileForm(data={"name": principal.name, "picture": principal.picture})
    return render("identity/profile.html", form=form)


@blueprint.post("/account/profile")
@signed_in
@counts_as_change
async def save_profile(principal: SessionPrincipal) -> ResponseReturnValue:
    """Change name and picture in Logto. Every page shows them from then on."""
    form = ProfileForm(await request.form)
    if not form.validate():
        return render("identity/profile.html", form=form), 422
    await runtime().profiles.change(principal, name=form.name.data or "", picture=form.picture.data or None)
    await notify(_("Profile saved."), "success")
    return redirect("/account", 303)


@blueprint.post("/language")
@limited_by_address
@public
async def choose_language() -> ResponseReturnValue:
    """Show pages in a language from now on, to a visitor or a signed-in person."""
    wanted = Preferences(language=read_language(await request.form))
    principal = await find_principal()
    if principal is not None:
        await runtime().preferences.save(principal.subject, wanted)
    response = redirect(_page_before(), 303)
    remember(response, wanted)
    return response


def _settings_form(formdata: Any = None, **values: Any) -> SettingsForm:
    return SettingsForm(formdata, offers_emails=runtime().settings.can_email, **values)


def _page_before() -> str:
    """Return the page with the pressed button.

    No field of the form names it, because pages that must look alike would differ in it.
    """
    try:
        before = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return "/"
    path = _opened_path(before.path)
    return own_path(f"{path}?{before.query}" if before.query and path == before.path else path)


def _opened_path(path: str) -> str:
    """Return the path, or for the answer to a form the nearest path above it that has a page.

    Such an answer stands at the address of its form, which may open nothing, or a page of another route.
    """
    routes = current_app.create_url_adapter(request)
    sent = _route_of(routes, path, "POST")
    if sent is None or sent == _route_of(routes, path, "GET"):
        return path
    while path := path.rpartition("/")[0]:
        if _route_of(routes, path, "GET") or _route_of(routes, f"{path}/", "GET"):
            return path
    return "/"


def _route_of(routes: MapAdapter | None, path: str, method: str) -> str | None:
    try:
        found = routes.match(unquote(path), method, return_rule=True) if routes else None
    except HTTPException:
        return None
    return found[0].rule if found else None

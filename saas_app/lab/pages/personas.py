"""Seeing Workroom as a demo person: the list of people, the switch, and the way back."""

from __future__ import annotations

from dataclasses import replace

from quart import Blueprint, redirect, request
from quart.typing import ResponseReturnValue

from saas_app.email_domains.changes.joins import note_join
from saas_app.identity.logto_messages import SignInOptions
from saas_app.identity.personas import DemoPerson, Persona
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.return_paths import own_path
from saas_app.lab.pages.learners import learner
from saas_app.text.translation import _
from saas_app.text.visible import isolated
from saas_app.web.context import browser, runtime, session_cookie
from saas_app.web.guards import public
from saas_app.web.limits import counts_as_change, limited_by_address
from saas_app.web.notices import notify
from saas_app.web.personas import back_to_own, current_persona, personas, set_aside
from saas_app.web.templating import render
from saas_app.web.visitors import find_principal

blueprint = Blueprint("personas", __name__, url_prefix="/lab/as")


@blueprint.get("")
@learner
async def list_people(principal: SessionPrincipal) -> ResponseReturnValue:
    """Show the demo people, each with a button."""
    return render(
        "lab/personas.html",
        people=personas().people,
        own_username=_own(principal).own_username,
        next_path=own_path(request.args.get("next"), "/o"),
    )


@blueprint.post("")
@limited_by_address
@learner
@counts_as_change
async def see_as(principal: SessionPrincipal) -> ResponseReturnValue:
    """Sign the visitor in as a demo person, with their own session set aside."""
    form = await request.form
    person, next_path = personas().get(form.get("username", "")), own_path(form.get("next"), "/o")
    before, own = current_persona(), _own(principal)
    if person.identifier == own.own_username and before is not None:
        return await back_to_own(before, principal, next_path)
    if person.identifier == (before.username if before else own.own_username):
        await notify(_("You are signed in as %(name)s already.", name=isolated(person.name)), "info")
        return redirect(next_path, 303)
    return await _switch(person, own, principal if before else None, next_path)


@blueprint.post("/back")
@public
async def back() -> ResponseReturnValue:
    """Return to the visitor's own session. Nothing happens if they are there already."""
    personas()
    next_path, persona = own_path((await request.form).get("next")), current_persona()
    if persona is None:
        return redirect(next_path, 303)
    return await back_to_own(persona, await find_principal(), next_path)


def _own(principal: SessionPrincipal) -> Persona:
    """Return the visitor's own session, as the persona that it would be set aside by."""
    return current_persona() or Persona(
        username="",
        own_session=session_cookie(request),
        own_name=principal.display_name,
        own_username=principal.username,
    )


async def _switch(
    person: DemoPerson, own: Persona, played_before: SessionPrincipal | None, next_path: str
) -> ResponseReturnValue:
    persona = replace(own, username=person.identifier, session="", at_logto={})
    visitor = replace(browser(request), session_cookie="")  # so that no other session is touched
    done, persona = await personas().sign_in(persona, visitor, next_path, SignInOptions())
    await note_join(runtime().work, runtime().management, done.claims)
    if played_before is not None:
        await runtime().sign_out.end_without_browser(played_before)
    response = redirect(done.next_path, 303)
    set_aside(response, persona, done.session_cookie)
    return response

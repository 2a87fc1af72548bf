"""Pages: the front page, the caller's organizations, the switcher, and creating an organization."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from quart import Blueprint, redirect, request
from quart.typing import ResponseReturnValue

from saas_app.errors import LogtoUnavailable, RateLimited
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.profiles import Membership
from saas_app.lab.service import find_organization_ids
from saas_app.organizations import service
from saas_app.organizations.changes import creation
from saas_app.organizations.forms import OrganizationForm
from saas_app.text.translation import _
from saas_app.text.visible import isolated
from saas_app.web.context import reader_language, runtime, systems
from saas_app.web.guards import public, signed_in
from saas_app.web.limits import retry_after
from saas_app.web.navigation import path_in
from saas_app.web.notices import notify
from saas_app.web.templating import render
from saas_app.web.visitors import find_last_organization_id, find_principal

blueprint = Blueprint("organizations", __name__)

_LIST_SIZE = 50
_WHOLE_LIST_SIZE = 500  # the search finds the others
_SWITCHER_SIZE = 20
_QUERY_LENGTH = 128


@blueprint.get("/")
@public
async def front() -> ResponseReturnValue:
    """Introduce Workroom. Signed-in people are redirected to the organization they used last."""
    principal = await find_principal()
    if principal is None:
        return render(
            "organizations/front.html",
            example=service.example_decision(),
            example_person=service.EXAMPLE_PERSON,
            offered=runtime().offered,
        )
    last, profiles = await find_last_organization_id(), runtime().profiles
    if last and await profiles.belongs_to(await profiles.get_claims(principal), last):
        return redirect(f"/o/{quote(last, safe='')}/", 303)
    return redirect("/o", 303)


@blueprint.get("/o")
@signed_in
async def list_organizations(principal: SessionPrincipal) -> ResponseReturnValue:
    """List the caller's organizations and roles, sorted by name: the first ones, or all with ``show=all``.

    The list is not paged: an organization that is renamed in between could be missed.
    """
    query, show_all = _query(), request.args.get("show") == "all"
    claims = await runtime().profiles.get_claims(principal)
    memberships = await runtime().profiles.list_memberships(principal, claims)
    practice = await _practice_organizations(principal)
    found = _practice_last(service.search_memberships(memberships, query, reader_language()), practice)
    size = _WHOLE_LIST_SIZE if show_all else _LIST_SIZE
    return render(
        "organizations/list.html",
        memberships=found[:size],
        practice=practice,
        more=max(0, len(found) - size),
        show_all=show_all,
        query=query,
        total=len(memberships),
        can_create=runtime().management is not None,
        waiting=() if query else await runtime().waiting_invitations.list_for(claims),
    )


@blueprint.get("/o/switch")
@signed_in
async def switch(principal: SessionPrincipal) -> ResponseReturnValue:
    """Return the switcher's options as a fragment. Their links lead to the same feature."""
    claims = await runtime().profiles.get_claims(principal)
    memberships = await runtime().profiles.list_memberships(principal, claims)
    practice = await _practice_organizations(principal)
    found = _practice_last(service.search_memberships(memberships, _query(), reader_language()), practice)
    feature = request.args.get("feature", "")

    def target(membership: Membership) -> str:
        return path_in(membership.organization_id, feature, membership.role_names)

    return render(
        "organizations/switch_options.html",
        options=[(membership, target(membership)) for membership in found[:_SWITCHER_SIZE]],
        practice=practice,
        more=max(0, len(found) - _SWITCHER_SIZE),
        current=request.args.get("current", ""),
        query=_query(),
    )


@blueprint.get("/o/new")
@signed_in
async def new_organization(principal: SessionPrincipal) -> ResponseReturnValue:
    """Show the form for a new organization."""
    return _show_form(OrganizationForm())


@blueprint.post("/o/new")
@signed_in
async def create_organization(principal: SessionPrincipal) -> ResponseReturnValue:
    """Create an organization, then renew access, because the grant does not cover the organization yet."""
    form = OrganizationForm(await request.form)
    if not form.validate():
        return _show_form(form), 422
    try:
        created = await creation.create_organization(systems(), principal, form.as_details())
    except (LogtoUnavailable, RateLimited) as error:
        page = _show_form(form, failure=error.detail)
        return page, error.status, retry_after(error)
    await notify(_("%(name)s was created. You are its admin.", name=isolated(created.name)))
    target = f"/o/{quote(created.id, safe='')}/"
    return redirect(f"/sign-in/renew?{urlencode({'next': target})}", 303)


async def _practice_organizations(principal: SessionPrincipal) -> frozenset[str]:
    """Return the ids of the person's practice organizations in the lab, which lists show apart."""
    if runtime().lab is None:
        return frozenset()
    return await find_organization_ids(runtime().work, principal.subject)


def _practice_last(found: list[Membership], practice: frozenset[str]) -> list[Membership]:
    return sorted(found, key=lambda membership: membership.organization_id in practice)


def _show_form(form: OrganizationForm, failure: str = "") -> str:
    return render(
        "organizations/new.html", form=form, can_create=runtime().management is not None, failure=failure
    )


def _query() -> str:
    return request.args.get("q", "").strip()[:_QUERY_LENGTH]

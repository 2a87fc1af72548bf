"""The search: a page, and the list in the command palette.

What belongs to no organization has a route of its own, so that the path names the organization whose
permissions decide. The palette asks both.
"""

from __future__ import annotations

from typing import Final

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Carrier
from saas_app.search import service
from saas_app.search.values import Group
from saas_app.web.context import database, reader_language, runtime
from saas_app.web.guards import requires_member, signed_in
from saas_app.web.templating import render
from saas_app.web.tokens import with_token

blueprint = Blueprint("search", __name__)

_QUERY_LENGTH: Final = 128


@blueprint.get("/search")
@signed_in
async def search_own(principal: SessionPrincipal) -> ResponseReturnValue:
    """Find the caller's organizations and own pages."""
    claims = await runtime().profiles.get_claims(principal)
    memberships = await runtime().profiles.list_memberships(principal, claims)
    return _show(service.search_own(memberships, _query(), reader_language()))


@blueprint.get("/o/<organization_id>/search")
@requires_member
async def search_organization(tenant: Tenant) -> ResponseReturnValue:
    """Find pages, actions, projects and people of the organization."""
    for carrier in Carrier:
        tenant = await with_token(tenant, carrier)
    return _show(await service.search_organization(database(), tenant, _query()))


def _show(groups: list[Group]) -> str:
    """Return the page, or for the palette (``part=options``) only its list."""
    is_part = request.args.get("part") == "options"
    template = "search/_groups.html" if is_part else "search/results.html"
    return render(template, groups=groups, query=_query(), as_options=is_part)


def _query() -> str:
    return request.args.get("q", "").strip()[:_QUERY_LENGTH]

"""Pages of the support team, in its own organization: whom it can act for, and whom it acted for."""

from __future__ import annotations

import uuid

from quart import Blueprint, redirect, request, url_for
from quart.typing import ResponseReturnValue

from saas_app.db.base import utc_now
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Permission
from saas_app.support import changes, service
from saas_app.text.translation import _
from saas_app.text.visible import isolated
from saas_app.web.context import reader_language, runtime
from saas_app.web.guards import requires
from saas_app.web.notices import notify
from saas_app.web.pagination import decode_cursor, encode_cursor, page_of
from saas_app.web.templating import render

blueprint = Blueprint("support_desk", __name__, url_prefix="/o/<organization_id>/support")

_PAGE_SIZE = 20


@blueprint.get("")
@requires(Permission.SUPPORT_ACT)
async def show_desk(tenant: Tenant) -> ResponseReturnValue:
    """List the organizations that allow support access, and the agent's own accesses."""
    service.require_team(runtime().settings, tenant)
    after = decode_cursor(request.args.get("after"), uuid.UUID)
    before = after[0] if after else None
    agent, directory = tenant.principal.subject, runtime().directory
    own = await service.list_own(runtime().work, directory, agent, before, _PAGE_SIZE + 1)
    return render(
        "support/desk.html",
        organizations=await service.list_open(runtime().work, directory, reader_language(), tenant),
        own=page_of(own, _PAGE_SIZE, lambda access: encode_cursor(access.row.id), after=after),
        now=utc_now(),
    )


@blueprint.post("/<uuid:access_id>/end")
@requires(Permission.SUPPORT_ACT)
async def end_own(tenant: Tenant, access_id: uuid.UUID) -> ResponseReturnValue:
    """End an own access."""
    service.require_team(runtime().settings, tenant)
    work, agent = runtime().work, tenant.principal
    own = await service.get_own(work, agent.subject, access_id)
    await changes.end_own(work, agent, own.organization_id, access_id)
    await notify(_("You are no longer acting for %(name)s.", name=isolated(own.member_name)))
    return redirect(url_for("support_desk.show_desk", organization_id=tenant.organization_id), 303)

"""What an organization sees of support access: what it allows, who acts for whom now, and who did."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

from quart import Blueprint, redirect, request, url_for
from quart.typing import ResponseReturnValue

from saas_app.db.base import utc_now
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Permission
from saas_app.support import changes, service
from saas_app.support.forms import DURATIONS, FIRST_DURATION, read_consent
from saas_app.support.values import LONGEST_CONSENT
from saas_app.text.translation import _
from saas_app.web.context import database, runtime, transaction
from saas_app.web.durations import duration_field
from saas_app.web.guards import requires
from saas_app.web.notices import notify
from saas_app.web.pagination import decode_cursor, encode_cursor, page_of
from saas_app.web.templating import render

blueprint = Blueprint("support_access", __name__, url_prefix="/o/<organization_id>/support-access")

_PAGE_SIZE = 20


@blueprint.get("")
@requires(Permission.ORGANIZATION_UPDATE)
async def show_access(tenant: Tenant) -> ResponseReturnValue:
    """Show what the organization allows, the live accesses, and those of the last 90 days."""
    service.require_customer(runtime().settings, tenant)
    after = decode_cursor(request.args.get("after"), uuid.UUID)
    before = after[0] if after else None
    live = await service.list_live(database(), tenant.organization_id)
    recent = await service.list_recent(database(), tenant.organization_id, before, _PAGE_SIZE + 1)
    page = page_of(recent, _PAGE_SIZE, lambda row: encode_cursor(row.id), after=after)
    return render(
        "support/access.html",
        consent=await service.get_consent(database(), tenant.organization_id),
        live=live,
        page=replace(page, items=tuple(row for row in page.items if row not in live)),
        durations=duration_field(DURATIONS, FIRST_DURATION, within=(timedelta(), LONGEST_CONSENT)),
        now=utc_now(),
    )


@blueprint.post("")
@requires(Permission.ORGANIZATION_UPDATE)
async def save_consent(tenant: Tenant) -> ResponseReturnValue:
    """Allow support access, or stop it. Stopping it ends live accesses immediately."""
    service.require_customer(runtime().settings, tenant)
    choice = read_consent(await request.form)
    if choice is None:
        await changes.forbid(transaction(), tenant)
        await notify(_("Support access is turned off. Any access in use has ended."))
    else:
        await changes.allow(transaction(), tenant, choice)
        await notify(_("Support access is allowed."))
    return _back(tenant)


@blueprint.post("/<uuid:access_id>/end")
@requires(Permission.ORGANIZATION_UPDATE)
async def end_access(tenant: Tenant, access_id: uuid.UUID) -> ResponseReturnValue:
    """End a live access. The agent's next request is rejected."""
    service.require_customer(runtime().settings, tenant)
    ended = await changes.end(transaction(), tenant, access_id)
    await notify(ended.is_over)
    return _back(tenant)


def _back(tenant: Tenant) -> ResponseReturnValue:
    return redirect(url_for("support_access.show_access", organization_id=tenant.organization_id), 303)

"""Routes of the JSON API for support access, as an organization allows and sees it.

Starting one needs the browser of an agent.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field, StrictBool
from quart import Blueprint, Response
from quart_schema import Tag, tag

from saas_app.db.base import utc_now
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Permission
from saas_app.support import changes, service
from saas_app.support.values import LONGEST_CONSENT, ConsentChoice
from saas_app.web.context import database, runtime, transaction
from saas_app.web.guards import requires
from saas_app.web.json_api import (
    WHOLE,
    ApiModel,
    ApiResponse,
    answers,
    validate_request,
    validate_response,
)

TAG = Tag("support-access", description="What the operator’s support team may do in the organization")
blueprint = Blueprint(
    "support_access_api", __name__, url_prefix="/api/v1/organizations/<organization_id>/support-access"
)

_RECENT = 100
_LONGEST = int(LONGEST_CONSENT.total_seconds() // 60)


class SupportAccessView(ApiModel):
    """Ten minutes in which an agent of the support team acted for a member.

    `ended_by` names who ended it early, and is null if it ended on its own or is live.
    """

    id: uuid.UUID
    agent_id: str
    agent_name: str
    member_id: str
    member_name: str
    reason: str
    ticket: str
    writes: bool
    started_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    ended_by: str | None


class SupportAccessList(ApiModel):
    """What the organization allows, and the last accesses, the newest first.

    `until` is null if support access stays allowed until somebody turns it off.
    """

    allowed: bool
    until: datetime | None
    writes: bool
    live: list[SupportAccessView]
    recent: list[SupportAccessView]


class SupportAccessChange(ApiModel):
    """What the organization allows from now on.

    Without `minutes`, it stays allowed until somebody turns it off. `writes` also allows changes of projects
    and tasks.
    """

    allowed: StrictBool
    minutes: Annotated[int, Field(ge=1, le=_LONGEST), WHOLE] | None = None
    writes: StrictBool = False


@blueprint.get("")
@requires(Permission.ORGANIZATION_UPDATE)
@tag(["support-access"])
@validate_response(SupportAccessList)
async def get_support_access(tenant: Tenant) -> ApiResponse:
    """Read what the organization allows, and who acts or acted for its members in the last 90 days."""
    service.require_customer(runtime().settings, tenant)
    return await _current(tenant)


@blueprint.put("")
@requires(Permission.ORGANIZATION_UPDATE)
@tag(["support-access"])
@validate_request(SupportAccessChange)
@validate_response(SupportAccessList)
async def change_support_access(tenant: Tenant, data: SupportAccessChange) -> ApiResponse:
    """Allow support access, or turn it off, which ends live accesses immediately."""
    service.require_customer(runtime().settings, tenant)
    if data.allowed:
        until = None if data.minutes is None else utc_now() + timedelta(minutes=data.minutes)
        await changes.allow(transaction(), tenant, ConsentChoice(until, data.writes))
    else:
        await changes.forbid(transaction(), tenant)
    return await _current(tenant)


@blueprint.delete("/<uuid:access_id>")
@requires(Permission.ORGANIZATION_UPDATE)
@tag(["support-access"])
@answers(204)
async def end_support_access(tenant: Tenant, access_id: uuid.UUID) -> ApiResponse:
    """End a live access. The agent's next request is rejected."""
    service.require_customer(runtime().settings, tenant)
    await changes.end(transaction(), tenant, access_id)
    return Response(status=204)


async def _current(tenant: Tenant) -> SupportAccessList:
    live = await service.list_live(database(), tenant.organization_id)
    recent = await service.list_recent(database(), tenant.organization_id, None, _RECENT)
    allowed = await service.get_consent(database(), tenant.organization_id)
    return SupportAccessList(
        allowed=allowed.is_allowed,
        until=allowed.until,
        writes=allowed.writes,
        live=[SupportAccessView.of(row) for row in live],
        recent=[SupportAccessView.of(row) for row in recent if row not in live],
    )

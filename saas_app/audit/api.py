"""Routes of the JSON API for the audit log."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, Field
from quart import Blueprint
from quart_schema import Tag, tag

from saas_app.audit import service
from saas_app.audit.recorder import Action
from saas_app.audit.values import ActorType, EventFilter, EventRow, Outcome
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Permission
from saas_app.web.context import database
from saas_app.web.guards import requires
from saas_app.web.json_api import (
    ApiModel,
    ApiResponse,
    ListQuery,
    Moment,
    Search,
    list_response,
    validate_querystring,
    validate_response,
)
from saas_app.web.pagination import decode_cursor, encode_cursor

TAG = Tag("audit", description="Changes and denied requests")
blueprint = Blueprint(
    "audit_api", __name__, url_prefix="/api/v1/organizations/<organization_id>/audit-events"
)

_NAME_LENGTH = 320
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
_LAST = datetime(2999, 1, 1, tzinfo=UTC)  # the database and UUIDv7 keys support little more


def _bounded(moment: datetime) -> datetime:
    """Return the moment, limited to the range in which events can exist."""
    return min(max(moment, _FIRST), _LAST).astimezone(UTC)


BoundedMoment: TypeAlias = Annotated[Moment, AfterValidator(_bounded)]


class EventQuery(ListQuery):
    """The filter of entries, the newest first. `since` is included, `until` is not."""

    actor_id: Annotated[str, Search(_NAME_LENGTH)] = Field(
        "", description="The actor: the ID of a user or an API client"
    )
    action: Action | None = None
    outcome: Outcome | None = None
    target_id: Annotated[str, Search(_NAME_LENGTH)] = Field("", description="The ID of the changed item")
    since: BoundedMoment | None = None
    until: BoundedMoment | None = None


class ActorView(ApiModel):
    """The actor of an event."""

    type: ActorType
    id: str
    name: str


class BehalfView(ApiModel):
    """The member for whom an agent of the support team acted."""

    id: str
    name: str


class TargetView(ApiModel):
    """The target of an event."""

    type: str
    id: str
    name: str


class EventView(ApiModel):
    """An audit log entry. `before` and `after` hold what changed. `decision` is set for a denial.

    `on_behalf_of` is set if the actor acted for a member, in support access.
    """

    id: uuid.UUID
    occurred_at: datetime
    actor: ActorView
    on_behalf_of: BehalfView | None
    action: str
    target: TargetView
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    outcome: Outcome
    decision: dict[str, Any] | None
    request_id: str
    address: str


class EventList(ApiModel):
    """A page of audit log entries."""

    items: list[EventView]
    next_cursor: str | None


@blueprint.get("")
@requires(Permission.AUDIT_READ)
@tag(["audit"])
@validate_querystring(EventQuery)
@validate_response(EventList)
async def list_audit_events(tenant: Tenant, query_args: EventQuery) -> ApiResponse:
    """List the entries of the audit log."""
    wanted = EventFilter(**query_args.model_dump(exclude={"limit", "cursor"}))
    decoded = decode_cursor(query_args.cursor, uuid.UUID)
    before = None if decoded is None else decoded[0]
    found = await service.page_events(database(), wanted, before=before, size=query_args.limit)
    cursor = None if found.further is None else encode_cursor(found.further)
    return list_response(EventList(items=[_view(row) for row in found.rows], next_cursor=cursor), cursor)


def _view(row: EventRow) -> EventView:
    behalf = None if row.behalf_id is None else BehalfView(id=row.behalf_id, name=row.behalf_name or "")
    return EventView(
        id=row.id,
        occurred_at=row.occurred_at,
        actor=ActorView(type=row.actor_type, id=row.actor_id, name=row.actor_name),
        on_behalf_of=behalf,
        action=row.action,
        target=TargetView(type=row.target_type, id=row.target_id, name=row.target_name),
        before=row.before,
        after=row.after,
        outcome=row.outcome,
        decision=row.plain_decision,
        request_id=row.request_id,
        address=row.address,
    )

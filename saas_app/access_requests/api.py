"""Routes of the JSON API for access requests: asking, the list, deciding, withdrawing."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict
from quart import Blueprint, url_for
from quart_schema import tag

from saas_app.access_requests import changes, service
from saas_app.access_requests.values import (
    MAX_MINUTES,
    MIN_MINUTES,
    TEXT_LENGTH,
    RequestRow,
    ShownState,
    WantedAccess,
)
from saas_app.db.base import utc_now
from saas_app.errors import Invalid
from saas_app.identity.tenant import Tenant
from saas_app.members.api_roles import PersonRole, end_named_as_sent
from saas_app.rbac.permissions import Carrier, Permission
from saas_app.text.translation import _
from saas_app.web.context import database, open_reading, organization_change
from saas_app.web.guards import requires, requires_member
from saas_app.web.json_api import (
    WHOLE,
    ApiModel,
    ApiResponse,
    ListQuery,
    Moment,
    Text,
    answers,
    list_response,
    repeatable,
    sends,
    validate_querystring,
    validate_request,
    validate_response,
)
from saas_app.web.pagination import decode_cursor, encode_cursor, page_of
from saas_app.web.tokens import with_token

blueprint = Blueprint(
    "access_requests_api", __name__, url_prefix="/api/v1/organizations/<organization_id>/access-requests"
)


class NewAccessRequest(ApiModel):
    """A request for a role. Without `minutes`, the role does not end.

    You can also ask for a role that you have until a certain time, for longer. `minutes` counts from the
    approval. `permission` is what you lacked. It is shown to those who decide.
    """

    role: PersonRole
    reason: Annotated[str, Text(TEXT_LENGTH, shortest=1)]
    permission: Permission | None = None
    minutes: Annotated[int, Field(ge=MIN_MINUTES, le=MAX_MINUTES), WHOLE] | None = None


_EITHER: JsonDict = {
    "not": {
        "required": ["ends_at", "minutes"],
        "properties": {"ends_at": {"type": "string"}, "minutes": {"type": "integer"}},
    }
}
"""In the schema, one of both is left out. :func:`_end_of` refuses the other requests."""


class Approval(ApiModel):
    """The end of the role: a time, or a number of minutes from now. Without either, the role does not end.

    `held_until` is that of the request, as you read it. If it is not null, the end must be later.
    """

    model_config = ConfigDict(json_schema_extra=_EITHER)

    ends_at: Moment | None = None
    minutes: Annotated[int, Field(ge=MIN_MINUTES, le=MAX_MINUTES), WHOLE] | None = None
    held_until: Moment | None = None


class Decline(ApiModel):
    """The answer to the member, which may be empty."""

    answer: Annotated[str, Text(TEXT_LENGTH)] = ""


class AccessRequestView(ApiModel):
    """An access request. `minutes` is for how long the member needs the role; null means without an end.

    `held_until` is the end of a role that the member has now and asks to keep longer, while the request waits
    for a decision. `ends_at` is the end of the role that an approval set, if it set one. `decided_by` is the
    ID of who closed the request; its author does not get it if the organization hides who can approve.
    """

    id: uuid.UUID
    requester_id: str
    requester_name: str
    role: str
    permission: str | None
    minutes: int | None
    reason: str
    state: ShownState
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    answer: str
    held_until: datetime | None
    ends_at: datetime | None


class AccessRequestList(ApiModel):
    """A page of access requests. Those that wait for a decision come first."""

    items: list[AccessRequestView]
    next_cursor: str | None


@blueprint.get("")
@requires(Permission.MEMBERS_UPDATE)
@tag(["members"])
@validate_querystring(ListQuery)
@validate_response(AccessRequestList)
async def list_access_requests(tenant: Tenant, query_args: ListQuery) -> ApiResponse:
    """List access requests: those that wait for a decision first, and of each kind the newest first."""
    after = decode_cursor(query_args.cursor, int, uuid.UUID)
    place = (after[0], after[1]) if after else None
    rows = await service.list_requests(database(), place, query_args.limit + 1)
    page = page_of(rows, query_args.limit, lambda row: encode_cursor(*row.key))
    body = AccessRequestList(items=[_view(row) for row in page.items], next_cursor=page.next_cursor)
    return list_response(body, page.next_cursor)


@blueprint.post("")
@requires_member
@tag(["members"])
@answers(403, 409)
@sends("Location")
@repeatable
@validate_request(NewAccessRequest)
@validate_response(AccessRequestView, 201)
async def create_access_request(tenant: Tenant, data: NewAccessRequest) -> ApiResponse:
    """Ask for a role, or to keep one longer. Members who could approve the request are notified.

    API clients cannot ask.
    """
    wanted = WantedAccess(data.role, data.reason, data.minutes, data.permission)
    request_id = await changes.ask(organization_change(tenant), wanted)
    address = url_for(
        "access_requests_api.get_access_request",
        organization_id=tenant.organization_id,
        request_id=request_id,
    )
    return await _read(tenant, request_id), 201, {"Location": address}


@blueprint.get("/<uuid:request_id>")
@requires_member
@tag(["members"])
@validate_response(AccessRequestView)
async def get_access_request(tenant: Tenant, request_id: uuid.UUID) -> ApiResponse:
    """Read a request: your own, or any with the permission `members:update`."""
    return await _read(await with_token(tenant, Carrier.ORGANIZATION_TOKEN), request_id)


@blueprint.post("/<uuid:request_id>/approve")
@requires(Permission.MEMBERS_UPDATE, complete=True)
@tag(["members"])
@answers(409)
@validate_request(Approval)
@validate_response(AccessRequestView)
async def approve_access_request(tenant: Tenant, request_id: uuid.UUID, data: Approval) -> ApiResponse:
    """Give the member the role, or let it end later. Callers can give only what they have, for as long."""
    with end_named_as_sent():
        await changes.approve(organization_change(tenant), request_id, _end_of(data), data.held_until)
    return await _read(tenant, request_id)


@blueprint.post("/<uuid:request_id>/decline")
@requires(Permission.MEMBERS_UPDATE, complete=True)
@tag(["members"])
@answers(409)
@validate_request(Decline)
@validate_response(AccessRequestView)
async def decline_access_request(tenant: Tenant, request_id: uuid.UUID, data: Decline) -> ApiResponse:
    """Decline the request. The member sees the answer."""
    await changes.decline(organization_change(tenant), request_id, data.answer)
    return await _read(tenant, request_id)


@blueprint.post("/<uuid:request_id>/withdraw")
@requires_member
@tag(["members"])
@answers(409)
@validate_response(AccessRequestView)
async def withdraw_access_request(tenant: Tenant, request_id: uuid.UUID) -> ApiResponse:
    """Withdraw your own request."""
    await changes.withdraw(organization_change(tenant), request_id)
    return await _read(tenant, request_id)


def _end_of(data: Approval) -> datetime | None:
    if data.ends_at is not None and data.minutes is not None:
        raise Invalid(fields={"minutes": _("Send either ends_at or minutes.")})
    return utc_now() + timedelta(minutes=data.minutes) if data.minutes is not None else data.ends_at


async def _read(tenant: Tenant, request_id: uuid.UUID) -> AccessRequestView:
    async with open_reading(tenant) as db:
        return _view(await service.get_request(db, tenant, request_id))


def _view(row: RequestRow) -> AccessRequestView:
    return AccessRequestView(
        id=row.id,
        requester_id=row.requester_id,
        requester_name=row.requester_name,
        role=row.role,
        permission=row.permission,
        minutes=row.minutes,
        reason=row.reason,
        state=row.state,
        created_at=row.created_at,
        expires_at=row.expires_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        answer=row.answer,
        held_until=row.held_until,
        ends_at=row.ends_at,
    )

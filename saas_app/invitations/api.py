"""Routes of the JSON API for invitations. A request creates one; its outcome decides the status."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, Field
from quart import Blueprint
from quart_schema import tag

from saas_app.errors import Conflict, LogtoUnavailable
from saas_app.identity.tenant import Tenant
from saas_app.invitations import service
from saas_app.invitations.changes import pending
from saas_app.invitations.changes.inviting import invite
from saas_app.invitations.outcomes import Outcome, OutcomeKind
from saas_app.invitations.values import InvitationInput, InvitationRow, InvitationState
from saas_app.members.api_roles import PersonRole
from saas_app.members.roles import read_choice
from saas_app.rbac.permissions import Permission, Role
from saas_app.text.addresses import NotAnAddress, read_address
from saas_app.text.translation import _
from saas_app.web.context import database, management, organization_change, runtime
from saas_app.web.guards import requires
from saas_app.web.json_api import (
    ApiModel,
    ApiResponse,
    ListQuery,
    WholeNumber,
    answers,
    list_response,
    repeatable,
    validate_querystring,
    validate_request,
    validate_response,
)
from saas_app.web.pagination import decode_cursor, encode_cursor, page_of

blueprint = Blueprint(
    "invitations_api", __name__, url_prefix="/api/v1/organizations/<organization_id>/invitations"
)

_LONGEST_DAYS: Final = 30
_DONE = frozenset({OutcomeKind.SENT, OutcomeKind.LINK_ONLY})
_UNTRIED = frozenset({OutcomeKind.UNKNOWN, OutcomeKind.NOT_TRIED})


def _address(text: str) -> str:
    try:
        return read_address(text)
    except NotAnAddress:
        raise ValueError(_("must be an email address")) from None


EmailAddress: TypeAlias = Annotated[
    str, AfterValidator(_address), Field(max_length=128, json_schema_extra={"format": "email"})
]


class InvitationQuery(ListQuery):
    """The filter of invitations, the newest first."""

    state: InvitationState = InvitationState.PENDING


class NewInvitation(ApiModel):
    """The person to invite, their roles, and the days until the invitation expires."""

    email: EmailAddress
    roles: list[PersonRole] = Field(min_length=1, max_length=len(Role))
    days: WholeNumber = Field(7, ge=1, le=_LONGEST_DAYS)


class CreatedInvitation(ApiModel):
    """The result of an invitation. Send the `link` yourself if no email could be sent (`link only`)."""

    email: str
    outcome: OutcomeKind
    explanation: str
    link: str | None


class InvitationView(ApiModel):
    """An invitation. `invited_by` is null if its creator is unknown to Workroom."""

    id: str
    email: str
    state: InvitationState
    roles: list[str]
    invited_by: str | None
    created_at: datetime
    expires_at: datetime
    link: str


class InvitationList(ApiModel):
    """A page of invitations."""

    items: list[InvitationView]
    next_cursor: str | None


@blueprint.get("")
@requires(Permission.MEMBERS_INVITE)
@tag(["members"])
@answers(409)
@validate_querystring(InvitationQuery)
@validate_response(InvitationList)
async def list_invitations(tenant: Tenant, query_args: InvitationQuery) -> ApiResponse:
    """List the invitations in one state."""
    decoded = decode_cursor(query_args.cursor, datetime, str)
    found = await service.list_invitations(database(), management(), tenant, query_args.state, _app_url())
    after = (decoded[0], decoded[1]) if decoded else None
    rows = service.rows_after(found.rows, after, query_args.limit + 1)
    page = page_of(rows, query_args.limit, lambda row: encode_cursor(*row.key))
    body = InvitationList(items=[_view(row) for row in page.items], next_cursor=page.next_cursor)
    return list_response(body, page.next_cursor)


@blueprint.post("")
@requires(Permission.MEMBERS_INVITE, complete=True)
@tag(["members"])
@answers(409)
@repeatable
@validate_request(NewInvitation)
@validate_response(CreatedInvitation, 201)
async def create_invitation(tenant: Tenant, data: NewInvitation) -> ApiResponse:
    """Invite a person. Returns 409 if they are already a member or invited, or if Logto rejects it."""
    roles = read_choice([role.value for role in data.roles])
    wanted = InvitationInput((data.email,), roles, data.days)
    (outcome,) = await invite(organization_change(tenant), wanted, runtime().invitation_links)
    runtime().waiting_invitations.forget_none(wanted.addresses)
    return _created(outcome), 201


@blueprint.get("/<invitation_id>")
@requires(Permission.MEMBERS_INVITE)
@tag(["members"])
@answers(409)
@validate_response(InvitationView)
async def get_invitation(tenant: Tenant, invitation_id: str) -> ApiResponse:
    """Read an invitation."""
    return await _read(tenant, invitation_id)


@blueprint.post("/<invitation_id>/resend")
@requires(Permission.MEMBERS_INVITE)
@tag(["members"])
@answers(409)
@validate_response(InvitationView)
async def resend_invitation(tenant: Tenant, invitation_id: str) -> ApiResponse:
    """Resend the email of an invitation. Its new link replaces the older one, which no longer signs in."""
    await pending.resend(organization_change(tenant), invitation_id, runtime().invitation_links)
    return await _read(tenant, invitation_id)


@blueprint.post("/<invitation_id>/revoke")
@requires(Permission.MEMBERS_INVITE)
@tag(["members"])
@answers(409)
@validate_response(InvitationView)
async def revoke_invitation(tenant: Tenant, invitation_id: str) -> ApiResponse:
    """Revoke an invitation. Its link no longer works."""
    await pending.revoke(organization_change(tenant), invitation_id)
    return await _read(tenant, invitation_id)


async def _read(tenant: Tenant, invitation_id: str) -> InvitationView:
    return _view(await service.get_row(database(), management(), tenant, invitation_id, _app_url()))


def _created(outcome: Outcome) -> CreatedInvitation:
    if outcome.error is not None:
        raise outcome.error
    if outcome.kind in _UNTRIED:
        raise LogtoUnavailable(outcome.explanation)
    if outcome.kind not in _DONE:
        raise Conflict(outcome.explanation)
    return CreatedInvitation(
        email=outcome.address, outcome=outcome.kind, explanation=outcome.explanation, link=outcome.link
    )


def _view(row: InvitationRow) -> InvitationView:
    return InvitationView(
        id=row.id,
        email=row.address,
        state=row.state,
        roles=sorted(row.role_names),
        invited_by=row.inviter_name,
        created_at=row.created_at,
        expires_at=row.expires_at,
        link=row.link,
    )


def _app_url() -> str:
    return runtime().settings.app_url

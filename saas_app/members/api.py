"""Routes of the JSON API for members and machines: lists, roles, removing, leaving."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from pydantic import Field, StrictBool
from quart import Blueprint, Response
from quart_schema import Tag, tag

from saas_app.identity.tenant import Tenant
from saas_app.members import changes, end_changes, service
from saas_app.members.api_roles import PersonRole, end_named_as_sent
from saas_app.members.cursors import following, read_position
from saas_app.members.roles import get_person_role, read_choice
from saas_app.members.values import Listing, Machine, Member, MembersFilter, WantedRoles
from saas_app.rbac.permissions import Permission, Role
from saas_app.web.context import management, organization_change
from saas_app.web.guards import requires, requires_member
from saas_app.web.json_api import (
    ApiModel,
    ApiResponse,
    ListQuery,
    Moment,
    Search,
    accepts_if_match,
    answers,
    etag_of,
    list_response,
    matches,
    require_match,
    requires_if_match,
    sends,
    validate_querystring,
    validate_request,
    validate_response,
)

TAG = Tag("members", description="Members, API clients and invitations of the organization")
blueprint = Blueprint("members_api", __name__, url_prefix="/api/v1/organizations/<organization_id>")

_SEARCH_LENGTH = 128


class MemberQuery(ListQuery):
    """The filter of members: a part of the name, username, email address or phone number, and a role."""

    search: Annotated[str, Search(_SEARCH_LENGTH)] = ""
    role: Role | None = None


class MachineQuery(ListQuery):
    """The filter of machines: a part of the name."""

    search: Annotated[str, Search(_SEARCH_LENGTH)] = ""


class RoleEndView(ApiModel):
    """When a role ends that a member has for a time."""

    role: str
    ends_at: datetime


class MemberView(ApiModel):
    """A member of the organization. Roles that are not in `role_ends` do not end."""

    id: str
    name: str
    email: str | None
    is_suspended: bool
    roles: list[str]
    role_ends: list[RoleEndView]


class MemberList(ApiModel):
    """A page of members. `total` counts all pages."""

    items: list[MemberView]
    total: int
    next_cursor: str | None


class MachineView(ApiModel):
    """An API client of the organization."""

    id: str
    name: str
    roles: list[str]


class MachineList(ApiModel):
    """A page of API clients. `total` counts all pages."""

    items: list[MachineView]
    total: int
    next_cursor: str | None


class RolesChange(ApiModel):
    """All roles of the member after the change. To give up your own permissions, set `accept_own_loss`.

    Roles that the change adds end at `ends_at`, at least 5 minutes and at most 365 days from now. By default,
    they do not end.
    """

    roles: list[PersonRole] = Field(max_length=len(Role))
    accept_own_loss: StrictBool = False
    ends_at: Moment | None = None


class RoleEndChange(ApiModel):
    """The new end of a role, at least 5 minutes and at most 365 days from now, or `null` for no end."""

    ends_at: Moment | None


@blueprint.get("/members")
@requires(Permission.MEMBERS_READ)
@tag(["members"])
@answers(409)
@validate_querystring(MemberQuery)
@validate_response(MemberList)
async def list_members(tenant: Tenant, query_args: MemberQuery) -> ApiResponse:
    """List the members of the organization."""
    role = query_args.role.value if query_args.role else ""

    async def read(page: int, size: int) -> Listing[Member]:
        wanted = MembersFilter(query_args.search.strip(), role, page=page, page_size=size)
        return (await service.list_people(organization_change(tenant), wanted)).page

    found = await following(read_position(query_args.cursor, query_args.limit), read)
    items = [_view(item) for item in found.items]
    body = MemberList(items=items, total=found.total, next_cursor=found.next_cursor)
    return list_response(body, found.next_cursor)


@blueprint.get("/machines")
@requires(Permission.MEMBERS_READ)
@tag(["members"])
@answers(409)
@validate_querystring(MachineQuery)
@validate_response(MachineList)
async def list_machines(tenant: Tenant, query_args: MachineQuery) -> ApiResponse:
    """List the API clients of the organization."""

    async def read(page: int, size: int) -> Listing[Machine]:
        wanted = MembersFilter(query_args.search.strip(), page=page, page_size=size)
        return await service.list_machines(management(), tenant, wanted)

    found = await following(read_position(query_args.cursor, query_args.limit), read)
    items = [MachineView(id=item.id, name=item.name, roles=sorted(item.role_names)) for item in found.items]
    body = MachineList(items=items, total=found.total, next_cursor=found.next_cursor)
    return list_response(body, found.next_cursor)


@blueprint.get("/members/<user_id>")
@requires(Permission.MEMBERS_READ)
@tag(["members"])
@answers(409)
@sends("ETag")
@validate_response(MemberView)
async def get_member(tenant: Tenant, user_id: str) -> ApiResponse:
    """Read a member. The `ETag` identifies their roles and the ends of these."""
    member = await service.get_member(organization_change(tenant), user_id)
    return _view(member), 200, _tag_of(member)


@blueprint.put("/members/<user_id>/roles")
@requires(Permission.MEMBERS_UPDATE, complete=True)
@tag(["members"])
@answers(409)
@requires_if_match
@validate_request(RolesChange)
@validate_response(MemberView)
async def replace_roles(tenant: Tenant, user_id: str, data: RolesChange) -> ApiResponse:
    """Change the roles of a member. Callers can assign only roles whose permissions they have."""
    chosen = read_choice([role.value for role in data.roles])
    member = await service.get_member(organization_change(tenant), user_id)
    require_match(_tag_of(member))
    wanted = WantedRoles(
        user_id,
        member.role_names,
        chosen,
        accepts_own_loss=data.accept_own_loss,
        until=data.ends_at,
    )
    with end_named_as_sent():
        plan = await changes.change_roles(organization_change(tenant), wanted)
    changed = replace(plan.member, role_names=plan.after, ends=plan.ends)
    return _view(changed), 200, _tag_of(changed)


@blueprint.put("/members/<user_id>/roles/<role_name>/end")
@requires(Permission.MEMBERS_UPDATE, complete=True)
@tag(["members"])
@answers(409)
@requires_if_match
@validate_request(RoleEndChange)
@validate_response(MemberView)
async def set_role_end(tenant: Tenant, user_id: str, role_name: str, data: RoleEndChange) -> ApiResponse:
    """Let a role of a member end later, sooner or never. To end it now, change their roles."""
    role = get_person_role(role_name)
    member = await service.get_member(organization_change(tenant), user_id)
    require_match(_tag_of(member))
    seen = member.ends.get(role.value)
    with end_named_as_sent():
        before = await end_changes.set_end(organization_change(tenant), user_id, role, seen, data.ends_at)
    ends = {**before.ends, role.value: data.ends_at}
    changed = replace(before, ends={name: end for name, end in ends.items() if end is not None})
    return _view(changed), 200, _tag_of(changed)


@blueprint.delete("/members/<user_id>")
@requires(Permission.MEMBERS_REMOVE)
@tag(["members"])
@answers(204, 409)
@accepts_if_match
async def remove_member(tenant: Tenant, user_id: str) -> ApiResponse:
    """Remove a member from the organization. They lose access immediately."""
    member = await service.get_member(organization_change(tenant), user_id)
    seen = member.role_names if matches(_tag_of(member)) else None
    await changes.remove_member(organization_change(tenant), user_id, seen)
    return Response(status=204)


@blueprint.post("/leave")
@requires_member
@tag(["members"])
@answers(204, 409)
async def leave_organization(tenant: Tenant) -> ApiResponse:
    """Leave the organization."""
    await changes.leave(organization_change(tenant))
    return Response(status=204)


def _view(member: Member) -> MemberView:
    return MemberView(
        id=member.id,
        name=member.display_name,
        email=member.email,
        is_suspended=member.is_suspended,
        roles=sorted(member.role_names),
        role_ends=[RoleEndView(role=name, ends_at=end) for name, end in sorted(member.ends.items())],
    )


def _tag_of(member: Member) -> dict[str, str]:
    ends = (f"{role} until {end.isoformat()}" for role, end in sorted(member.ends.items()))
    return etag_of(member.id, *sorted(member.role_names), *ends)

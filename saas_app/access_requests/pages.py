"""Pages of access requests: asking, the list, and one request, which is decided or withdrawn."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import cast

from quart import Blueprint, redirect, request, url_for
from quart.typing import ResponseReturnValue

from saas_app.access_requests import changes, service
from saas_app.access_requests.choosing import gained_by
from saas_app.access_requests.forms import AskForm, DeclineForm, read_permission, read_role
from saas_app.access_requests.refusals import AlreadyAsked, RequestNotFound, RequestRefused, TooManyPending
from saas_app.access_requests.values import (
    MAX_NAMED,
    MINUTES,
    RequestRow,
    duration_of,
    is_longer,
    suggested_duration,
)
from saas_app.db.base import utc_now
from saas_app.errors import AppError, AssignmentTooLong, Busy, Invalid, LogtoUnavailable, RateLimited
from saas_app.identity.tenant import Tenant
from saas_app.members.ends import WITHIN
from saas_app.members.forms import read_seen_end, seen_end_field
from saas_app.members.service import get_member
from saas_app.members.values import Member, NotAMember
from saas_app.rbac.assignment import missing_to_assign
from saas_app.rbac.permissions import Carrier, Permission, Role
from saas_app.text.translation import _
from saas_app.text.visible import isolated
from saas_app.web.context import current_tenant, database, open_reading, organization_change
from saas_app.web.durations import (
    UNTIL_FIELD,
    Duration,
    DurationField,
    duration_field,
    full_minute,
    read_end,
    too_late,
)
from saas_app.web.guards import requires, requires_member
from saas_app.web.limits import retry_after
from saas_app.web.notices import notify
from saas_app.web.pagination import decode_cursor, encode_cursor, page_of
from saas_app.web.templating import render
from saas_app.web.times import exact_text
from saas_app.web.tokens import with_token

blueprint = Blueprint("access_requests", __name__, url_prefix="/o/<organization_id>/access-requests")

_PAGE_SIZE = 20


@blueprint.get("/new")
@requires_member
async def new_request(tenant: Tenant) -> ResponseReturnValue:
    """Show the form. The query may name the permission that the caller lacked, or a role."""
    permission = read_permission(request.args.get("permission"))
    role = read_role(request.args.get("role"))
    form = AskForm(data={"permission": permission or "", "role": role or ""})
    try:
        return await _ask_page(tenant, form)
    except LogtoUnavailable as error:
        return await _ask_page(tenant, form, failure=error), error.status, retry_after(error)


@blueprint.post("/new")
@requires_member
async def send_request(tenant: Tenant) -> ResponseReturnValue:
    """Send the request, then show it. What was typed is kept if it cannot be sent."""
    form = AskForm(await request.form)
    try:
        if not form.validate():
            return await _ask_page(tenant, form), 422
        request_id = await changes.ask(organization_change(tenant), form.as_wanted())
    except Invalid as error:
        form.duration.errors = [error.fields["minutes"]]
        return await _ask_page(tenant, form), error.status
    except AlreadyAsked as error:
        await notify(error.detail, "info")
        return _to_request(tenant, cast("uuid.UUID", error.request_id))
    except (LogtoUnavailable, RateLimited, Busy, TooManyPending) as error:
        return await _ask_page(tenant, form, failure=error), error.status, retry_after(error)
    await notify(_("Your request was sent."))
    return _to_request(tenant, request_id)


@blueprint.get("")
@requires(Permission.MEMBERS_UPDATE)
async def list_requests(tenant: Tenant) -> ResponseReturnValue:
    """List requests: those that wait for a decision first, and of each kind the newest first."""
    after = decode_cursor(request.args.get("after"), int, uuid.UUID)
    place = (after[0], after[1]) if after else None
    rows = await service.list_requests(database(), place, _PAGE_SIZE + 1)
    open_requests = await service.count_open().read(database())
    page = page_of(rows, _PAGE_SIZE, lambda row: encode_cursor(*row.key), after=after)
    return render("access_requests/list.html", page=page, open_requests=open_requests)


@blueprint.get("/<uuid:request_id>")
@requires_member
async def show_request(tenant: Tenant, request_id: uuid.UUID) -> ResponseReturnValue:
    """Show a request to its author, and to those who decide."""
    return await _request_page(await with_token(tenant, Carrier.ORGANIZATION_TOKEN), request_id)


@blueprint.post("/<uuid:request_id>/approve")
@requires(Permission.MEMBERS_UPDATE, complete=True)
async def approve(tenant: Tenant, request_id: uuid.UUID) -> ResponseReturnValue:
    """Give the member the role for the chosen time."""
    form = await request.form
    try:
        until, seen = read_end(form), read_seen_end(form) if "seen" in form else None
        row = await changes.approve(organization_change(tenant), request_id, until, seen)
    except Invalid as error:
        page = await _request_page(tenant, request_id, typed=form, problem=error.fields.get(UNTIL_FIELD, ""))
        return page, error.status
    named = {"name": isolated(row.requester_name), "role": isolated(row.role)}
    await notify(
        _("%(name)s now has the %(role)s role.", **named)
        if until is None
        else _("%(name)s now has the %(role)s role until %(time)s.", **named, time=exact_text(until))
    )
    return _to_list(tenant)


@blueprint.errorhandler(AssignmentTooLong)
async def ask_for_earlier_end(error: AssignmentTooLong) -> ResponseReturnValue:
    """Show the request again if the role would outlast those of the caller."""
    tenant, request_id = cast("Tenant", current_tenant()), (request.view_args or {})["request_id"]
    typed = await request.form
    return await _request_page(tenant, request_id, typed=typed, problem=too_late(error.latest)), error.status


@blueprint.post("/<uuid:request_id>/decline")
@requires(Permission.MEMBERS_UPDATE, complete=True)
async def decline(tenant: Tenant, request_id: uuid.UUID) -> ResponseReturnValue:
    """Decline the request, with an answer or without one."""
    form = DeclineForm(await request.form)
    if not form.validate():
        return await _request_page(tenant, request_id, decline_form=form), 422
    row = await changes.decline(organization_change(tenant), request_id, form.answer.data or "")
    await notify(_("The request of %(name)s was declined.", name=isolated(row.requester_name)))
    return _to_list(tenant)


@blueprint.post("/<uuid:request_id>/withdraw")
@requires_member
async def withdraw(tenant: Tenant, request_id: uuid.UUID) -> ResponseReturnValue:
    """Withdraw the caller's own request."""
    await changes.withdraw(organization_change(tenant), request_id)
    await notify(_("Your request was withdrawn."))
    return redirect(url_for("organizations.access", organization_id=tenant.organization_id), 303)


@blueprint.errorhandler(RequestRefused)
@blueprint.errorhandler(RequestNotFound)
@blueprint.errorhandler(NotAMember)
async def refused(error: AppError) -> ResponseReturnValue:
    """Show why nothing was changed, with a link to the request."""
    request_id = getattr(error, "request_id", None)
    return render("access_requests/refused.html", error=error, request_id=request_id), error.status


async def _ask_page(tenant: Tenant, form: AskForm, failure: AppError | None = None) -> str:
    """Return the form, with what was typed. Without Logto, the roles are those that were known before."""
    permission = read_permission(form.permission.data)
    deciders = None
    if not isinstance(failure, LogtoUnavailable):
        deciders = await service.find_deciders(organization_change(tenant))
    roles = service.list_roles(tenant, permission, deciders)
    if not form.role.data:
        form.role.data = next((item.role.value for item in roles if item.may_be_asked), "")
    held_until = next((item.held_until for item in roles if item.role == form.role.data), None)
    async with open_reading(tenant) as db:
        names_approvers = await service.names_approvers(db, tenant)
    return render(
        "access_requests/new.html",
        form=form,
        durations=_durations(form, held_until),
        roles=roles,
        permission=permission,
        names_approvers=names_approvers,
        max_named=MAX_NAMED,
        failure=failure,
    )


def _durations(form: AskForm, held_until: datetime | None) -> DurationField:
    """Return the choice of the time, with what was chosen. It offers no date."""
    problem = " ".join(form.duration.errors)
    suggested = suggested_duration(held_until, otherwise=Duration.NO_END)
    sent = form.duration.data if form.duration.raw_data else suggested
    chosen = next((duration for duration in MINUTES if duration == sent), suggested)
    return duration_field(tuple(MINUTES), chosen, within=(timedelta(0), timedelta(0)), problem=problem)


async def _request_page(
    tenant: Tenant,
    request_id: uuid.UUID,
    *,
    decline_form: DeclineForm | None = None,
    typed: Mapping[str, str] | None = None,
    problem: str = "",
) -> str:
    async with open_reading(tenant) as db:  # ends before Logto is asked
        row = await service.get_request(db, tenant, request_id)
    is_own = service.is_own(tenant, row)
    decides = row.is_pending and not is_own
    member = await _find_requester(tenant, row) if decides else None
    role, held_until = read_role(row.role), member.ends.get(row.role) if member else None
    return render(
        "access_requests/show.html",
        row=row,
        is_own=is_own,
        decides=decides,
        member=member,
        role=role,
        held_until=held_until,
        seen_end_field=seen_end_field(held_until),
        requested_end=_end_of(row),
        gained=gained_by(member.role_names, role, member.ends) if member and role else (),
        missing=_missing(tenant, role),
        durations=_offered_durations(row, held_until, typed, problem),
        form=decline_form or DeclineForm(),
    )


def _offered_durations(
    row: RequestRow, held_until: datetime | None, typed: Mapping[str, str] | None, problem: str
) -> DurationField:
    """Return the choice of the time for an approval, with the requested time selected.

    If the member asked for no end, a time is selected: a role without an end takes a deliberate choice. If
    they have the role for longer than the requested time, it is a time that is longer.
    """
    chosen, end = duration_of(row.minutes) or Duration.DATE, _end_of(row)
    if chosen is Duration.NO_END or not is_longer(row.minutes, held_until):
        chosen = suggested_duration(held_until, otherwise=Duration.DATE)
        end = held_until + timedelta(days=1) if held_until else None
    offered = (Duration.HOUR, Duration.DAY, Duration.WEEK, Duration.DATE, Duration.NO_END)
    end = end if chosen is Duration.DATE else None
    return duration_field(offered, chosen, within=WITHIN, end=end, typed=typed, problem=problem)


def _end_of(row: RequestRow) -> datetime | None:
    """Return when the role would end if the request were approved now, or None for no end."""
    return None if row.minutes is None else full_minute(utc_now() + timedelta(minutes=row.minutes))


async def _find_requester(tenant: Tenant, row: RequestRow) -> Member | None:
    """Return the requester as Logto knows them now, or None if they are no longer a member."""
    try:
        return await get_member(organization_change(tenant), row.requester_id)
    except NotAMember:
        return None


def _missing(tenant: Tenant, role: Role | None) -> tuple[Permission, ...]:
    """Return the permissions that the caller would lack to assign the role. Approving checks the tokens."""
    offered = frozenset(permission for permission in Permission if tenant.offers(permission))
    return missing_to_assign(offered, role) if role else ()


def _to_request(tenant: Tenant, request_id: uuid.UUID) -> ResponseReturnValue:
    url = url_for(
        "access_requests.show_request", organization_id=tenant.organization_id, request_id=request_id
    )
    return redirect(url, 303)


def _to_list(tenant: Tenant) -> ResponseReturnValue:
    return redirect(url_for("access_requests.list_requests", organization_id=tenant.organization_id), 303)

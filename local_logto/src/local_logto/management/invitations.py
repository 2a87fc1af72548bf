"""``/organization-invitations``: inviting an email address to an organization, and the invitation's status.

All errors of a status change have one code; only the message differs. If the email can't be sent, there is no
invitation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from quart import Blueprint, Response, request

from local_logto.connectors.context import message_context
from local_logto.connectors.send_limit import counted_sending
from local_logto.connectors.sending import Outgoing, send
from local_logto.context import current_settings, current_store
from local_logto.errors import RequestError
from local_logto.management import entities
from local_logto.management.failures import invalid_input
from local_logto.management.guard import read_body
from local_logto.management.relations import MEMBER_ROLES, MEMBERS, Relation
from local_logto.management.role_choice import roles_by_owner
from local_logto.management.rows import delete_row, get_row_unnamed, insert_row
from local_logto.management.tables import organization_invitation_roles, organization_invitations
from local_logto.management.users import get_user_row
from local_logto.responses import json_response, no_content
from local_logto.store import new_id, now_ms
from local_logto.tables import organization_users, users
from local_logto.values import AnyObject, Choice, ListOf, Number, OrFalse, OrNull, Shape, Text
from local_logto.webhooks import announce_membership_change

TEMPLATE: Final = "OrganizationInvitation"

_ROLES: Final = Relation(organization_invitation_roles, "organization_role_id")
_INVITATION: Final = Shape(
    required={
        "organizationId": Text(max=21),
        "invitee": Text(min=1, max=256, is_email=True),
        "expiresAt": Number(),
    },
    optional={
        "inviterId": OrNull(Text(max=21)),
        "organizationRoleIds": ListOf(Text()),
        "messagePayload": OrFalse(AnyObject()),
    },
)
_STATUS: Final = Shape(
    required={"status": Choice(("Accepted", "Revoked"))}, optional={"acceptedUserId": OrNull(Text())}
)

blueprint = Blueprint("invitations", __name__, url_prefix="/organization-invitations")


@blueprint.get("")
async def list_invitations() -> Response:
    """List invitations, newest first, narrowed by organization, inviter and, ignoring case, invitee."""
    c = organization_invitations.c
    query = sa.select(organization_invitations).order_by(c.created_at.desc(), c.id)
    for name, column in (("organizationId", c.organization_id), ("inviterId", c.inviter_id)):
        if request.args.get(name):
            query = query.where(column == request.args[name])
    if request.args.get("invitee"):
        query = query.where(sa.func.lower(c.invitee) == request.args["invitee"].lower())
    with current_store().begin() as connection:
        rows = connection.execute(query).mappings().all()
        shown = _shown(connection, rows)
    return json_response(shown)


@blueprint.post("")
async def create_invitation() -> Response:
    """Invite an address. An email is sent only if its payload is given; if that fails, the invitation is
    deleted.
    """
    body = await read_body(_INVITATION)
    if body["expiresAt"] <= now_ms():
        raise invalid_input(400, "The value of `expiresAt` must be in the future.")
    payload = body.get("messagePayload")
    with current_store().begin() as connection:
        _refuse_member(connection, body["organizationId"], body["invitee"])
        _settle_expired(connection, body["organizationId"], body["invitee"])
        row = _insert(connection, body)
        _ROLES.add(connection, body.get("organizationRoleIds", []), organization_invitation_id=row["id"])
        [entity] = _shown(connection, [row])
    if isinstance(payload, dict):
        await _send_or_withdraw(row, payload)
    return json_response(entity, 201)


@blueprint.get("/<invitation_id>")
async def get_invitation(invitation_id: str) -> Response:
    with current_store().begin() as connection:
        [entity] = _shown(connection, [_get(connection, invitation_id)])
    return json_response(entity)


@blueprint.delete("/<invitation_id>")
async def delete_invitation(invitation_id: str) -> Response:
    is_it = organization_invitations.c.id == invitation_id
    with current_store().begin() as connection:
        delete_row(connection, organization_invitations, is_it)
    return no_content()


@blueprint.post("/<invitation_id>/message")
async def send_message(invitation_id: str) -> Response:
    """Send the email, again if it was sent before."""
    payload = await read_body(AnyObject())
    with current_store().begin() as connection:
        row = _get(connection, invitation_id)
    await _send(row, payload)
    return no_content()


@blueprint.put("/<invitation_id>/status")
async def change_status(invitation_id: str) -> Response:
    """Accept or revoke an invitation. Only a person with the invited address joins, with its roles."""
    body = await read_body(_STATUS)
    with current_store().begin() as connection:
        row = _get(connection, invitation_id)
        user_id = body.get("acceptedUserId") if body["status"] == "Accepted" else None
        if body["status"] == "Accepted" and not user_id:
            raise invalid_input(422, "The `acceptedUserId` is required when accepting an invitation.")
        if row["status"] != "Pending" or row["expires_at"] < now_ms():
            raise _is_settled()
        if user_id:
            _join(connection, row, user_id)
        changed = _settle(connection, invitation_id, body["status"], user_id)
        [entity] = _shown(connection, [changed])
    return json_response(entity)


def _settle(connection: sa.Connection, invitation_id: str, status: str, user_id: str | None) -> sa.RowMapping:
    """Write the status once. Of several concurrent callers, exactly one succeeds."""
    pending = (
        sa.update(organization_invitations)
        .where(organization_invitations.c.id == invitation_id)
        .where(organization_invitations.c.status == "Pending")
    )
    values = {"status": status, "accepted_user_id": user_id, "updated_at": now_ms()}
    change = pending.values(**values).returning(*organization_invitations.c)
    row = connection.execute(change).mappings().one_or_none()
    if row is None:
        raise _is_settled()
    return row


def _is_settled() -> RequestError:
    return invalid_input(422, "The status of the invitation cannot be changed anymore.")


def _insert(connection: sa.Connection, body: Mapping[str, Any]) -> sa.RowMapping:
    moment = now_ms()
    values = {
        "id": new_id(),
        "inviter_id": body.get("inviterId"),
        "invitee": body["invitee"],
        "organization_id": body["organizationId"],
        "status": "Pending",
        "created_at": moment,
        "updated_at": moment,
        "expires_at": body["expiresAt"],
    }
    return insert_row(connection, organization_invitations, values)


def _get(connection: sa.Connection, invitation_id: str) -> sa.RowMapping:
    return get_row_unnamed(connection, organization_invitations, invitation_id)


def _shown(connection: sa.Connection, rows: Sequence[sa.RowMapping]) -> list[entities.Entity]:
    given = organization_invitation_roles
    roles = roles_by_owner(
        connection,
        given,
        "organization_invitation_id",
        given.c.organization_invitation_id.in_([row["id"] for row in rows]),
    )
    moment = now_ms()
    return [entities.organization_invitation(row, roles.get(row["id"], []), moment) for row in rows]


def _refuse_member(connection: sa.Connection, organization_id: str, invitee: str) -> None:
    query = (
        sa.select(users.c.id)
        .join(organization_users, organization_users.c.user_id == users.c.id)
        .where(organization_users.c.organization_id == organization_id, users.c.primary_email == invitee)
    )
    if connection.execute(query).first() is not None:
        raise invalid_input(422, "The invitee is already a member of the organization.")


def _join(connection: sa.Connection, row: sa.RowMapping, user_id: str) -> None:
    user = get_user_row(connection, user_id)
    if (user["primary_email"] or "").lower() != row["invitee"].lower():
        raise invalid_input(422, "The accepted user must have the same email as the invitee.")
    organization_id = row["organization_id"]
    change = MEMBERS.add(connection, [user_id], organization_id=organization_id)
    role_ids = _ROLES.ids(connection, organization_invitation_id=row["id"])
    MEMBER_ROLES.add(connection, role_ids, organization_id=organization_id, user_id=user_id)
    announce_membership_change(organization_id, addedUserIds=list(change.added))


def _settle_expired(connection: sa.Connection, organization_id: str, invitee: str) -> None:
    """Mark an expired invitation as such, so that the address can be invited again."""
    c = organization_invitations.c
    same = (c.organization_id == organization_id, c.invitee == invitee)
    waits = (c.status == "Pending", c.expires_at < now_ms())
    change = sa.update(organization_invitations).where(*same, *waits)
    connection.execute(change.values(status="Expired"))


async def _send_or_withdraw(row: sa.RowMapping, payload: Mapping[str, Any]) -> None:
    """Send the email of a new invitation, or delete the invitation if that fails."""
    try:
        await _send(row, payload)
    except RequestError:
        with current_store().begin() as connection:
            delete_row(connection, organization_invitations, organization_invitations.c.id == row["id"])
        raise


async def _send(row: sa.RowMapping, payload: Mapping[str, Any]) -> None:
    """Send the email. The payload's members override what is known of the organization and inviter."""
    store, invitee = current_store(), row["invitee"]
    known = message_context(store, organization=row["organization_id"], inviter=row["inviter_id"])
    message = Outgoing("email", invitee, TEMPLATE, {**known, **payload})
    async with counted_sending(store, "invitation", invitee):
        await send(store, current_settings(), message)

"""``/users``: accounts. Parts with their own routes are in ``user_settings`` and ``user_factors``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from quart import Blueprint, Response

from local_logto import phone_numbers
from local_logto.connectors.enterprise import list_sso_identities
from local_logto.context import current_store
from local_logto.crypto.passwords import hash_password
from local_logto.management import entities
from local_logto.management.failures import foreign_key_not_found, no_values
from local_logto.management.guard import asks_for, read_body
from local_logto.management.paging import list_response, read_page, read_paging
from local_logto.management.role_choice import roles_by_owner
from local_logto.management.rows import (
    delete_row,
    find_row,
    get_row_unnamed,
    insert_row,
    to_columns,
    update_row,
)
from local_logto.management.user_search import read_search
from local_logto.management.username_case import are_usernames_case_sensitive
from local_logto.refusals import refusal
from local_logto.responses import json_response, no_content
from local_logto.store import new_id, now_ms
from local_logto.tables import organization_user_roles, organization_users, organizations, users
from local_logto.values import AnyObject, Kind, OrNull, Shape, Text
from local_logto.webhooks import announce

_EMAIL: Final = r"\S+@\S+\.\S+"
_PHONE: Final = r"\d+"
_USERNAME: Final = r"[A-Z_a-z]\w*"

PROFILE: Final = Shape(
    optional={
        **dict.fromkeys(("familyName", "givenName", "middleName", "nickname", "preferredUsername"), Text()),
        **dict.fromkeys(("profile", "website", "gender", "birthdate", "zoneinfo", "locale"), Text()),
        "address": Shape(
            optional=dict.fromkeys(
                ("formatted", "streetAddress", "locality", "region", "postalCode", "country"), Text()
            )
        ),
    }
)
_AVATAR: Final = OrNull(Text(is_url=True, may_be_empty=True))
_NEW_USER: Final = Shape(
    optional={
        "primaryEmail": Text(pattern=_EMAIL),
        "primaryPhone": Text(pattern=_PHONE),
        "username": Text(pattern=_USERNAME),
        "password": Text(min=1),
        "name": Text(),
        "avatar": _AVATAR,
        "customData": AnyObject(),
        "profile": PROFILE,
    }
)


def _clearable(pattern: str) -> Kind:
    return OrNull(Text(pattern=pattern, may_be_empty=True))


_CHANGES: Final = Shape(
    optional={
        "primaryEmail": _clearable(_EMAIL),
        "primaryPhone": _clearable(_PHONE),
        "username": _clearable(_USERNAME),
        "name": OrNull(Text()),
        "avatar": _AVATAR,
        "customData": AnyObject(),
        "profile": PROFILE,
    }
)
_IDENTIFIERS: Final = {"username": "username", "primary_email": "email", "primary_phone": "phone"}

blueprint = Blueprint("users", __name__, url_prefix="/users")


@blueprint.get("")
async def list_users() -> Response:
    """List users, newest first, narrowed by the search in ``user_search``."""
    paging = read_paging()
    query = sa.select(users).where(*read_search()).order_by(users.c.created_at.desc(), users.c.id)
    with current_store().begin() as connection:
        page = read_page(connection, query, paging)
    return list_response([entities.user_with_password_state(row) for row in page.rows], page)


@blueprint.post("")
async def create_user() -> Response:
    body = await read_body(_NEW_USER)
    password = body.pop("password", None)
    values = to_columns(_cleared(body))
    if password is not None:
        values["password_hash"] = await hash_password(password)
    moment = now_ms()
    values |= {"id": new_id(12), "created_at": moment, "updated_at": moment}
    with current_store().begin() as connection:
        _refuse_taken(connection, values)
        values |= _phone_as_stored(values)
        entity = entities.user_with_password_state(insert_row(connection, users, values))
    announce("User.Created", data=entity)
    return json_response(entity)


@blueprint.get("/<user_id>")
async def get_user(user_id: str) -> Response:
    """Return the account. ``includeSsoIdentities`` adds its identities at enterprise providers."""
    with current_store().begin() as connection:
        entity = entities.user_with_password_state(get_user_row(connection, user_id))
        if asks_for("includeSsoIdentities"):
            rows = list_sso_identities(connection, user_id)
            entity["ssoIdentities"] = [entities.sso_identity(row) for row in rows]
    return json_response(entity)


@blueprint.patch("/<user_id>")
async def change_user(user_id: str) -> Response:
    """Change the given members. Null or an empty text clears a member."""
    values = to_columns(_cleared(await read_body(_CHANGES)))
    with current_store().begin() as connection:
        get_user_row(connection, user_id)
        _refuse_taken(connection, values, except_id=user_id)
        row = update_user_row(connection, user_id, values)
    entity = entities.user_with_password_state(row)
    announce("User.Data.Updated", data=entity)
    return json_response(entity)


@blueprint.delete("/<user_id>")
async def delete_user(user_id: str) -> Response:
    """Delete the account with its memberships, sessions, grants and tokens."""
    with current_store().begin() as connection:
        row = get_user_row(connection, user_id)
        delete_row(connection, users, users.c.id == user_id)
    announce("User.Deleted", data=entities.user(row))
    return no_content()


@blueprint.get("/<user_id>/organizations")
async def list_user_organizations(user_id: str) -> Response:
    """List the organizations that the person is a member of, with their roles there."""
    query = (
        sa.select(organizations)
        .join(organization_users, organization_users.c.organization_id == organizations.c.id)
        .where(organization_users.c.user_id == user_id)
        .order_by(organizations.c.id)
    )
    assigned = organization_user_roles
    with current_store().begin() as connection:
        get_user_row(connection, user_id)
        rows = connection.execute(query).mappings().all()
        roles = roles_by_owner(connection, assigned, "organization_id", assigned.c.user_id == user_id)
    return json_response(
        [entities.organization(row) | {"organizationRoles": roles.get(row["id"], [])} for row in rows]
    )


def get_user_row(connection: sa.Connection, user_id: str) -> sa.RowMapping:
    """Return the user's row. Raises 404 ``entity.not_found``."""
    return get_row_unnamed(connection, users, user_id)


def require_user(connection: sa.Connection, user_id: str) -> None:
    """Raise 404 ``entity.relation_foreign_key_not_found`` for an unknown user of a new entity."""
    if find_row(connection, users, users.c.id == user_id) is None:
        raise foreign_key_not_found(404)


def update_user_row(connection: sa.Connection, user_id: str, values: Mapping[str, Any]) -> sa.RowMapping:
    """Update the row and its ``updated_at``. Raises 422 ``entity.invalid_input`` without values."""
    if not values:
        raise no_values()
    values = {**values, **_phone_as_stored(values)}
    return update_row(connection, users, {**values, "updated_at": now_ms()}, users.c.id == user_id)


def _phone_as_stored(values: Mapping[str, Any]) -> dict[str, str]:
    phone = values.get("primary_phone")
    return {"primary_phone": phone_numbers.stored(phone)} if phone else {}


def _cleared(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if value == "" else value for name, value in members.items()}


def _refuse_taken(
    connection: sa.Connection, values: Mapping[str, Any], *, except_id: str | None = None
) -> None:
    """Raise 422 ``user.<kind>_already_in_use`` if another account has one of the identifiers."""
    for column, kind in _IDENTIFIERS.items():
        value = values.get(column)
        if value is None:
            continue
        is_same = _has_identifier(connection, column, value)
        taken = sa.select(sa.exists().where(is_same, users.c.id != (except_id or "")))
        if connection.execute(taken).scalar_one():
            raise refusal(f"user.{kind}_already_in_use")


def _has_identifier(connection: sa.Connection, column: str, value: str) -> sa.ColumnElement[bool]:
    """Return a condition for accounts with this identifier in any spelling."""
    field = users.c[column]
    if column == "primary_phone":
        return field.in_(phone_numbers.spellings(value))
    if column == "username" and are_usernames_case_sensitive(connection):
        return field == value
    return sa.func.lower(field) == value.lower()

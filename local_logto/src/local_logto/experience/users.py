"""The users table as the sign-in pages need it: find, create and complete accounts.

``flow`` decides which changes are allowed. This module only reads and writes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from local_logto import phone_numbers
from local_logto.connectors.enterprise import user_sso_identities
from local_logto.experience.just_in_time import join_by_connector, join_organizations
from local_logto.experience.social_proof import SocialIdentity
from local_logto.experience.sso_proof import SsoIdentity
from local_logto.experience.state import Identifier, PendingProfile
from local_logto.refusals import refusal
from local_logto.store import Store, new_id, now_ms
from local_logto.tables import users


@dataclass(frozen=True)
class User:
    """The part of an account that signing in needs."""

    id: str
    username: str | None
    email: str | None
    phone: str | None
    name: str | None
    password_hash: str | None
    is_suspended: bool
    identities: Mapping[str, object]


_SELECT_USER = sa.select(
    users.c.id,
    users.c.username,
    users.c.primary_email,
    users.c.primary_phone,
    users.c.name,
    users.c.password_hash,
    users.c.is_suspended,
    users.c.identities,
)


def _matches(identifier: Identifier, *, case_sensitive: bool) -> sa.ColumnElement[bool]:
    if identifier.type == "email":
        return sa.func.lower(users.c.primary_email) == identifier.value.lower()
    if identifier.type == "phone":
        return users.c.primary_phone.in_(phone_numbers.spellings(identifier.value))
    if case_sensitive:
        return users.c.username == identifier.value
    return sa.func.lower(users.c.username) == identifier.value.lower()


def find_user(store: Store, identifier: Identifier, *, case_sensitive: bool) -> User | None:
    """Return the account with this username, email address (ignoring case) or phone number.

    If two accounts have the phone number, the one with exactly this spelling wins, then the newer one.
    """
    condition = _matches(identifier, case_sensitive=case_sensitive)
    with store.begin() as connection:
        return _find_one(connection, condition, spelled=identifier.value)


def find_user_by_id(store: Store, user_id: str) -> User | None:
    with store.begin() as connection:
        return _find_one(connection, users.c.id == user_id)


def find_user_by_identity(store: Store, identity: SocialIdentity) -> User | None:
    """Return the account that this identity is linked to."""
    with store.begin() as connection:
        return _find_one(connection, _has_identity(identity))


def find_user_by_sso_identity(store: Store, identity: SsoIdentity) -> User | None:
    """Return the account that this identity at a customer's provider is linked to."""
    owner = sa.select(user_sso_identities.c.user_id).where(*_is_sso_identity(identity))
    with store.begin() as connection:
        return _find_one(connection, users.c.id == owner.scalar_subquery())


def _is_sso_identity(identity: SsoIdentity) -> tuple[sa.ColumnElement[bool], ...]:
    known = user_sso_identities.c
    return known.issuer == identity.issuer, known.identity_id == identity.user.id


def _has_identity(identity: SocialIdentity) -> sa.ColumnElement[bool]:
    path = f'$."{identity.target}".userId'
    return sa.func.json_extract(users.c.identities, path) == identity.user.id


def _find_one(
    connection: sa.Connection, condition: sa.ColumnElement[bool], *, spelled: str = ""
) -> User | None:
    order = (sa.case((users.c.primary_phone == spelled, 0), else_=1), users.c.created_at.desc())
    row = connection.execute(_SELECT_USER.where(condition).order_by(*order).limit(1)).one_or_none()
    return User(*row) if row else None


def refuse_taken_identifiers(store: Store, profile: PendingProfile, *, case_sensitive: bool) -> None:
    """Raise 422 ``user.<kind>_already_in_use`` if another account has one of the identifiers."""
    for kind in ("username", "email", "phone"):
        value = getattr(profile, kind)
        if value and find_user(store, Identifier(kind, value), case_sensitive=case_sensitive):
            raise refusal(f"user.{kind}_already_in_use")
    identity = profile.social_identity
    sso_identity = profile.sso_identity
    if (identity and find_user_by_identity(store, identity)) or (
        sso_identity and find_user_by_sso_identity(store, sso_identity)
    ):
        raise refusal("user.identity_already_in_use")


@dataclass(frozen=True)
class NewUser:
    """A new account, and the organizations it joined by its email address or connector."""

    id: str
    organization_ids: Sequence[str]


def create_user(store: Store, profile: PendingProfile) -> NewUser:
    """Store a new account and let it join organizations. Raises 422 if an identifier was taken meanwhile."""
    now, user_id = now_ms(), new_id(12)
    values = {
        "id": user_id,
        "created_at": now,
        "updated_at": now,
        "logto_config": {"mfa": {"enabled": False}},
    }
    try:
        with store.begin() as connection:
            connection.execute(users.insert().values(**values, **_columns(profile)))
            _add_identity(connection, user_id, profile.social_identity)
            joined = _add_sso_identity(connection, user_id, profile.sso_identity)
            if profile.email and not profile.sso_identity:
                joined = join_organizations(connection, user_id, profile.email)
    except IntegrityError:
        refuse_taken_identifiers(store, profile, case_sensitive=True)
        raise
    return NewUser(user_id, joined)


def complete_user(store: Store, user_id: str, profile: PendingProfile) -> list[str]:
    """Store additions to an existing account. Returns the IDs of the organizations that it joined by them.

    Raises 422 if an identifier was taken meanwhile.
    """
    change = users.update().where(users.c.id == user_id)
    try:
        with store.begin() as connection:
            connection.execute(change.values(updated_at=now_ms(), **_columns(profile)))
            _add_identity(connection, user_id, profile.social_identity)
            _sync_sso_identity(connection, profile.synced_sso_identity)
            return _add_sso_identity(connection, user_id, profile.sso_identity)
    except IntegrityError:
        refuse_taken_identifiers(store, profile, case_sensitive=True)
        raise


def _add_identity(connection: sa.Connection, user_id: str, identity: SocialIdentity | None) -> None:
    """Link the identity. The transaction has already written, so no concurrent one can link it too."""
    if identity is None:
        return
    others = sa.select(users.c.id).where(_has_identity(identity), users.c.id != user_id).limit(1)
    if connection.execute(others).first():
        raise refusal("user.identity_already_in_use")
    stored = sa.func.json(json.dumps(identity.to_stored_json(), ensure_ascii=False))
    linked = sa.func.json_set(users.c.identities, f'$."{identity.target}"', stored)
    connection.execute(users.update().where(users.c.id == user_id).values(identities=linked))


def _add_sso_identity(connection: sa.Connection, user_id: str, identity: SsoIdentity | None) -> list[str]:
    """Link the identity, and let the account join the connector's organizations. Returns their IDs."""
    if identity is None:
        return []
    now = now_ms()
    values = {
        "id": new_id(),
        "user_id": user_id,
        "issuer": identity.issuer,
        "identity_id": identity.user.id,
        "detail": dict(identity.user.detail),
        "created_at": now,
        "updated_at": now,
        "sso_connector_id": identity.connector_id,
    }
    connection.execute(user_sso_identities.insert().values(**values))
    return join_by_connector(connection, user_id, identity.connector_id)


def _sync_sso_identity(connection: sa.Connection, identity: SsoIdentity | None) -> None:
    """Store what the provider says of the person now."""
    if identity is None:
        return
    values = {"detail": dict(identity.user.detail), "updated_at": now_ms()}
    change = user_sso_identities.update().where(*_is_sso_identity(identity))
    connection.execute(change.values(**values))


def _columns(profile: PendingProfile) -> dict[str, Any]:
    columns = {
        "username": profile.username,
        "primary_email": profile.email,
        "primary_phone": phone_numbers.stored(profile.phone) if profile.phone else None,
        "password_hash": profile.password_hash,
        "name": profile.name,
        "avatar": profile.avatar,
    }
    return {name: value for name, value in columns.items() if value is not None}

"""The claims of a person in ID tokens and userinfo, by scope. Pure except for reading from the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from local_logto.connectors.enterprise import list_sso_identities
from local_logto.oidc import organization_access
from local_logto.oidc.scopes import ORGANIZATION_ROLES, ORGANIZATIONS
from local_logto.tables import configs, roles, user_roles, users

DEFAULT_EXTENDED_CLAIMS: Final = ("roles", "organizations", "organization_roles")

_PROFILE_CLAIMS: Final[Mapping[str, str]] = {
    "family_name": "familyName",
    "given_name": "givenName",
    "middle_name": "middleName",
    "nickname": "nickname",
    "preferred_username": "preferredUsername",
    "profile": "profile",
    "website": "website",
    "gender": "gender",
    "birthdate": "birthdate",
    "zoneinfo": "zoneinfo",
    "locale": "locale",
}
_BASE: Final[Mapping[str, tuple[str, ...]]] = {
    "profile": (
        "name",
        "family_name",
        "given_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
        "username",
        "created_at",
    ),
    "email": ("email", "email_verified"),
    "phone": ("phone_number", "phone_number_verified"),
    "address": ("address",),
}
_EXTENDED: Final[Mapping[str, tuple[str, ...]]] = {
    "custom_data": ("custom_data",),
    "identities": ("identities", "sso_identities"),
    "roles": ("roles",),
    ORGANIZATIONS: ("organizations", "organization_data"),
    ORGANIZATION_ROLES: ("organization_roles",),
}

EXTENDED_CLAIMS: Final = tuple(claim for claims in _EXTENDED.values() for claim in claims)
CLAIMS: Final = (*(claim for claims in _BASE.values() for claim in claims), *EXTENDED_CLAIMS)


@dataclass(frozen=True)
class Person:
    """A user, as claims are made from them. Times are in epoch milliseconds, as Logto shows them."""

    id: str
    name: str | None
    avatar: str | None
    username: str | None
    email: str | None
    phone: str | None
    profile: Mapping[str, Any]
    custom_data: Mapping[str, Any]
    identities: Mapping[str, Any]
    sso_identities: Sequence[Mapping[str, Any]]
    created_at: int
    updated_at: int
    roles: Sequence[str]
    organizations: Sequence[Mapping[str, Any]]
    organization_roles: Sequence[str]


def read_person(connection: sa.Connection, user_id: str) -> Person | None:
    """Return the person as they are now, or None if they were deleted."""
    row = connection.execute(sa.select(users).where(users.c.id == user_id)).one_or_none()
    if row is None:
        return None
    organizations = organization_access.list_organizations_of(connection, user_id)
    return Person(
        id=row.id,
        name=row.name,
        avatar=row.avatar,
        username=row.username,
        email=row.primary_email,
        phone=row.primary_phone,
        profile=row.profile or {},
        custom_data=row.custom_data or {},
        identities=row.identities or {},
        sso_identities=[_sso_identity(identity) for identity in list_sso_identities(connection, user_id)],
        created_at=row.created_at,
        updated_at=row.updated_at,
        roles=_roles_of(connection, user_id),
        organizations=[dict(organization._mapping) for organization in organizations],
        organization_roles=organization_access.list_organization_roles_of(connection, user_id),
    )


def _roles_of(connection: sa.Connection, user_id: str) -> list[str]:
    """Return the names of the person's roles in the tenant."""
    held = sa.select(user_roles.c.role_id).where(user_roles.c.user_id == user_id)
    query = sa.select(roles.c.name).where(roles.c.id.in_(held)).order_by(roles.c.name)
    return list(connection.execute(query).scalars())


def _sso_identity(row: sa.RowMapping) -> dict[str, Any]:
    return {"issuer": row["issuer"], "identityId": row["identity_id"], "detail": row["detail"]}


def read_extended_claims(connection: sa.Connection) -> list[str]:
    """Return the extended claims that the tenant puts into ID tokens."""
    query = sa.select(configs.c.value).where(configs.c.key == "id-token")
    value = connection.execute(query).scalar_one_or_none()
    return list((value or {}).get("enabledExtendedClaims", DEFAULT_EXTENDED_CLAIMS))


def userinfo_claims(person: Person, scopes: Sequence[str]) -> dict[str, Any]:
    """Return all claims of these scopes."""
    return _claims(person, [*_named(_BASE, scopes), *_named(_EXTENDED, scopes)])


def id_token_claims(person: Person, scopes: Sequence[str], extended: Sequence[str]) -> dict[str, Any]:
    """Return the claims of these scopes. Extended claims are included only if listed in ``extended``."""
    wanted = [claim for claim in _named(_EXTENDED, scopes) if claim in extended]
    return _claims(person, [*_named(_BASE, scopes), *wanted])


def _named(table: Mapping[str, tuple[str, ...]], scopes: Sequence[str]) -> list[str]:
    return [claim for scope in scopes for claim in table.get(scope, ())]


def _claims(person: Person, names: Sequence[str]) -> dict[str, Any]:
    values = _values(person)
    return {"sub": person.id, **{name: values[name] for name in names if name in values}}


def _values(person: Person) -> dict[str, Any]:
    """Return every claim with its value. An unset ``name`` is null; unset parts of the profile are absent."""
    profile = {claim: person.profile.get(key) for claim, key in _PROFILE_CLAIMS.items()}
    profile["preferred_username"] = profile["preferred_username"] or person.username
    profile["address"] = person.profile.get("address")
    return {
        "name": person.name,
        "picture": person.avatar,
        "username": person.username,
        **{claim: value for claim, value in profile.items() if value is not None},
        "created_at": person.created_at,
        "updated_at": person.updated_at,
        "email": person.email,
        "email_verified": bool(person.email),
        "phone_number": person.phone,
        "phone_number_verified": bool(person.phone),
        "custom_data": person.custom_data,
        "identities": person.identities,
        "sso_identities": list(person.sso_identities),
        "roles": list(person.roles),
        "organizations": [organization["id"] for organization in person.organizations],
        "organization_data": list(person.organizations),
        "organization_roles": list(person.organization_roles),
    }

"""The frozen values that the parts of this feature hand to each other."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from saas_app.api_clients.queries import Origin
from saas_app.db.base import utc_now
from saas_app.logto import ApplicationSecret
from saas_app.rbac.assignment import (
    MACHINE_PERMISSIONS,
    MACHINE_ROLES,
    machine_roles_for,
    missing_to_assign,
)
from saas_app.rbac.permissions import (
    ROLE_PERMISSIONS,
    Carrier,
    Permission,
    Role,
    permissions_carried_by,
    permissions_of,
)

DEFAULT_ROLE: Final = Role.INTEGRATION
DEFAULT_DAYS: Final = 90
"""The lifetime of a secret for which none was chosen."""

MAX_CLIENTS: Final = 100
"""Limit for an organization, because each API client is an application of the whole Logto tenant."""

ROLES: Final = {role.value: role for role in MACHINE_ROLES}
"""The roles that a client can get, by name."""

WARNED_BEFORE: Final = timedelta(days=14)
"""How long before a secret expires the list warns."""


@dataclass(frozen=True, slots=True)
class WantedClient:
    """A new client. ``days`` is the lifetime of its secret; None means that it does not expire."""

    name: str
    roles: tuple[Role, ...] = (DEFAULT_ROLE,)
    description: str = ""
    days: int | None = DEFAULT_DAYS

    @property
    def role_names(self) -> frozenset[str]:
        """The names of its roles."""
        return frozenset(role.value for role in self.roles)


@dataclass(frozen=True, slots=True)
class PermissionChoice:
    """A permission that a client can get.

    ``includes`` has the permissions that come with it, and ``missing`` those of all these that the caller
    lacks, so that they cannot give it.
    """

    permission: Permission
    includes: tuple[Permission, ...]
    missing: tuple[Permission, ...]


class Expiry(StrEnum):
    """How close the expiry of a client's secrets is."""

    LATER = "later"
    SOON = "soon"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets of a client: their number, and when the last of them expires (None: never)."""

    number: int
    expires_at: datetime | None

    @classmethod
    def of(cls, secrets: Collection[ApplicationSecret]) -> Secrets:
        """Return a summary of secrets from Logto."""
        ends = [secret.expires_at for secret in secrets]
        known = [end for end in ends if end is not None]
        never = not known or len(known) < len(ends)
        return cls(len(secrets), None if never else datetime.fromtimestamp(max(known) / 1000, UTC))

    @property
    def expiry(self) -> Expiry:
        """How close the expiry is."""
        if self.expires_at is None or self.expires_at - utc_now() > WARNED_BEFORE:
            return Expiry.LATER
        return Expiry.SOON if self.expires_at > utc_now() else Expiry.EXPIRED


@dataclass(frozen=True, slots=True)
class ListedClient:
    """A client in the list. For one that was not created here, ``origin`` and ``secrets`` are None."""

    id: str
    name: str
    description: str
    role_names: frozenset[str]
    origin: Origin | None
    secrets: Secrets | None


@dataclass(frozen=True, slots=True)
class Client:
    """A client. ``is_ours``: it was created here. ``is_elsewhere``: it belongs to other organizations too.

    ``role_names`` are its roles in this organization.
    """

    id: str
    name: str
    role_names: frozenset[str]
    is_ours: bool
    is_elsewhere: bool

    @property
    def is_only_here(self) -> bool:
        """Whether no other organization uses it, so that it can be deleted and its secret changed."""
        return self.is_ours and not self.is_elsewhere


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A client with a secret that is shown once. ``old_left`` counts old secrets that still exist."""

    client_id: str
    name: str
    secret: str = field(repr=False)
    role_names: frozenset[str] = frozenset({DEFAULT_ROLE.value})
    expires_at: datetime | None = None
    old_left: int = 0


def default_description(organization_name: str) -> str:
    """Return the description in Logto of a client for which none was entered."""
    return f"API client of {organization_name}, created in Workroom."


def permission_choices(granted: frozenset[Permission]) -> tuple[PermissionChoice, ...]:
    """Return the permissions of API clients that a caller sees, those of the product first.

    ``granted`` are the caller's own that do not end.
    """

    def choice(permission: Permission) -> PermissionChoice:
        (role,) = machine_roles_for([permission])
        others = ROLE_PERMISSIONS[role] - {permission}
        return PermissionChoice(permission, _in_order(others), missing_to_assign(granted, role))

    is_of_organization = lambda permission: permission.carrier is Carrier.ORGANIZATION_TOKEN  # noqa: E731
    return tuple(map(choice, sorted(MACHINE_PERMISSIONS, key=is_of_organization)))


def scopes_of(role_names: Iterable[str], carrier: Carrier = Carrier.API_TOKEN) -> tuple[Permission, ...]:
    """Return the permissions that a client with these roles names as scopes to request a kind of token."""
    held = permissions_of(frozenset(role_names))
    return tuple(item for item in permissions_carried_by(carrier) if item in held)


def _in_order(permissions: Collection[Permission]) -> tuple[Permission, ...]:
    return tuple(permission for permission in Permission if permission in permissions)

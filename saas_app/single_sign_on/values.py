"""The frozen values that the parts of this feature hand to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from saas_app.models import SsoFailure

NAME_LENGTH: Final = 64
ISSUER_LENGTH: Final = 512
CLIENT_ID_LENGTH: Final = 256
SCOPES_LENGTH: Final = 256
CLAIM_LENGTH: Final = 64
CONNECTOR_MARK: Final = "Workroom "
"""What the names of our connectors in Logto begin with. The organization's ID follows."""
BASE_SCOPES: Final = ("openid", "profile", "email")
"""What is always requested of a provider."""

GROUPS_CLAIM: Final = "groups"
"""Our name for the claim with a person's groups, in what we say to Logto."""

SINCE_CLAIM: Final = "since"
"""Our name for the claim with :attr:`Connection.since`, in what we say to Logto."""

MAX_GROUPS: Final = 50
"""The most rows in the mapping of groups to roles."""


TARGET: Final = "single sign-on"
"""The type of the target of audit events."""

OFF: Final[Mapping[str, Any]] = dict.fromkeys(("on_at", "required_at", "recovery_id"))
"""What a connection loses that is turned off, in its row and in :class:`Connection`."""

WORKS: Final[Mapping[str, Any]] = dict.fromkeys(("failing_since", "failure"))
"""The columns about failures of a provider that works."""


class Stage(StrEnum):
    """How far an organization has come. Each stage includes those before it."""

    CREATED = "created"
    CONFIGURED = "configured"
    TESTED = "tested"
    ON = "on"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class GroupRole:
    """A role that members of a group at the provider have."""

    group: str
    role: str


@dataclass(frozen=True, slots=True)
class Connection:
    """An organization's connection to its identity provider; :class:`saas_app.models.SsoConnection`."""

    organization_id: str
    connector_id: str
    name: str
    issuer: str
    client_id: str
    scopes: str
    domains: tuple[str, ...]
    joins: bool
    group_claim: str
    group_roles: tuple[GroupRole, ...]
    created_at: datetime
    created_by: str
    tested_at: datetime | None
    tested_by: str | None
    on_at: datetime | None
    required_at: datetime | None
    recovery_id: str | None
    failing_since: datetime | None
    failure: SsoFailure | None

    @property
    def stage(self) -> Stage:
        """How far the set-up has come."""
        if self.required_at is not None:
            return Stage.REQUIRED
        if self.on_at is not None:
            return Stage.ON
        if self.tested_at is not None:
            return Stage.TESTED
        return Stage.CONFIGURED if self.issuer else Stage.CREATED

    @property
    def is_on(self) -> bool:
        """Whether people sign in through the provider."""
        return self.on_at is not None

    @property
    def since(self) -> str:
        """Since when people sign in through the provider, or "" while it is off. It changes only then."""
        return "" if self.on_at is None else self.on_at.isoformat()


@dataclass(frozen=True, slots=True)
class Provider:
    """What an admin enters of the identity provider. ``scopes`` are all that are requested."""

    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: str

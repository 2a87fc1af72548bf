"""What the Management API answers, as frozen records: only the fields we read (Logto 1.42).

Names are as they can be shown: a blank one of a person is None, one of another thing its id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, Self, TypeVar

from saas_app.errors import LogtoUnavailable
from saas_app.text.cleaning import name_of_others

Entry = Mapping[str, Any]
Item = TypeVar("Item")


class Record:
    """Reads itself from an entry. An entry that lacks what a record needs is an unreadable answer."""

    @classmethod
    def read(cls, entry: Any) -> Self:
        """The record in a JSON object. Raises :class:`LogtoUnavailable` when it cannot be read."""
        try:
            return cls._from_entry(entry)
        except (KeyError, TypeError, AttributeError):
            raise LogtoUnavailable("Logto's answer could not be read.") from None

    @classmethod
    def _from_entry(cls, entry: Entry) -> Self:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class OrganizationInfo(Record):
    """An organization. Names are not unique in Logto; ``custom_data`` is ours to use."""

    id: str
    name: str
    description: str | None
    custom_data: Entry = field(default_factory=dict)
    is_mfa_required: bool = False

    @classmethod
    def _from_entry(cls, entry: Entry) -> Self:
        return cls(
            entry["id"],
            name_of_others(entry["name"]) or entry["id"],
            entry.get("description"),
            entry.get("customData") or {},
            bool(entry.get("isMfaRequired")),
        )


@dataclass(frozen=True, slots=True)
class OrganizationMembership(Record):
    """An organization somebody belongs to, with their roles there."""

    organization_id: str
    organization_name: str
    role_names: frozenset[str]

    @classmethod
    def _from_entry(cls, entry: Entry) -> Self:
        return cls(
            entry["id"], name_of_others(entry["name"]) or entry["id"], _names(entry["organizationRoles"])
        )


@dataclass(frozen=True, slots=True)
class LogtoUser(Record):
    """A person's account. ``linked_emails`` are the addresses that social sign-ins told of them."""

    id: str
    username: str | None
    email: str | None
    name: str | None
    avatar: str | None = None
    is_suspended: bool = False
    phone: str | None = None
    created_at: datetime | None = None
    linked_emails: frozenset[str] = frozenset()

    @classmethod
    def _from_entry(cls, entry: Entry) -> Self:
        return cls(
            entry["id"],
            name_of_others(entry.get("username")) or None,
            entry.get("primaryEmail"),
            name_of_others(entry.get("name")) or None,
            entry.get("avatar"),
            entry.get("isSuspended") is True,
            entry.get("primaryPhone"),
            _moment(entry.get("createdAt")),
            _linked_emails(entry.get("identities")),
        )


@dataclass(frozen=True, slots=True)
class OneTimeToken(Record):
    """A token that proves an address once."""

    token: str = field(repr=False)

    @classmethod
    def _from_entry(cls, entry: Entry) -> Self:
        return cls(entry["token"])


@dataclass(frozen=True, slots=True)
class MemberInfo(Record):
    """A member of an organization, with the roles held there."""

    user: LogtoUser
    role_names: frozenset[str]

    @classmethod
    def _from_entry(cls, entry: Entry) -> Self:
        return cls(LogtoUser.read(entry), _names(entry["organizationRoles"]))


@dataclass(frozen=True, slots=True)
class MachineInfo(Record):
    """A machine application that belongs to an organization, with the roles held there."""

    id: str
    name: str
    description: str | None
    role_names: frozenset[str]

    @classmethod
    def _from_entry(cls, entry: Entry) -> Self:
        return cls(
            entry["id"],
            name_of_others(entry["name"]) or entry["id"],
            entry.get("description"),
            _names(entry["organizationRoles"]),
        )


@dataclass(frozen=True, slots=True)
class RoleName(Record):
    """A role of which only the name matters."""

    name: str

    @classmethod
    def _from_entry(cls, entry: Entry) -> Self:
        return cls(entry["name"])


@dataclass(frozen=True, slots=True)
class MembersPage(Generic[Item]):
    """One page of a list, and how many entries all its pages hold together."""

    items: tuple[Item, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Invitation(Record):
    """An invitation. ``status`` is Pending, Accepted, Expired or Revoked; times are milliseconds (epoch).

    ``inviter_id`` is None for one that no person made, ``accepted_user_id`` until somebody accepts.
    """

    id: str
    organization_id: str
    invitee: str
    status: str
    role_names: frozenset[str]
    created_at: int
    expires_at: int
    inviter_id: str | None
    accepted_user_id: str | None

    @classmethod
    def _from_entry(cls, entry: Entry) -> Self:
        return cls(
            id=entry["id"],
            organization_id=entry["organizationId"],
            invitee=entry["invitee"],
            status=entry["status"],
            role_names=_names(entry["organizationRoles"]),
            created_at=entry["createdAt"],
            expires_at=entry["expiresAt"],
            inviter_id=entry["inviterId"],
            accepted_user_id=entry["acceptedUserId"],
        )


@dataclass(frozen=True, slots=True)
class OrganizationScope(Record):
    """An organization permission of the template."""

    id: str
    name: str
    description: str | None

    @classmethod
    def _from_entry(cls, entry: Entry) -> Self:
        return cls(entry["id"], entry["name"], entry.get("description"))


@dataclass(frozen=True, slots=True)
class ResourceScope(Record):
    """A scope of an API resource."""

    id: str
    name: str
    description: str | None

    @classmethod
    def _from_entry(cls, entry: Entry) -> Self:
        return cls(entry["id"], entry["name"], entry.get("description"))


@dataclass(frozen=True, slots=True)
class Resource(Record):
    """An API resource, named by its indicator, with its scopes."""

    id: str
    name: str
    indicator: str
    scopes: tuple[ResourceScope, ...]

    @classmethod
    def _from_entry(cls, entry: Entry) -> Self:
        scopes = tuple(ResourceScope.read(scope) for scope in entry.get("scopes") or ())
        return cls(entry["id"], entry["name"], entry["indicator"], scopes)


@dataclass(frozen=True, slots=True)
class OrganizationRole(Record):
    """An organization role of the template, with the ids and names of what it bundles.

    They are there only in a role that came from the list: Logto's other replies leave them out.
    """

    id: str
    name: str
    description: str | None
    type: str
    scope_ids: frozenset[str]
    resource_scope_ids: frozenset[str]
    scope_names: frozenset[str] = frozenset()
    resource_scope_names: frozenset[str] = frozenset()

    @classmethod
    def _from_entry(cls, entry: Entry) -> Self:
        return cls(
            entry["id"],
            entry["name"],
            entry.get("description"),
            entry.get("type", "User"),
            frozenset(scope["id"] for scope in entry.get("scopes") or ()),
            frozenset(scope["id"] for scope in entry.get("resourceScopes") or ()),
            _names(entry.get("scopes") or ()),
            _names(entry.get("resourceScopes") or ()),
        )


@dataclass(frozen=True, slots=True)
class Application(Record):
    """An application. Its metadata are kept as they came, because Logto replaces them whole; ``custom_data``
    is ours to use.
    """

    id: str
    name: str
    type: str
    oidc_metadata: Entry
    custom_metadata: Entry
    custom_data: Entry = field(default_factory=dict)

    @classmethod
    def _from_entry(cls, entry: Entry) -> Self:
        return cls(
            entry["id"],
            entry["name"],
            entry["type"],
            entry.get("oidcClientMetadata") or {},
            entry.get("customClientMetadata") or {},
            entry.get("customData") or {},
        )


@dataclass(frozen=True, slots=True)
class ApplicationSecret(Record):
    """A named secret of an application."""

    name: str
    value: str = field(repr=False)
    expires_at: int | None  # milliseconds since the epoch

    @classmethod
    def _from_entry(cls, entry: Entry) -> Self:
        return cls(entry["name"], entry["value"], entry.get("expiresAt"))


@dataclass(frozen=True, slots=True)
class Hook(Record):
    """A registered webhook. ``config`` is kept as it came, because Logto replaces it whole."""

    id: str
    name: str
    url: str
    events: frozenset[str]
    is_enabled: bool
    signing_key: str = field(repr=False)
    config: Entry = field(default_factory=dict)

    @classmethod
    def _from_entry(cls, entry: Entry) -> Self:
        return cls(
            entry["id"],
            entry["name"],
            str(entry["config"].get("url", "")),
            frozenset(entry.get("events") or ()),
            bool(entry["enabled"]),
            entry["signingKey"],
            entry["config"],
        )


@dataclass(frozen=True, slots=True)
class Connector(Record):
    """What sends messages or signs people in. ``factory`` is its kind; ``config`` includes secrets."""

    id: str
    factory: str
    type: str  # Email, Sms or Social
    target: str
    config: Entry = field(repr=False)
    sync_profile: bool = False

    @classmethod
    def _from_entry(cls, entry: Entry) -> Self:
        return cls(
            entry["id"],
            entry["connectorId"],
            entry["type"],
            entry["target"],
            entry["config"],
            bool(entry.get("syncProfile")),
        )


@dataclass(frozen=True, slots=True)
class EmailTemplate(Record):
    """A text of an email that the tenant keeps: it is sent in place of the connector's own."""

    language: str
    usage: str
    details: Entry

    @classmethod
    def _from_entry(cls, entry: Entry) -> Self:
        return cls(entry["languageTag"], entry["templateType"], entry["details"])


def _names(entries: Any) -> frozenset[str]:
    return frozenset(entry["name"] for entry in entries)


def _moment(milliseconds: Any) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if isinstance(milliseconds, int) else None


def _linked_emails(identities: Any) -> frozenset[str]:
    """The addresses in the details of linked social accounts."""
    found = ((identity.get("details") or {}).get("email") for identity in (identities or {}).values())
    return frozenset(email for email in found if isinstance(email, str))

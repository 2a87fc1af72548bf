"""The responses of the Management API as frozen records, with only the fields that we read (Logto 1.42).

Null counts as absent. Names are cleaned for display: a blank name becomes None for a person, and the ID for
anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import AliasPath, Field, model_validator

from saas_app.logto.record import Entry, Ids, Names, PersonName, Record, RoleNames, ShownName

Item = TypeVar("Item")


class OrganizationInfo(Record):
    """An organization. Its name is not unique. Logto ignores ``custom_data``, so we may use it.

    ``branding`` and ``color`` are unchanged, because Logto replaces them as a whole.
    """

    id: str
    name: ShownName
    description: str | None = None
    custom_data: Entry = Field({})
    is_mfa_required: bool = False
    branding: Entry = Field({})
    color: Entry = Field({})


class OrganizationMembership(Record):
    """An organization that a person or machine belongs to, with their roles there."""

    organization_id: str = Field(validation_alias="id")
    organization_name: ShownName = Field(validation_alias="name")
    role_names: RoleNames


class SocialIdentity(Record):
    """A linked social account. ``details`` is the profile that its provider sent."""

    details: Entry = Field({})


class SsoIdentity(Record):
    """A person at a company's identity provider, linked to an account.

    ``identity_id`` is the ``sub`` there. ``detail`` is the profile that the provider sent when the identity
    was linked or last synced, with claims named as in :class:`.user_sessions.SsoSubmission`. ``updated_at``
    is when the person last signed in with it, because Logto 1.42 stores their profile again each time.
    """

    issuer: str
    identity_id: str
    connector_id: str = Field(validation_alias="ssoConnectorId")
    detail: Entry = Field({}, repr=False)
    created_at: datetime | None = None
    updated_at: datetime | None = None


class LogtoUser(Record):
    """A person's account.

    Logto says only about single accounts whether they have a password (not in lists), and about
    ``sso_identities`` only if it is asked to: :meth:`.users.UserCalls.get_user_with_sso`.
    """

    id: str
    username: PersonName = None
    email: str | None = Field(None, validation_alias="primaryEmail")
    name: PersonName = None
    avatar: str | None = None
    is_suspended: bool = False
    phone: str | None = Field(None, validation_alias="primaryPhone")
    created_at: datetime | None = None
    identities: Mapping[str, SocialIdentity] = {}
    has_password: bool = False
    sso_identities: tuple[SsoIdentity, ...] = ()

    @property
    def display_name(self) -> str:
        """The name for display: name, else username, else email, else the id."""
        return self.name or self.username or self.email or self.id

    @property
    def linked_emails(self) -> frozenset[str]:
        """The email addresses in the profiles of linked social accounts."""
        found = (identity.details.get("email") for identity in self.identities.values())
        return frozenset(email for email in found if isinstance(email, str))


class SubjectToken(Record):
    """A token that stands for a person in one token exchange."""

    subject_token: str = Field(repr=False)


class OneTimeToken(Record):
    """A token that proves an email address once."""

    token: str = Field(repr=False)


class MemberInfo(Record):
    """A member of an organization with their roles there. Logto sends the roles as a field of the user."""

    user: LogtoUser
    role_names: RoleNames

    @model_validator(mode="before")
    @classmethod
    def _with_user(cls, entry: Any) -> Any:
        return {"user": entry, **entry} if isinstance(entry, Mapping) else entry


class MachineInfo(Record):
    """A machine application that belongs to an organization, with its roles there."""

    id: str
    name: ShownName
    description: str | None = None
    role_names: RoleNames


class RoleName(Record):
    """A role. Only its name is read."""

    name: str


@dataclass(frozen=True, slots=True)
class MembersPage(Generic[Item]):
    """One page of a list, and the number of entries on all its pages."""

    items: tuple[Item, ...]
    total: int


class Invitation(Record):
    """An invitation. ``status`` is Pending, Accepted, Expired or Revoked.

    Times are in milliseconds since the epoch. ``inviter_id`` is None if no person sent the invitation,
    ``accepted_user_id`` is None until it is accepted.
    """

    id: str
    organization_id: str
    invitee: str
    status: str
    role_names: RoleNames
    created_at: int
    expires_at: int
    inviter_id: str | None = None
    accepted_user_id: str | None = None


class OrganizationScope(Record):
    """An organization permission."""

    id: str
    name: str
    description: str | None = None


class ResourceScope(OrganizationScope):
    """A scope of an API resource."""


class Resource(Record):
    """An API resource with its scopes. Tokens name it by its indicator."""

    id: str
    name: str
    indicator: str
    scopes: tuple[ResourceScope, ...] = ()


class OrganizationRole(Record):
    """An organization role, with the IDs and names of its permissions and scopes.

    Only the list of roles has them. They are empty in Logto's other responses.
    """

    id: str
    name: str
    description: str | None = None
    type: str = "User"
    scope_ids: Ids = Field(frozenset(), validation_alias="scopes")
    scope_names: Names = Field(frozenset(), validation_alias="scopes")
    resource_scope_ids: Ids = Field(frozenset(), validation_alias="resourceScopes")
    resource_scope_names: Names = Field(frozenset(), validation_alias="resourceScopes")


class Application(Record):
    """An application. Both metadata objects are unchanged, because Logto replaces them as a whole.

    Logto ignores ``custom_data``, so we may use it.
    """

    id: str
    name: str
    type: str
    oidc_metadata: Entry = Field({}, validation_alias="oidcClientMetadata")
    custom_metadata: Entry = Field({}, validation_alias="customClientMetadata")
    custom_data: Entry = Field({})


class ApplicationSecret(Record):
    """A named secret of an application. ``expires_at`` is in milliseconds since the epoch."""

    name: str
    value: str = Field(repr=False)
    expires_at: int | None = None


class Hook(Record):
    """A webhook. ``config`` is unchanged, because Logto replaces it as a whole."""

    id: str
    name: str
    url: str = Field("", validation_alias=AliasPath("config", "url"))
    events: frozenset[str] = frozenset()
    is_enabled: bool = Field(validation_alias="enabled")
    signing_key: str = Field(repr=False)
    config: Entry


class Connector(Record):
    """A provider of messages or social sign-in. ``factory`` is its kind; ``config`` includes secrets."""

    id: str
    factory: str = Field(validation_alias="connectorId")
    type: str  # Email, Sms or Social
    target: str
    config: Entry = Field(repr=False)
    sync_profile: bool = False


class IdTokenConfig(Record):
    """The settings of ID tokens, for the whole tenant."""

    enabled_extended_claims: tuple[str, ...] = ()


class AccountCenter(Record):
    """What people of the tenant may edit about themselves, by field: ``Off``, ``ReadOnly`` or ``Edit``."""

    is_enabled: bool = Field(default=False, validation_alias="enabled")
    fields: Mapping[str, str] = {}


class JoiningDomain(Record):
    """An email domain whose people become members when they sign up."""

    email_domain: str


class EmailTemplate(Record):
    """A text for emails that the tenant stores. Logto sends it instead of the connector's own text."""

    language: str = Field(validation_alias="languageTag")
    usage: str = Field(validation_alias="templateType")
    details: Entry

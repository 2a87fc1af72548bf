"""What the Management API answers, as frozen records: only the fields we read (Logto 1.42).

Null counts as absent. Names that are shown are fit for it: a blank name of a person is None, that of another
thing its id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, Self, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from saas_app.errors import LogtoUnavailable
from saas_app.logto.transport import as_list
from saas_app.text.cleaning import name_of_others

Entry: TypeAlias = Mapping[str, Any]
Item = TypeVar("Item")


class Record(BaseModel):
    """A JSON object of Logto's. Fields are named as there, in snake_case, or say which one they read."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        validate_by_name=True,
        val_temporal_unit="milliseconds",
        hide_input_in_errors=True,
    )

    @classmethod
    def read(cls, entry: Any) -> Self:
        """Return the record in a JSON object. Raises :class:`LogtoUnavailable` when it cannot be read."""
        try:
            return cls.model_validate(entry)
        except ValidationError:
            raise LogtoUnavailable("Logto returned a response that could not be read.") from None

    @classmethod
    def read_all(cls, entries: Any) -> list[Self]:
        """Return the records in a JSON array. Raises :class:`LogtoUnavailable` when one cannot be read."""
        return [cls.read(entry) for entry in as_list(entries)]

    @field_validator("*", mode="before")
    @classmethod
    def _null_is_absent(cls, value: Any, info: ValidationInfo) -> Any:
        return cls.model_fields[info.field_name or ""].get_default() if value is None else value


def _each(key: str) -> BeforeValidator:
    """Read one value of each object in a list; what is no list is left as it is."""

    def read(entries: Any) -> Any:
        if not isinstance(entries, list):
            return entries
        return [entry.get(key) if isinstance(entry, Mapping) else None for entry in entries]

    return BeforeValidator(read)


def _or_id(name: str, info: ValidationInfo) -> str:
    return name_of_others(name) or str(info.data.get("id") or info.data.get("organization_id"))


Ids: TypeAlias = Annotated[frozenset[str], _each("id")]
Names: TypeAlias = Annotated[frozenset[str], _each("name")]
RoleNames: TypeAlias = Annotated[Names, Field(validation_alias="organizationRoles")]
ShownName: TypeAlias = Annotated[str, AfterValidator(_or_id)]
PersonName: TypeAlias = Annotated[str | None, AfterValidator(lambda name: name_of_others(name) or None)]


class OrganizationInfo(Record):
    """An organization. Names are not unique in Logto; ``custom_data`` is ours to use."""

    id: str
    name: ShownName
    description: str | None = None
    custom_data: Entry = {}
    is_mfa_required: bool = False


class OrganizationMembership(Record):
    """An organization somebody belongs to, with their roles there."""

    organization_id: str = Field(validation_alias="id")
    organization_name: ShownName = Field(validation_alias="name")
    role_names: RoleNames


class SocialIdentity(Record):
    """A linked social account. ``details`` is what its provider says of the person."""

    details: Entry = {}


class LogtoUser(Record):
    """A person's account."""

    id: str
    username: PersonName = None
    email: str | None = Field(None, validation_alias="primaryEmail")
    name: PersonName = None
    avatar: str | None = None
    is_suspended: bool = False
    phone: str | None = Field(None, validation_alias="primaryPhone")
    created_at: datetime | None = None
    identities: Mapping[str, SocialIdentity] = {}

    @property
    def linked_emails(self) -> frozenset[str]:
        """The addresses that social sign-ins told of the person."""
        found = (identity.details.get("email") for identity in self.identities.values())
        return frozenset(email for email in found if isinstance(email, str))


class OneTimeToken(Record):
    """A token that proves an address once."""

    token: str = Field(repr=False)


class MemberInfo(Record):
    """A member of an organization, with the roles held there: in Logto's answer, a field of the user."""

    user: LogtoUser
    role_names: RoleNames

    @model_validator(mode="before")
    @classmethod
    def _with_user(cls, entry: Any) -> Any:
        return {"user": entry, **entry} if isinstance(entry, Mapping) else entry


class MachineInfo(Record):
    """A machine application that belongs to an organization, with the roles held there."""

    id: str
    name: ShownName
    description: str | None = None
    role_names: RoleNames


class RoleName(Record):
    """A role of which only the name matters."""

    name: str


@dataclass(frozen=True, slots=True)
class MembersPage(Generic[Item]):
    """One page of a list, and how many entries all its pages hold together."""

    items: tuple[Item, ...]
    total: int


class Invitation(Record):
    """An invitation. ``status`` is Pending, Accepted, Expired or Revoked; times are milliseconds (epoch).

    ``inviter_id`` is None for one that no person made, ``accepted_user_id`` until somebody accepts.
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
    """An organization permission of the template."""

    id: str
    name: str
    description: str | None = None


class ResourceScope(OrganizationScope):
    """A scope of an API resource."""


class Resource(Record):
    """An API resource, named by its indicator, with its scopes."""

    id: str
    name: str
    indicator: str
    scopes: tuple[ResourceScope, ...] = ()


class OrganizationRole(Record):
    """An organization role of the template, with the ids and names of what it bundles.

    They are there only in a role that came from the list: Logto's other replies leave them out.
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
    """An application. Its metadata are kept as they came, because Logto replaces them whole; ``custom_data``
    is ours to use.
    """

    id: str
    name: str
    type: str
    oidc_metadata: Entry = Field({}, validation_alias="oidcClientMetadata")
    custom_metadata: Entry = Field({}, validation_alias="customClientMetadata")
    custom_data: Entry = {}


class ApplicationSecret(Record):
    """A named secret of an application. ``expires_at`` is milliseconds since the epoch."""

    name: str
    value: str = Field(repr=False)
    expires_at: int | None = None


class Hook(Record):
    """A registered webhook. ``config`` is kept as it came, because Logto replaces it whole."""

    id: str
    name: str
    url: str = Field("", validation_alias=AliasPath("config", "url"))
    events: frozenset[str] = frozenset()
    is_enabled: bool = Field(validation_alias="enabled")
    signing_key: str = Field(repr=False)
    config: Entry


class Connector(Record):
    """What sends messages or signs people in. ``factory`` is its kind; ``config`` includes secrets."""

    id: str
    factory: str = Field(validation_alias="connectorId")
    type: str  # Email, Sms or Social
    target: str
    config: Entry = Field(repr=False)
    sync_profile: bool = False


class IdTokenConfig(Record):
    """What ID tokens carry, for the whole tenant."""

    enabled_extended_claims: tuple[str, ...] = ()


class JoiningDomain(Record):
    """An email domain whose people become members when they sign up."""

    email_domain: str


class EmailTemplate(Record):
    """A text of an email that the tenant keeps: it is sent in place of the connector's own."""

    language: str = Field(validation_alias="languageTag")
    usage: str = Field(validation_alias="templateType")
    details: Entry

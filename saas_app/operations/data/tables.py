"""Which rows of which tables belong to an organization or a person.

Exports contain every table of a :class:`saas_app.db.base.TenantOwned` class. Only the other tables, and
those that are left out, are listed here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from saas_app.db.base import Base, is_tenant_owned
from saas_app.db.session import DatabaseSession
from saas_app.models import (
    AuditEvent,
    DomainJoin,
    EmailDomain,
    FormerMembership,
    LabClass,
    LabClassMember,
    LabGround,
    LabRun,
    MembershipChange,
    Notification,
    Organization,
    OrganizationOptions,
    RoleEnd,
    SessionRow,
    SsoConnection,
    SupportAccess,
    User,
)
from saas_app.operations.data.encoding import columns_of

BATCH: Final = 500  # rows per statement

LEFT_OUT: Final = {
    "audit_actors": "Derived: the database fills it when audit_events are imported.",
    "audit_redactions": "Empty except while a person is erased.",
    "project_names": "Derived: the database fills it when projects are imported.",
    "idempotency_keys": "Responses of the last day, which may contain a secret that was shown once.",
    "erasures": "Belongs to the installation: hashes of the ids of erased people.",
    "invitation_links": "Hashes of emailed links. People ask for a new link.",
    "kept_forms": "Forms that wait for a sign-in. They are encrypted, and expire within hours.",
    "lab_class_members": "Belongs to the people who learn in the lab.",
    "lab_classes": "Belongs to the person who teaches.",
    "lab_grounds": "Belongs to the person who learns.",
    "lab_players": "Secrets of role-play members of the lab.",
    "lab_runs": "Belongs to the person who learns.",
    "leases": "Claims of running workers.",
    "notifications": "Belongs to the people: what they were told in the last 90 days.",
    "organization_removals": "Belongs to the installation: organizations that were deleted here.",
    "rate_counters": "Counters of this installation, by hash.",
    "session_tokens": "Tokens.",
    "sessions": "Sign-ins with their tokens. People sign in again.",
    "shown_secrets": "Secrets.",
    "sso_secrets": "Secrets of providers of single sign-on. An admin enters them again.",
    "support_accesses": "Minutes of the operator's support team. The audit log tells about them.",
    "sign_in_attempts": "Sign-ins under way, and how browsers signed in. They are encrypted, and expire.",
    "webhook_deliveries": "Hashes of the messages that this installation received.",
}
"""The tables that no export of an organization contains, and why."""

_PEOPLE: Final = (
    "assignee_id",
    "created_by",
    "decided_by",
    "given_by",
    "proved_by",
    "recovery_id",
    "requester_id",
    "tested_by",
    "user_id",
)
"""Columns with the ids of people whose names the organization's pages show."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a table, which an export reads in the order of ``key``."""

    model: type[Base]
    condition: sa.ColumnElement[bool]
    columns: dict[str, sa.Column[Any]]

    @property
    def name(self) -> str:
        """The name of the table."""
        return str(self.model.__tablename__)

    @property
    def key_columns(self) -> tuple[InstrumentedAttribute[Any], ...]:
        """The columns of the primary key, as attributes of the class."""
        key = sa.inspect(self.model).primary_key
        return tuple(getattr(self.model, str(column.key)) for column in key)

    def key_of(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return what identifies a row of the table."""
        return tuple(row[column.key] for column in self.key_columns)


async def read_pages(db: DatabaseSession, part: Part) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield the rows of a part in batches."""
    attributes = [getattr(part.model, name) for name in part.columns]
    first = sa.select(*attributes).where(part.condition).order_by(*part.key_columns).limit(BATCH)
    statement = first
    while rows := (await db.execute(statement)).mappings().all():
        yield [dict(zip(part.columns, row.values(), strict=True)) for row in rows]
        if len(rows) < BATCH:
            return
        last = zip(part.key_of(rows[-1]), part.key_columns, strict=True)
        place = sa.tuple_(*(sa.literal(value, column.type) for value, column in last))
        statement = first.where(sa.tuple_(*part.key_columns) > place)


def tenant_models() -> list[type[Any]]:
    """Return the classes of all tenant-owned tables that exports contain, in the order of foreign keys."""
    models = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    tables = [table for table in Base.metadata.sorted_tables if is_tenant_owned(table)]
    return [models[table] for table in tables if table.name not in LEFT_OUT]


def organization_parts(organization_id: str) -> list[Part]:
    """Return what belongs to an organization, in an order in which it can be inserted."""
    named = [
        _part(Organization, Organization.id == organization_id),
        *(_part(model, model.organization_id == organization_id) for model in _BELONGING),
    ]
    owned = [_part(model, model.organization_id == organization_id) for model in tenant_models()]
    people = [_ids_of_people(part) for part in (*named, *owned)]
    users = User.id.in_(sa.union(*(ids for found in people for ids in found)))
    return [_part(User, users), *named, *owned]


def person_parts(user_id: str) -> list[Part]:
    """Return what belongs to a person outside organizations, without tokens and hashes of cookies."""
    return [
        _part(User, User.id == user_id),
        _part(SessionRow, SessionRow.subject == user_id),
        _part(Notification, Notification.user_id == user_id),
        _part(LabGround, LabGround.subject == user_id),
        _part(LabRun, LabRun.subject == user_id),
        _part(LabClass, LabClass.teacher == user_id),
        _part(LabClassMember, LabClassMember.subject == user_id),
        _part(SupportAccess, sa.or_(SupportAccess.member_id == user_id, SupportAccess.agent_id == user_id)),
        *(_part(model, mentions(model, user_id)) for model in _BELONGING),
    ]


def person_parts_in_organization(user_id: str) -> list[Part]:
    """Return what belongs to a person in the organization of a session.

    Of the audit log that is what they did. Entries of others about them show what those people did.
    """
    return [
        _part(model, AuditEvent.actor_id == user_id if model is AuditEvent else mentions(model, user_id))
        for model in tenant_models()
    ]


def mentions(model: type[Base], user_id: str) -> sa.ColumnElement[bool]:
    """Return the condition that a column of a row is the id of a person."""
    return sa.or_(sa.false(), *(getattr(model, name) == user_id for name in text_columns(model)))


def text_columns(model: type[Base]) -> list[str]:
    """Return the columns that may hold the id of a person."""
    return [
        name
        for name, column in columns_of(model).items()
        if isinstance(column.type, sa.String)
        and not isinstance(column.type, sa.Enum)
        and name != "organization_id"
    ]


_BELONGING: Final = (
    DomainJoin,
    EmailDomain,
    FormerMembership,
    MembershipChange,
    OrganizationOptions,
    RoleEnd,
    SsoConnection,
)
"""Tables with rows of organizations that are not confined to one, because requests read across them."""


_WITH_SECRETS: Final = (SessionRow, SupportAccess)
"""Tables whose binary columns hold tokens, or the hashes of cookies."""


def _part(model: type[Any], condition: sa.ColumnElement[bool]) -> Part:
    columns = {
        name: column
        for name, column in columns_of(model).items()
        if model not in _WITH_SECRETS or not isinstance(column.type, sa.LargeBinary)
    }
    return Part(model, condition, columns)


def _ids_of_people(part: Part) -> list[sa.Select[Any]]:
    return [
        sa.select(getattr(part.model, name)).where(part.condition) for name in _PEOPLE if name in part.columns
    ]

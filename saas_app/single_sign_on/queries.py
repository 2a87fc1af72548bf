"""Statements on connections to identity providers. Sessions are bound to an organization or a connector."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from saas_app.audit.recorder import Action
from saas_app.db import keys
from saas_app.db.rows import changed
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.db.upsert import insert_if_absent, upsert
from saas_app.models import (
    AuditEvent,
    DomainJoin,
    DomainProof,
    EmailDomain,
    FormerMembership,
    OrganizationOptions,
    SsoConnection,
    SsoFailure,
    SsoPerson,
    SsoSecret,
    User,
)
from saas_app.single_sign_on.values import Connection, GroupRole

_COLUMNS: Final = [getattr(SsoConnection, name) for name in Connection.__slots__]
_OF_ORGANIZATION: Final = SsoConnection.organization_id == sa.bindparam("of_organization", type_=sa.String)
_BY_ORGANIZATION: Final = sa.select(*_COLUMNS).where(_OF_ORGANIZATION)
_BY_CONNECTOR: Final = sa.select(*_COLUMNS).where(
    SsoConnection.connector_id == sa.bindparam("of_connector", type_=sa.String)
)
_ENDS: Final = [Action.MEMBER_REMOVE.value, Action.MEMBER_LEAVE.value]
_FORMER: Final = sa.select(FormerMembership.user_id).where(
    FormerMembership.organization_id == sa.bindparam("of_organization", type_=sa.String),
    FormerMembership.user_id == sa.bindparam("user_id", type_=sa.String),
)
_JOIN: Final = sa.select(DomainJoin.user_id).where(
    DomainJoin.organization_id == sa.bindparam("of_organization", type_=sa.String),
    DomainJoin.user_id == sa.bindparam("user_id", type_=sa.String),
)
_END: Final = (
    sa.select(AuditEvent.id)
    .where(
        AuditEvent.target_id == sa.bindparam("user_id", type_=sa.String),
        AuditEvent.action.in_(_ENDS),
    )
    .limit(1)
)
_ALLOWED: Final = sa.select(OrganizationOptions.sso_allowed).where(
    OrganizationOptions.organization_id == sa.bindparam("of_organization", type_=sa.String)
)
_CONNECTORS: Final = sa.select(SsoConnection.connector_id)
_HELD: Final = sa.select(EmailDomain.domain).where(
    EmailDomain.organization_id == sa.bindparam("of_organization", type_=sa.String),
    EmailDomain.proof == DomainProof.DNS,
    EmailDomain.verified_at.is_not(None),
)
_NAME: Final = sa.select(User.display_name()).where(User.id == sa.bindparam("user_id", type_=sa.String))


async def find_connection(db: DatabaseSession, organization_id: str) -> Connection | None:
    """Return an organization's connection, or None."""
    row = (await db.execute(_BY_ORGANIZATION, {"of_organization": organization_id})).one_or_none()
    return None if row is None else _as_connection(row)


async def find_by_connector(work: UnitOfWork, connector_id: str) -> Connection | None:
    """Return the connection that an enterprise connector belongs to, or None."""
    async with work.reading(key=keys.of_connector(connector_id)) as db:
        row = (await db.execute(_BY_CONNECTOR, {"of_connector": connector_id})).one_or_none()
    return None if row is None else _as_connection(row)


async def list_connector_ids(db: DatabaseSession) -> frozenset[str]:
    """Return the connectors of all organizations. ``db`` sees all of them, as sessions of jobs do."""
    return frozenset(await db.scalars(_CONNECTORS))


async def list_held_domains(db: DatabaseSession, organization_id: str) -> frozenset[str]:
    """Return the email domains that the organization holds by a proof in the DNS, as A-labels."""
    return frozenset(await db.scalars(_HELD, {"of_organization": organization_id}))


async def is_allowed(db: DatabaseSession, organization_id: str, *, self_service: bool) -> bool:
    """Return whether the organization may connect a provider: every one may, or the operator allowed it."""
    return self_service or await db.scalar(_ALLOWED, {"of_organization": organization_id}) is True


async def save_allowed(db: WritingSession, organization_id: str, allowed: bool) -> None:
    """Save whether the operator lets the organization connect a provider."""
    row = {"organization_id": organization_id, "sso_allowed": allowed}
    await upsert(db, OrganizationOptions, [row], key=("organization_id",))


async def was_member(db: DatabaseSession, organization_id: str, user_id: str) -> bool:
    """Return whether it is known that a person was a member of an organization.

    Ended memberships are known for 90 days. How people joined, and the audit log, tell of earlier ones. The
    session is bound to the organization, and adds it to the last statement.
    """
    values = {"of_organization": organization_id, "user_id": user_id}
    for statement in (_FORMER, _JOIN, _END):
        if (await db.execute(statement, values)).first() is not None:
            return True
    return False


async def find_name(db: DatabaseSession, user_id: str) -> str | None:
    """Return the name of a person for display, or None if it is not known."""
    name: str | None = await db.scalar(_NAME, {"user_id": user_id})
    return name


async def add_connection(
    db: WritingSession, organization_id: str, connector_id: str, name: str, created_by: str, now: datetime
) -> bool:
    """Store a connection without a provider. Returns False if the organization has one."""
    row = {
        "organization_id": organization_id,
        "connector_id": connector_id,
        "name": name,
        "issuer": "",
        "client_id": "",
        "scopes": "",
        "domains": [],
        "joins": False,
        "group_claim": "",
        "group_roles": [],
        "created_at": now,
        "created_by": created_by,
    }
    return await insert_if_absent(db, SsoConnection, row, key=("organization_id",))


async def change_connection(db: WritingSession, organization_id: str, **values: Any) -> bool:
    """Set columns of an organization's connection. Returns False if it has none."""
    statement = sa.update(SsoConnection).where(SsoConnection.organization_id == organization_id)
    return await changed(db, statement.values(**values), SsoConnection.organization_id)


async def save_failure(
    db: WritingSession, connection: Connection, failure: SsoFailure, now: datetime
) -> bool:
    """Save that sign-ins through a connection fail. ``failing_since`` stays if they failed before.

    Returns False, and changes nothing, if this failure is known, or if the connection was tested, entered or
    switched meanwhile.
    """
    statement = sa.update(SsoConnection).where(
        SsoConnection.organization_id == connection.organization_id,
        SsoConnection.on_at.is_not_distinct_from(connection.on_at),
        SsoConnection.tested_at.is_not_distinct_from(connection.tested_at),
        SsoConnection.failure.is_distinct_from(failure),
    )
    since = sa.func.coalesce(SsoConnection.failing_since, now)
    return await changed(
        db, statement.values(failing_since=since, failure=failure), SsoConnection.organization_id
    )


async def delete_connection(db: WritingSession, organization_id: str) -> None:
    """Delete an organization's connection, its secret and its people. The session is bound to it."""
    await db.execute(sa.delete(SsoConnection).where(SsoConnection.organization_id == organization_id))
    await db.execute(sa.delete(SsoSecret))
    await forget_people(db)


async def forget_people(db: WritingSession) -> None:
    """Delete the people of an organization's provider. The session is bound to the organization."""
    await db.execute(sa.delete(SsoPerson))


async def find_secret(db: DatabaseSession) -> bytes | None:
    """Return the encrypted secret of our client at the provider of the session's organization, or None."""
    secret: bytes | None = await db.scalar(sa.select(SsoSecret.client_secret))
    return secret


async def save_secret(db: WritingSession, organization_id: str, sealed: bytes) -> None:
    """Store the encrypted secret of our client at the provider. The session is bound to the organization."""
    await db.execute(sa.delete(SsoSecret))
    db.add(SsoSecret(organization_id=organization_id, client_secret=sealed))


def _as_connection(row: sa.Row[Any]) -> Connection:
    values = row._asdict()
    values["domains"] = tuple(row.domains)
    values["group_roles"] = tuple(GroupRole(*pair) for pair in row.group_roles)
    return Connection(**values)

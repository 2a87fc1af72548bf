"""The rules of the organization pages: finding one's own, creating one, and explaining access.

Logto holds organizations and memberships; nothing here decides what somebody may do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import structlog

from saas_app.audit.recorder import Action, Actor, AuditEntry, Target, record
from saas_app.db.endurance import endure
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import LogtoUnavailable
from saas_app.identity.principal import Principal, SessionPrincipal
from saas_app.identity.profiles import Membership
from saas_app.identity.standing import require_session
from saas_app.identity.tenants import TokenDescription
from saas_app.limits.changes import ChangeLimits
from saas_app.logto import ManagementClient, ManagementError
from saas_app.rbac.decision import Decision
from saas_app.rbac.permissions import (
    ROLE_PERMISSIONS,
    Carrier,
    Permission,
    Role,
    known_permissions,
    permissions_carried_by,
)
from saas_app.rbac.policy import AccessFacts, decide
from saas_app.text.order import fold, order_key

log = structlog.get_logger(__name__)

_SECONDS_TO_FINISH: Final = 30.0
"""For a creation whose caller went away: longer than a call to Logto takes."""


@dataclass(frozen=True, slots=True)
class OrganizationInput:
    """What somebody typed for a new organization; bounds and spaces were seen to by the form."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class CreatedOrganization:
    """An organization that exists in Logto, with its creator as admin."""

    id: str
    name: str
    description: str | None


def matching(memberships: Iterable[Membership], text: str, language: str = "") -> list[Membership]:
    """The memberships whose organization's name holds ``text``, in the order of the reader's language."""
    wanted = fold(text.strip())
    found = [item for item in memberships if wanted in fold(item.organization_name)]
    return sorted(found, key=lambda item: (order_key(item.organization_name, language), item.organization_id))


async def create_organization(
    management: ManagementClient,
    work: UnitOfWork,
    limits: ChangeLimits,
    principal: SessionPrincipal,
    wanted: OrganizationInput,
) -> CreatedOrganization:
    """Create an organization in Logto, its creator the admin, its trail begun: all of it, or nothing.

    When a later step fails, the organization is deleted again. When the caller goes away it is finished, so
    that it counts for the limit and belongs to somebody. Raises
    :class:`LogtoUnavailable`, :class:`LimitReached`, and :class:`SignInRequired` when the session is ended
    before the last step. Never inside an open writing session.
    """
    await _require_session(work, principal)
    return await endure(
        _create_counted(management, work, limits, principal, wanted), grace=_SECONDS_TO_FINISH
    )


async def _create_counted(
    management: ManagementClient,
    work: UnitOfWork,
    limits: ChangeLimits,
    principal: SessionPrincipal,
    wanted: OrganizationInput,
) -> CreatedOrganization:
    who = principal.subject
    async with limits.spending((limits.changes, who), (limits.new_organizations, who)):
        return await _create(management, work, principal, wanted)


async def _create(
    management: ManagementClient, work: UnitOfWork, principal: SessionPrincipal, wanted: OrganizationInput
) -> CreatedOrganization:
    try:
        created = await management.create_organization(wanted.name, wanted.description or None)
        try:
            await management.add_members(created.id, [principal.subject])
            await _require_session(work, principal)
            await management.assign_roles(created.id, principal.subject, [Role.ADMIN.value])
            async with work.writing(created.id) as db:
                record(db, _creation(principal, created.id, wanted))
        except BaseException:
            await asyncio.shield(_delete_again(management, created.id))
            raise
    except ManagementError as refusal:
        log.exception(
            "logto refused to create an organization", status=refusal.status, logto_code=refusal.code
        )
        raise LogtoUnavailable("Logto did not accept the new organization.") from None
    return CreatedOrganization(created.id, created.name, created.description)


async def _require_session(work: UnitOfWork, principal: SessionPrincipal) -> None:
    async with work.reading() as db:
        await require_session(db, principal)


def _creation(principal: Principal, organization_id: str, wanted: OrganizationInput) -> AuditEntry:
    return AuditEntry(
        actor=Actor.of(principal),
        action=Action.ORGANIZATION_CREATE,
        target=Target("organization", organization_id, wanted.name),
        after={"name": wanted.name, "description": wanted.description},
    )


async def _delete_again(management: ManagementClient, organization_id: str) -> None:
    try:
        await management.delete_organization(organization_id)
    except (ManagementError, LogtoUnavailable):
        log.exception("a half-made organization remains", organization_id=organization_id)


@dataclass(frozen=True, slots=True)
class MatrixColumn:
    """A role of the matrix; ``held`` lights its column."""

    role: Role
    held: bool


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """A permission: which roles bundle it, and whether the caller's token carries it.

    ``carried`` is None while no token of that kind has been read.
    """

    permission: Permission
    bundled: tuple[bool, ...]
    carried: bool | None


@dataclass(frozen=True, slots=True)
class Matrix:
    """Roles and permissions of the registry, beside what the caller's tokens really carry."""

    columns: tuple[MatrixColumn, ...]
    groups: tuple[tuple[Carrier, tuple[MatrixRow, ...]], ...]

    @property
    def behind(self) -> tuple[Permission, ...]:
        """Permissions that a held role bundles and the token lacks: what renewing access would bring."""
        held = [position for position, column in enumerate(self.columns) if column.held]
        return tuple(
            row.permission
            for _carrier, rows in self.groups
            for row in rows
            if row.carried is False and any(row.bundled[position] for position in held)
        )


def example_decision() -> Decision:
    """A refusal for the front page, made by the same policy that makes the real ones."""
    facts = AccessFacts(
        subject="Carol",
        organization_name="Acme Robotics",
        role_names=frozenset({Role.VIEWER.value}),
        granted=ROLE_PERMISSIONS[Role.VIEWER],
        carriers=frozenset(Carrier),
    )
    return decide(facts, Permission.PROJECTS_WRITE)


def permission_matrix(role_names: frozenset[str], tokens: Iterable[TokenDescription]) -> Matrix:
    """The matrix for a member with these roles and these tokens."""
    carried = {token.carrier: known_permissions(frozenset(token.scopes)) for token in tokens}

    def row(permission: Permission) -> MatrixRow:
        granted = carried.get(permission.carrier)
        return MatrixRow(
            permission,
            tuple(permission in ROLE_PERMISSIONS[role] for role in Role),
            None if granted is None else permission in granted,
        )

    return Matrix(
        columns=tuple(MatrixColumn(role, role.value in role_names) for role in Role),
        groups=tuple(
            (carrier, tuple(row(permission) for permission in permissions_carried_by(carrier)))
            for carrier in Carrier
        ),
    )

"""Questions about organizations: the caller's own, their access, and the settings.

Logto stores organizations, memberships and settings. Nothing here decides what a caller may do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from saas_app.changes.organization_change import MemberChange
from saas_app.db.base import utc_now
from saas_app.db.readings import Reading
from saas_app.identity.profiles import Membership
from saas_app.identity.tenant import Tenant
from saas_app.identity.tenants import TokenDescription
from saas_app.organizations import queries
from saas_app.organizations.values import Details, FirstSteps, Joining, OrganizationGone, OrganizationSettings
from saas_app.rbac.assignment import PERSON_ROLES, assignable_roles
from saas_app.rbac.decision import Decision
from saas_app.rbac.permissions import (
    OPERATOR_PERMISSIONS,
    ROLE_PERMISSIONS,
    Carrier,
    Permission,
    Role,
    known_permissions,
    permissions_carried_by,
    permissions_of,
)
from saas_app.rbac.policy import AccessFacts, decide
from saas_app.text.branding import Branding
from saas_app.text.order import fold, order_key

EXAMPLE_PERSON: Final = "Carol"
_IS_NEW_FOR: Final = timedelta(days=30)


def search_memberships(memberships: Iterable[Membership], text: str, language: str = "") -> list[Membership]:
    """Return the memberships whose organization's name contains ``text``, sorted as in the language."""
    wanted = fold(text.strip())
    if wanted:
        memberships = (item for item in memberships if wanted in fold(item.organization_name))
    return sorted(
        memberships, key=lambda item: (order_key(item.organization_name, language), item.organization_id)
    )


def ends_within_a_day(tenant: Tenant) -> list[tuple[str, datetime]]:
    """Return the caller's roles that end soon, and when, the earliest first."""
    soon = utc_now() + timedelta(days=1)
    found = [(name, end) for name, end in tenant.role_ends.items() if end <= soon]
    return sorted(found, key=lambda item: (item[1], item[0]))


@dataclass(frozen=True, slots=True)
class MatrixColumn:
    """A role of the matrix. The column of a ``held`` role is highlighted."""

    role: Role
    held: bool


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """A permission, and whether each role bundles it, in the order of the columns.

    ``carried`` says whether the caller's token carries it. None means that no such token has been fetched.
    """

    permission: Permission
    bundled: tuple[bool, ...]
    carried: bool | None


@dataclass(frozen=True, slots=True)
class Matrix:
    """Roles for people and permissions of the registry, compared with what the caller's tokens carry."""

    columns: tuple[MatrixColumn, ...]
    groups: tuple[tuple[Carrier, tuple[MatrixRow, ...]], ...]

    @property
    def not_in_token(self) -> tuple[Permission, ...]:
        """Permissions that a held role bundles and the token lacks. Renewing access brings them."""
        held = [position for position, column in enumerate(self.columns) if column.held]
        return tuple(
            row.permission
            for _carrier, rows in self.groups
            for row in rows
            if row.carried is False and any(row.bundled[position] for position in held)
        )


def example_decision() -> Decision:
    """Return a denial for the front page, decided by the policy that decides real requests."""
    facts = AccessFacts(
        subject=EXAMPLE_PERSON,
        organization_name="Acme Robotics",
        role_names=frozenset({Role.VIEWER.value}),
        granted=ROLE_PERMISSIONS[Role.VIEWER],
        carriers=frozenset(Carrier),
    )
    return decide(facts, Permission.PROJECTS_WRITE)


def first_steps() -> Reading[FirstSteps | None]:
    """Return the question for the first steps, in an organization that was created in the last 30 days."""
    return queries.first_steps(utc_now() - _IS_NEW_FOR)


def permission_matrix(role_names: frozenset[str], tokens: Iterable[TokenDescription]) -> Matrix:
    """Return the matrix for a member with these roles and these tokens.

    What only the operator's team may do is in the matrix of its members alone.
    """
    carried = {token.carrier: known_permissions(frozenset(token.scopes)) for token in tokens}
    operates = permissions_of(role_names) & OPERATOR_PERMISSIONS
    hidden = OPERATOR_PERMISSIONS - operates
    roles = (*PERSON_ROLES, *(role for role in Role if ROLE_PERMISSIONS[role] & operates))

    def row(permission: Permission) -> MatrixRow:
        granted = carried.get(permission.carrier)
        return MatrixRow(
            permission,
            tuple(permission in ROLE_PERMISSIONS[role] for role in roles),
            None if granted is None else permission in granted,
        )

    return Matrix(
        columns=tuple(MatrixColumn(role, role.value in role_names) for role in roles),
        groups=tuple(
            (carrier, tuple(row(one) for one in permissions_carried_by(carrier) if one not in hidden))
            for carrier in Carrier
        ),
    )


async def read_settings(change: MemberChange) -> OrganizationSettings:
    """Return the current settings from Logto. Raises :class:`OrganizationGone`."""
    with change.explain(OrganizationGone):
        organization, joining, has_factor = await asyncio.gather(
            change.management.get_organization(change.organization_id),
            read_joining(change),
            change.management.has_second_factor(change.caller.principal.subject),
        )
    details = Details(organization.name, organization.description or "")
    branding = Branding.stored(organization.branding, organization.color)
    return OrganizationSettings(details, branding, organization.is_mfa_required, joining, has_factor)


async def get_name(change: MemberChange) -> str:
    """Return the organization's current name in Logto. Raises :class:`OrganizationGone`."""
    with change.explain(OrganizationGone):
        return (await change.management.get_organization(change.organization_id)).name


async def read_joining(change: MemberChange) -> Joining:
    """Return the email domains and default roles set in Logto. Both are empty if the organization is gone."""
    domains, roles = await asyncio.gather(
        change.management.list_joining_domains(change.organization_id),
        change.management.list_joining_roles(change.organization_id),
    )
    return Joining(tuple(sorted(domains)), roles)


def joining_role_choices(tenant: Tenant) -> tuple[Role, ...]:
    """Return the default roles to offer the caller. Saving checks the caller's tokens again."""
    offered = frozenset(permission for permission in Permission if tenant.offers(permission))
    return assignable_roles(offered - tenant.facts.until.keys())

"""The rules of the organization pages: finding one's own, creating one, and explaining access.

Logto holds organizations and memberships; nothing here decides what somebody may do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from saas_app.identity.profiles import Membership
from saas_app.identity.tenants import TokenDescription
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


def matching(memberships: Iterable[Membership], text: str, language: str = "") -> list[Membership]:
    """The memberships whose organization's name holds ``text``, in the order of the reader's language."""
    wanted = fold(text.strip())
    found = [item for item in memberships if wanted in fold(item.organization_name)]
    return sorted(found, key=lambda item: (order_key(item.organization_name, language), item.organization_id))


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

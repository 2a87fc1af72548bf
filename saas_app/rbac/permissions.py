"""Every permission and every role, once.

From it come the scopes requested at sign-in, what ``saas-app provision`` writes to Logto, what guards check,
the tables and the exhaustive tests. Who *holds* a permission is read from a token that Logto signed.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from saas_app.text.translation import Sentence, _


class Carrier(StrEnum):
    """The kind of token that carries a permission. Its value is the label in English."""

    label: Sentence

    def __new__(cls, label: Sentence) -> Carrier:
        member = str.__new__(cls, label)
        member._value_ = str(label)
        member.label = label
        return member

    ORGANIZATION_TOKEN = _("organization token")
    API_TOKEN = _("API-resource token")


class Permission(StrEnum):
    """A permission that code checks. Its value is the Logto scope, ``noun:verb``."""

    description: Sentence
    carrier: Carrier

    def __new__(cls, value: str, description: Sentence, carrier: Carrier) -> Permission:
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        member.carrier = carrier
        return member

    ORGANIZATION_UPDATE = (
        "organization:update",
        _("Change the organization's name, description and settings"),
        Carrier.ORGANIZATION_TOKEN,
    )
    ORGANIZATION_DELETE = (
        "organization:delete",
        _("Delete the organization and everything in it"),
        Carrier.ORGANIZATION_TOKEN,
    )
    MEMBERS_READ = ("members:read", _("View the organization's members"), Carrier.ORGANIZATION_TOKEN)
    MEMBERS_INVITE = ("members:invite", _("Invite people by email"), Carrier.ORGANIZATION_TOKEN)
    MEMBERS_UPDATE = ("members:update", _("Change the roles of members"), Carrier.ORGANIZATION_TOKEN)
    MEMBERS_REMOVE = ("members:remove", _("Remove members"), Carrier.ORGANIZATION_TOKEN)
    AUDIT_READ = ("audit:read", _("View the audit log"), Carrier.ORGANIZATION_TOKEN)
    API_CLIENTS_MANAGE = (
        "api-clients:manage",
        _("Create, rotate and revoke API clients"),
        Carrier.ORGANIZATION_TOKEN,
    )
    PROJECTS_READ = ("projects:read", _("View projects and their tasks"), Carrier.API_TOKEN)
    PROJECTS_WRITE = ("projects:write", _("Create and change projects and tasks"), Carrier.API_TOKEN)
    PROJECTS_DELETE = ("projects:delete", _("Delete projects"), Carrier.API_TOKEN)
    PROJECTS_EXPORT = ("projects:export", _("Export projects as CSV"), Carrier.API_TOKEN)
    SUPPORT_ACT = ("support:act", _("Act for members of other organizations"), Carrier.ORGANIZATION_TOKEN)


OPERATOR_PERMISSIONS: Final = frozenset({Permission.SUPPORT_ACT})
"""What only the operator's own team may do, in its own organization. No admin of another has them."""


class RoleType(StrEnum):
    """The kind of holder of a role. Logto has separate roles for people and for machines."""

    USER = "User"
    MACHINE = "MachineToMachine"


class Role(StrEnum):
    """An organization role of the template. Its value is the role's name in Logto."""

    description: Sentence
    type: RoleType

    def __new__(cls, value: str, description: Sentence, type_: RoleType) -> Role:
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        member.type = type_
        return member

    ADMIN = ("admin", _("Manages the organization: members, settings and all projects"), RoleType.USER)
    EDITOR = ("editor", _("Creates and changes projects and tasks"), RoleType.USER)
    VIEWER = ("viewer", _("Views projects and members"), RoleType.USER)
    SUPPORT = ("support", _("Helps other organizations, as a member of the operator's team"), RoleType.USER)
    INTEGRATION = ("integration", _("An API client that reads and writes projects"), RoleType.MACHINE)
    READER = ("reader", _("An API client that only reads projects"), RoleType.MACHINE)
    PROJECT_REMOVER = ("project-remover", _("An API client that deletes projects"), RoleType.MACHINE)
    MEMBER_READER = ("member-reader", _("An API client that only reads members"), RoleType.MACHINE)
    MEMBER_REMOVER = ("member-remover", _("An API client that removes members"), RoleType.MACHINE)
    AUDIT_READER = ("audit-reader", _("An API client that only reads the audit log"), RoleType.MACHINE)


ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission) - OPERATOR_PERMISSIONS,
    Role.EDITOR: frozenset(
        {
            Permission.MEMBERS_READ,
            Permission.PROJECTS_READ,
            Permission.PROJECTS_WRITE,
        }
    ),
    Role.VIEWER: frozenset(
        {
            Permission.MEMBERS_READ,
            Permission.PROJECTS_READ,
        }
    ),
    Role.SUPPORT: frozenset({Permission.SUPPORT_ACT, Permission.MEMBERS_READ}),
    Role.INTEGRATION: frozenset(
        {
            Permission.PROJECTS_READ,
            Permission.PROJECTS_WRITE,
        }
    ),
    Role.READER: frozenset({Permission.PROJECTS_READ}),
    Role.PROJECT_REMOVER: frozenset({Permission.PROJECTS_READ, Permission.PROJECTS_DELETE}),
    Role.MEMBER_READER: frozenset({Permission.MEMBERS_READ}),
    Role.MEMBER_REMOVER: frozenset({Permission.MEMBERS_READ, Permission.MEMBERS_REMOVE}),
    Role.AUDIT_READER: frozenset({Permission.AUDIT_READ}),
}
"""Which role bundles which permissions, as ``saas-app provision`` writes it to Logto."""

_ROLE_ORDER: Final = {role.value: position for position, role in enumerate(Role)}


def permissions_carried_by(carrier: Carrier) -> tuple[Permission, ...]:
    """Return the permissions that travel in one kind of token, in the registry's order."""
    return tuple(permission for permission in Permission if permission.carrier is carrier)


def roles_granting(permission: Permission) -> tuple[Role, ...]:
    """Return the roles that grant a permission, in the registry's order."""
    return tuple(role for role in Role if permission in ROLE_PERMISSIONS[role])


def in_role_order(names: Iterable[str]) -> list[str]:
    """Sort role names by the registry's order, and unknown names after them."""
    return sorted(names, key=lambda name: (_ROLE_ORDER.get(name, len(_ROLE_ORDER)), name))


def permissions_of(role_names: frozenset[str]) -> frozenset[Permission]:
    """Return the permissions that the named roles grant. Unknown names add nothing."""
    return frozenset().union(*(ROLE_PERMISSIONS[role] for role in Role if role.value in role_names))


def known_permissions(scopes: frozenset[str]) -> frozenset[Permission]:
    """Return the permissions among a token's scopes. Unknown scopes are dropped."""
    return frozenset(permission for permission in Permission if permission.value in scopes)

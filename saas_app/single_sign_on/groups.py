"""Turns the groups that a company's identity provider sends into roles. Pure.

The provider sends a person's groups as one claim, whose name the admin enters. The value is a list of
texts, or one text that is one group, whatever it contains. Anything else, or no claim, means no group:
providers leave the claim out for people without groups, and whoever left all groups must lose their roles.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from saas_app.rbac.assignment import PERSON_ROLES
from saas_app.single_sign_on.values import GroupRole

_ROLES: Final = frozenset(role.value for role in PERSON_ROLES)


def groups_in(claim: object) -> frozenset[str]:
    """Return the groups in a claim as the provider sent it. They are compared exactly, with case."""
    if isinstance(claim, str):
        return frozenset({claim})
    if not isinstance(claim, list):
        return frozenset()
    return frozenset(group for group in claim if isinstance(group, str))


def given_roles(claim: object, mapping: Collection[GroupRole]) -> frozenset[str]:
    """Return the roles that the groups in a claim give. Roles that nobody can assign are left out."""
    groups = groups_in(claim)
    return frozenset(row.role for row in mapping if row.group in groups) & _ROLES


def wanted_roles(claim: object, mapping: Collection[GroupRole], held: Collection[str]) -> frozenset[str]:
    """Return the roles of a member who holds ``held`` after a sign-in with this claim.

    Roles in the mapping that no group gives are taken. Roles outside it stay.
    """
    managed = frozenset(row.role for row in mapping) & _ROLES
    return (frozenset(held) - managed) | given_roles(claim, mapping)

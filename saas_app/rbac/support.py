"""The most that support access can ever have, whatever the roles of the member it acts for. Pure."""

from __future__ import annotations

from typing import Final

from saas_app.rbac.permissions import Permission

SUPPORT_READ: Final = frozenset({Permission.MEMBERS_READ, Permission.PROJECTS_READ, Permission.AUDIT_READ})
"""What an organization allows that lets the support team view."""

SUPPORT_WRITE: Final = SUPPORT_READ | {Permission.PROJECTS_WRITE}
"""What an organization allows that lets the support team change things too."""


def support_permissions(*, writes: bool) -> frozenset[Permission]:
    """Return the most that support access can have. ``writes``: it may change things."""
    return SUPPORT_WRITE if writes else SUPPORT_READ

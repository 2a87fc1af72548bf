"""This organization, for this caller, now: what a guard hands to a view."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from saas_app.errors import AssignmentDenied
from saas_app.identity.principal import Principal, SessionPrincipal
from saas_app.rbac.assignment import find_denied_assignment
from saas_app.rbac.permissions import Carrier, Permission, permissions_of
from saas_app.rbac.policy import AccessFacts


@dataclass(frozen=True, slots=True)
class Tenant:
    """The organization of the request, with what the caller's tokens for it grant.

    ``granted`` comes only from fresh tokens that Logto signed for this organization; ``carriers`` names
    the kinds of token that were read for this request. ``role_names`` are the organization roles as Logto
    told them with those tokens, empty for who comes with a bearer token, which does not tell them;
    ``read_at`` is when. ``membership_version`` is that of the membership's changes known then.
    ``joined_by``: the email domain that made the caller a member, until they have confirmed the notice of it.
    """

    organization_id: str
    organization_name: str
    principal: Principal
    role_names: frozenset[str]
    granted: frozenset[Permission]
    carriers: frozenset[Carrier]
    read_at: datetime
    membership_version: int = 0
    joined_by: str | None = None

    def may(self, permission: Permission) -> bool:
        """Whether a token read for this request grants the permission. The answer guards rely on."""
        return permission in self.granted

    def offers(self, permission: Permission) -> bool:
        """Whether to show a way to use the permission: for menus and buttons, never for a guard.

        A page reads only the kind of token its guard needs, and Logto freezes API-resource scopes in the
        grant, so a token may lack what the roles bundle. The guard behind the link asks the token itself,
        and renews it where the roles hold more.
        """
        return permission in self.granted or permission in permissions_of(self.role_names)

    def require_assignable(self, role_names: Collection[str]) -> None:
        """Raise :class:`AssignmentDenied` if one of these roles holds a permission that the caller lacks.

        The request must have read every kind of token: what a token that was not read grants does not count.
        """
        denied = find_denied_assignment(self.facts, role_names)
        if denied is not None:
            raise AssignmentDenied(denied.decision, denied.explanation)

    @property
    def facts(self) -> AccessFacts:
        """The same, as the policy takes it."""
        return AccessFacts(
            subject=self.principal.display_name,
            organization_name=self.organization_name,
            role_names=self.role_names if isinstance(self.principal, SessionPrincipal) else None,
            granted=self.granted,
            carriers=self.carriers,
        )

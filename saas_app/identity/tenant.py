"""The tenant: one organization, for one caller, in one request. A guard hands it to a view."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from saas_app.errors import AssignmentDenied, AssignmentTooLong
from saas_app.identity.joined_by import JoinedBy
from saas_app.identity.principal import Principal, SessionPrincipal
from saas_app.rbac.assignment import find_denied_assignment
from saas_app.rbac.endings import granted_until
from saas_app.rbac.permissions import Carrier, Permission, permissions_of
from saas_app.rbac.policy import AccessFacts
from saas_app.text.branding import UNBRANDED, Branding


@dataclass(frozen=True, slots=True)
class Tenant:
    """The organization of the request, and what the caller's tokens for it grant.

    ``granted`` comes only from fresh tokens that Logto signed for this organization. ``carriers`` names the
    kinds of token that were read for this request, and ``read_at`` the time. ``role_names`` are the
    organization roles that came with those tokens; they are empty for a bearer token, which has none.
    ``membership_version`` counts the changes of the membership that were known then. ``joined_by`` is how the
    caller became a member uninvited, until they confirm the notice. Only pages have a ``branding``.
    ``role_ends`` says when roles end. ``role_names`` and ``granted`` have nothing of ``ended_roles``.
    """

    organization_id: str
    organization_name: str
    principal: Principal
    role_names: frozenset[str]
    granted: frozenset[Permission]
    carriers: frozenset[Carrier]
    read_at: datetime
    membership_version: int = 0
    joined_by: JoinedBy | None = None
    branding: Branding = UNBRANDED
    role_ends: Mapping[str, datetime] = field(default_factory=dict)
    ended_roles: frozenset[str] = frozenset()

    def may(self, permission: Permission) -> bool:
        """Return whether a token read for this request grants the permission. Guards rely on this answer."""
        return permission in self.granted

    def offers(self, permission: Permission) -> bool:
        """Return whether to show a link or button for the permission. Never use it in a guard.

        A page reads only the kind of token that its guard needs, and Logto freezes API-resource scopes in the
        grant, so a token may lack what the roles grant. The guard behind the link asks the token itself, and
        renews it if the roles grant more.
        """
        return permission in self.granted or permission in permissions_of(self.role_names)

    @property
    def lasting(self) -> frozenset[Permission]:
        """What the caller holds without an end, so that they can give it without one."""
        return self.granted - self.facts.until.keys()

    def require_assignable(self, role_names: Collection[str], until: datetime | None = None) -> None:
        """Raise :class:`AssignmentDenied` if one of these roles grants a permission that the caller lacks.

        The roles end at ``until``, or never. Raises :class:`AssignmentTooLong` if the caller holds the
        permissions for less long. The request must have read every kind of token, because a token that was
        not read does not count.
        """
        denied = find_denied_assignment(self.facts, role_names, until)
        if denied is not None and denied.latest is not None:
            raise AssignmentTooLong(denied.decision, denied.explanation, denied.latest)
        if denied is not None:
            raise AssignmentDenied(denied.decision, denied.explanation)

    @property
    def facts(self) -> AccessFacts:
        """The facts about the caller, in the form the policy takes."""
        return AccessFacts(
            subject=self.principal.display_name,
            organization_name=self.organization_name,
            role_names=self.role_names if isinstance(self.principal, SessionPrincipal) else None,
            granted=self.granted,
            carriers=self.carriers,
            ended=self.ended_roles,
            until=granted_until(self.role_names, self.role_ends),
            agent=self.principal.support.name if self.principal.support else None,
        )

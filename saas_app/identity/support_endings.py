"""Why a support access is over, and what it never reaches."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from saas_app.errors import AppError, PermissionDenied
from saas_app.identity.session_access import SessionAccess
from saas_app.identity.support_access import StoredAccess
from saas_app.identity.tenant import Tenant
from saas_app.rbac.decision import Decision, Step, StepResult
from saas_app.rbac.policy import proved
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated


class SupportEnded(AppError):
    """The support access whose cookie the browser still has is over. The detail says why."""

    status, code, title = 403, "support-ended", _("This support access has ended")


class SupportDenied(PermissionDenied):
    """The route is not for support access, whatever the member may do there."""

    code, title = "support-denied", _("Not available during support access")

    def __init__(self, decision: Decision) -> None:
        super().__init__(
            decision, _("You are acting for a member, and support access does not include this.")
        )

    @classmethod
    def of(cls, tenant: Tenant) -> Self:
        """Return the denial of a route that no support access reaches."""
        why = _("This is not available during support access.")
        return cls(Decision(False, (*proved(tenant.facts), StepResult(Step.PERMISSION, False, why))))


def why_over(access: StoredAccess, agent: SessionAccess | None, now: datetime) -> Sentence | None:
    """Return why an access is over, or None while it is live.

    ``agent`` is the agent's session, with their membership in the support team, or None if it has ended. What
    the customer's organization requires of sign-ins is for its members: it has allowed this access itself.
    """
    names = {
        "member": isolated(access.member_name),
        "organization": isolated(access.organization_name),
        "name": isolated(access.ended_by_name or ""),
    }
    if access.ended_at is not None and access.ended_by == access.agent_id:
        return _("You ended it.")
    if access.ended_at is not None:
        return _("%(name)s ended it.", **names)
    if access.ends_at <= now:
        return _("Its ten minutes are over.")
    if not access.is_allowed:
        return _("%(organization)s no longer allows support access.", **names)
    if access.current_version != access.member_version or access.has_ended_role:
        return _("The access of %(member)s to %(organization)s has changed.", **names)
    if agent is None or agent.principal.session_id != access.agent_session_id:
        return _("It belongs to another sign-in of yours.")
    if (
        agent.membership_version != access.agent_version
        or any(end <= now for end in agent.role_ends.values())
        or agent.unmet_requirement is not None
    ):
        return _("Your own access to the support team has changed.")
    return None

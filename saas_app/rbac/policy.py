"""The policy decides whether a caller may do something in an organization. The default is deny.

It consists of pure functions of what the caller's tokens say. They know nothing about requests, databases or
Logto; :mod:`saas_app.identity.credentials` gathers the facts, :mod:`saas_app.web.guards` acts on the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from saas_app.rbac.decision import Decision, Step, StepResult
from saas_app.rbac.names import listed
from saas_app.rbac.permissions import Carrier, Permission, permissions_of
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated


@dataclass(frozen=True, slots=True)
class AccessFacts:
    """The facts about a caller in one organization, as plain values.

    ``granted`` holds only permissions that arrived in tokens Logto signed for this caller and this
    organization; ``carriers`` names the kinds of token that were read. ``role_names`` is None for a
    bearer token, which says what is granted but not by which role. ``ended`` are roles that no longer grant
    anything, and ``until`` says which permissions the caller holds only for a time
    (:mod:`saas_app.rbac.endings`). ``agent`` is the name of who acts for the caller, if somebody does.
    """

    subject: str
    organization_name: str
    role_names: frozenset[str] | None
    granted: frozenset[Permission]
    carriers: frozenset[Carrier]
    ended: frozenset[str] = frozenset()
    until: Mapping[Permission, datetime] = field(default_factory=dict)
    agent: str | None = None


def decide(facts: AccessFacts, permission: Permission) -> Decision:
    """Decide whether the caller holds ``permission`` in the organization."""
    steps = list(proved(facts))
    named = {"token": permission.carrier.label, "permission": permission.value}
    names = {"token": permission.carrier.label, "organization": isolated(facts.organization_name)}
    if permission.carrier not in facts.carriers:
        missing = _("%(permission)s is read from the %(token)s, and this request has none.", **named)
        return Decision(False, (*steps, StepResult(Step.AUDIENCE, False, missing)), permission=permission)
    issued = _("The %(token)s was issued by Logto for %(organization)s only.", **names)
    steps.append(StepResult(Step.AUDIENCE, True, issued))
    allowed = permission in facts.granted
    if allowed:
        says = _("The %(token)s includes %(permission)s.", **named)
    elif ended := [name for name in sorted(facts.ended) if permission in permissions_of(frozenset({name}))]:
        says = _("The %(role)s role, which grants %(permission)s, has ended.", role=ended[0], **named)
    else:
        says = _("The %(token)s does not include %(permission)s.", **named)
    steps.append(StepResult(Step.PERMISSION, allowed, says))
    return Decision(allowed, tuple(steps), permission=permission)


def proved(facts: AccessFacts) -> tuple[StepResult, StepResult]:
    """Return the first two steps of a decision: who the caller is, and that they belong here."""
    caller, organization = isolated(facts.subject), isolated(facts.organization_name)
    if facts.agent is not None:
        authenticated = _("%(agent)s is acting for %(name)s.", agent=isolated(facts.agent), name=caller)
        member = _("%(organization)s allows support access.", organization=organization)
    elif facts.role_names is None:
        authenticated = _("Bearer token of %(name)s.", name=caller)
        member = _("The token was issued for %(organization)s.", organization=organization)
    else:
        authenticated = _("Signed in as %(name)s.", name=caller)
        member = _member(organization, sorted(facts.role_names))
    return StepResult(Step.AUTHENTICATED, True, authenticated), StepResult(Step.MEMBER, True, member)


def _member(organization: str, role_names: list[str]) -> Sentence:
    if not role_names:
        return _("Member of %(organization)s, without a role.", organization=organization)
    return _("Member of %(organization)s, as %(roles)s.", organization=organization, roles=listed(role_names))

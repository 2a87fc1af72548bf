"""The policy decides whether a caller may do something in an organization. The default is deny.

It consists of pure functions of what the caller's tokens say. They know nothing about requests, databases or
Logto; :mod:`saas_app.identity.credentials` gathers the facts, :mod:`saas_app.web.guards` acts on the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from saas_app.rbac.decision import Decision, Step, StepResult
from saas_app.rbac.permissions import Carrier, Permission
from saas_app.text.visible import isolated


@dataclass(frozen=True, slots=True)
class AccessFacts:
    """The facts about a caller in one organization, as plain values.

    ``granted`` holds only permissions that arrived in tokens Logto signed for this caller and this
    organization; ``carriers`` names the kinds of token that were read. ``role_names`` is None for a
    bearer token, which says what is granted but not by which role.
    """

    subject: str
    organization_name: str
    role_names: frozenset[str] | None
    granted: frozenset[Permission]
    carriers: frozenset[Carrier]


def decide(facts: AccessFacts, permission: Permission) -> Decision:
    """Decide whether the caller holds ``permission`` in the organization."""
    steps = list(proved(facts))
    carrier, organization = permission.carrier, isolated(facts.organization_name)
    if carrier not in facts.carriers:
        steps.append(StepResult(Step.AUDIENCE, False, f"No {carrier} was issued for {organization}."))
        return Decision(False, tuple(steps), permission=permission)
    steps.append(
        StepResult(Step.AUDIENCE, True, f"The {carrier} was issued by Logto for {organization} only.")
    )
    allowed = permission in facts.granted
    says = "includes" if allowed else "does not include"
    steps.append(StepResult(Step.PERMISSION, allowed, f"The {carrier} {says} {permission.value}."))
    return Decision(allowed, tuple(steps), permission=permission)


def proved(facts: AccessFacts) -> tuple[StepResult, StepResult]:
    """Return the first two steps of a decision: who the caller is, and that they belong here."""
    caller, organization = isolated(facts.subject), isolated(facts.organization_name)
    if facts.role_names is None:
        authenticated = f"Bearer token of {caller}."
        member = f"The token was issued for {organization}."
    else:
        names = " and ".join(sorted(facts.role_names))
        authenticated = f"Signed in as {caller}."
        member = f"Member of {organization}, {f'as {names}' if names else 'without a role'}."
    return StepResult(Step.AUTHENTICATED, True, authenticated), StepResult(Step.MEMBER, True, member)

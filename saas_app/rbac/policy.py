"""The policy: may this caller, in this organization, do this? Default is deny.

Pure functions over what the caller's tokens say. They know nothing of requests, databases or Logto;
:mod:`saas_app.identity.authorization` gathers the facts, :mod:`saas_app.web.guards` acts on the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from saas_app.rbac.decision import Decision, Step, StepResult
from saas_app.rbac.permissions import Carrier, Permission, Role


@dataclass(frozen=True, slots=True)
class AccessFacts:
    """What is known about a caller in one organization, as plain values.

    ``granted`` holds only permissions that arrived in tokens Logto signed for this caller and this
    organization; ``carriers`` names the kinds of token that were read.
    """

    subject: str
    organization_name: str
    role_names: frozenset[str]
    granted: frozenset[Permission]
    carriers: frozenset[Carrier]


def decide(facts: AccessFacts, permission: Permission) -> Decision:
    """Decide whether the caller holds ``permission`` in the organization."""
    steps = [
        StepResult(Step.AUTHENTICATED, True, f"Signed in as {facts.subject}."),
        StepResult(Step.MEMBER, True, f"Member of {facts.organization_name}, {_roles(facts)}."),
    ]
    carrier = permission.carrier
    if carrier not in facts.carriers:
        steps.append(
            StepResult(Step.AUDIENCE, False, f"No {carrier} was issued for {facts.organization_name}.")
        )
        return Decision(False, tuple(steps), permission=permission)
    steps.append(
        StepResult(
            Step.AUDIENCE, True, f"The {carrier} was issued by Logto for {facts.organization_name} only."
        )
    )
    allowed = permission in facts.granted
    says = "carries" if allowed else "does not carry"
    steps.append(StepResult(Step.PERMISSION, allowed, f"The {carrier} {says} {permission.value}."))
    return Decision(allowed, tuple(steps), permission=permission)


def decide_role(facts: AccessFacts, role: Role) -> Decision:
    """Decide whether the caller holds ``role``: for the few actions that belong to a role as such."""
    held = role.value in facts.role_names
    says = "holds" if held else "does not hold"
    steps = (
        StepResult(Step.AUTHENTICATED, True, f"Signed in as {facts.subject}."),
        StepResult(Step.MEMBER, True, f"Member of {facts.organization_name}, {_roles(facts)}."),
        StepResult(Step.ROLE, held, f"The membership {says} the role {role.value}."),
    )
    return Decision(held, steps, role=role)


def _roles(facts: AccessFacts) -> str:
    if not facts.role_names:
        return "without a role"
    names = " and ".join(sorted(facts.role_names))
    return f"as {names}"

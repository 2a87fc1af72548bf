"""Lesson 2: a member who may not is told so; a stranger is told nothing."""

from __future__ import annotations

from typing import Final

from saas_app.identity.credentials.bearer_token import TokenCaller
from saas_app.lab.evidence import Asked, Decided, Evidence
from saas_app.lab.lesson import Answer, Before, Lesson, Task
from saas_app.lab.stage import Stage
from saas_app.lab.values import Place
from saas_app.rbac.decision import Decision, Step, StepResult
from saas_app.rbac.permissions import Carrier, Permission
from saas_app.rbac.policy import AccessFacts, decide, proved
from saas_app.text.translation import _

_NOWHERE: Final = Place("nowhere00000", "nowhere00000")
"""An organization that does not exist. Ids of Logto look like it."""


async def _prepare(stage: Stage) -> Before:
    """Nothing has to be arranged: you are a viewer of the studio, and Sam is a stranger there."""
    return {}


async def _act(stage: Stage, before: Before) -> Evidence:
    """Ask as a viewer and as a stranger, and compare what Logto tells a stranger."""
    own = await stage.learner.fetch(stage.studio, Carrier.ORGANIZATION_TOKEN)
    token = own.get_token()
    label = _("your token for Rosa’s studio")
    viewer = await stage.call(_path(stage.studio), token, label, title=_("As a viewer"))
    stranger = await stage.call(_path(_NOWHERE), token, label, title=_("As a stranger"))
    facts = stage.facts(stage.learner.principal.display_name, stage.studio, own, Carrier.ORGANIZATION_TOKEN)
    sam = stage.sam
    existing = await sam.fetch(stage.studio, Carrier.ORGANIZATION_TOKEN)
    invented = await sam.fetch(_NOWHERE, Carrier.ORGANIZATION_TOKEN)
    are_equal = existing.exchange.answer == invented.exchange.answer and existing.token is None
    return Evidence(
        f"{viewer.status}-{stranger.status}",
        exchanges=(
            Asked(_("Sam, a stranger there, asks for a token for Rosa’s studio"), existing.exchange),
            Asked(_("Sam asks for a token for an organization that does not exist"), invented.exchange),
        ),
        requests=(viewer, stranger),
        decisions=(
            Decided(_("Audit log of Rosa’s studio"), decide(facts, Permission.AUDIT_READ)),
            Decided(_("Audit log at the other address"), _refused_to_strangers(facts)),
        ),
        remarks=(
            _(
                "Sam is a stranger in Rosa’s studio. Logto refused Sam a token for it in the same words "
                "as for an organization that does not exist."
            )
            if are_equal
            else _("Logto answered Sam differently for Rosa’s studio and for an invented organization."),
        ),
    )


def _refused_to_strangers(facts: AccessFacts) -> Decision:
    """Return the ladder of somebody who does not belong: it ends a step before the permission."""
    signed_in, _member = proved(facts)
    why = _("This organization does not exist, or you are not a member.")
    steps = (signed_in, StepResult(Step.MEMBER, False, why))
    return Decision(False, steps, permission=Permission.AUDIT_READ)


def _path(place: Place) -> str:
    return f"/api/v1/organizations/{place.id}/audit-events"


LESSON = Lesson(
    slug="viewer-and-stranger",
    title=_("Forbidden, or not found?"),
    teaser=_("You open two pages that you may not see."),
    goal=_("You know why a member is told what is missing, and a stranger learns nothing."),
    minutes=3,
    story=(
        _("In Rosa’s studio you are a viewer. Viewers may not read its audit log, the list of changes."),
        _(
            "There is a second address, of an organization that you don’t belong to. Perhaps it does not "
            "even exist."
        ),
    ),
    question=_("You open the audit log at both addresses. What does Workroom answer?"),
    answers=(
        Answer(
            "403-403",
            _("403 Forbidden at both: I may not do it in either"),
            _(
                "It sounds consistent. But a 403 for an organization that you don’t belong to would tell you "
                "that it exists. Anybody could find out who uses the product by trying addresses."
            ),
        ),
        Answer(
            "403-404",
            _("403 Forbidden in the studio, 404 Not Found at the other address"),
            _(
                "A member may know that the organization exists, so the answer names the missing permission. "
                "A stranger gets the answer of an address that does not exist."
            ),
        ),
        Answer(
            "404-404",
            _("404 Not Found at both: what I may not see does not exist"),
            _(
                "Hiding everything is safe, but a member would take the page for broken. A 403 tells them "
                "which permission to ask for."
            ),
        ),
    ),
    tasks=(
        Task(_("Open the audit log of Rosa’s studio"), "/o/{studio}/audit"),
        Task(_("Open the audit log of the other organization"), f"/o/{_NOWHERE.id}/audit"),
    ),
    act_label=_("Ask as a viewer and as a stranger"),
    prepare=_prepare,
    act=_act,
    why=(
        _(
            "Each request climbs a ladder: who are you, do you belong to this organization, may you do this? "
            "The first step that fails gives the answer."
        ),
        _(
            "A viewer gets to the last step and fails there: 403. A stranger fails a step earlier, and the "
            "answer to that is always 404."
        ),
        _(
            "Programs climb the same ladder as pages: the two requests above ask the API for the same audit "
            "log, with the same result."
        ),
        _(
            "Logto keeps the secret in its own way. A stranger who asks it for a token gets 403, whether the "
            "organization exists or not. The number is another one. What counts is that both answers are the "
            "same."
        ),
    ),
    code=(TokenCaller.get_tenant,),
    further=_("Open an address of your workshop as somebody who does not belong to it."),
    see_as="/o/{workshop}/audit",
)

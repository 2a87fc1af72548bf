"""Lesson 1: one person, two organizations, two answers."""

from __future__ import annotations

from saas_app.lab.evidence import Asked, Comparison, Decided, Evidence, Side
from saas_app.lab.lesson import Answer, Before, Lesson, Task
from saas_app.lab.stage import Stage
from saas_app.rbac.permissions import Carrier, Permission
from saas_app.rbac.policy import decide
from saas_app.text.translation import _

_ASKED = Permission.PROJECTS_WRITE


async def _prepare(stage: Stage) -> Before:
    """Nothing has to be arranged: you are an admin of the workshop and a viewer of the studio."""
    return {}


async def _act(stage: Stage, before: Before) -> Evidence:
    """Fetch the API-resource token of each organization, and decide with each as the product does."""
    name = stage.learner.principal.display_name
    fetched = [await stage.fetch_own(place) for place in (stage.workshop, stage.studio)]
    workshop, studio = (
        decide(stage.facts(name, place, one, Carrier.API_TOKEN), _ASKED)
        for place, one in zip((stage.workshop, stage.studio), fetched, strict=True)
    )
    answers = {(True, True): "both", (True, False): "workshop", (False, True): "studio"}
    return Evidence(
        answers.get((workshop.allowed, studio.allowed), "neither"),
        comparisons=(
            Comparison(
                Side(_("Your workshop"), fetched[0].shown), Side(_("Rosa’s studio"), fetched[1].shown)
            ),
        ),
        exchanges=(
            Asked(_("Token for your workshop"), fetched[0].exchange),
            Asked(_("Token for Rosa’s studio"), fetched[1].exchange),
        ),
        decisions=(Decided(_("Your workshop"), workshop), Decided(_("Rosa’s studio"), studio)),
    )


LESSON = Lesson(
    slug="two-organizations",
    title=_("One person, two organizations"),
    teaser=_("You open the same page in two organizations."),
    goal=_("You know why the same person gets different answers in different organizations."),
    minutes=3,
    story=(
        _(
            "You belong to two practice organizations. You run your workshop as an admin. In Rosa’s studio "
            "you are a viewer."
        ),
        _("Both have the same page “Create project”, made by the same code."),
    ),
    question=_("You open “Create project” in both organizations. Where will you see the form?"),
    answers=(
        Answer(
            "both",
            _("In both: I am signed in as the same person"),
            _("Signing in proves who you are. It does not say what you may do anywhere."),
        ),
        Answer(
            "workshop",
            _("In my workshop only"),
            _(
                "Each organization gives you a role of its own, and the token of each organization carries "
                "what that role grants."
            ),
        ),
        Answer(
            "neither",
            _("In neither, until an admin allows it"),
            _(
                "Nobody allows single pages. Your role in the workshop, admin, already grants this "
                "permission."
            ),
        ),
    ),
    tasks=(
        Task(_("Open “Create project” in your workshop"), "/o/{workshop}/projects/new"),
        Task(_("Open “Create project” in Rosa’s studio"), "/o/{studio}/projects/new"),
    ),
    act_label=_("Compare both tokens"),
    prepare=_prepare,
    act=_act,
    way=(
        _("Your browser sends a cookie: a random text that names your session, and nothing else about you."),
        _(
            "Workroom finds the session on its server. A session is what Workroom remembers about a browser "
            "in which somebody signed in."
        ),
        _(
            "For the organization in the address, the session holds a token from Logto. For projects, it is "
            "an API-resource token: a token for one API."
        ),
        _("Workroom reads in the token what you may do here. Then it shows the page, or refuses it."),
    ),
    why=(
        _(
            "Workroom never asks “is this person an admin?”. It asks whether the token for this "
            "organization includes the permission projects:write."
        ),
        _(
            "Logto signs a separate token for each organization. Both name you in the claim sub. They "
            "differ in organization_id and in scope."
        ),
        _(
            "A copy of your token for one organization opens nothing in another: its organization_id is "
            "signed, too."
        ),
    ),
    code=(decide,),
    further=_("Open “My access” in both organizations and compare the highlighted columns."),
)

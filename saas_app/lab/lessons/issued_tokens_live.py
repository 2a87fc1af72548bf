"""Lesson 6: a token that was issued lives until it expires, unless somebody asks whether it is current."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from saas_app.identity.bearer_freshness import BearerFreshness
from saas_app.lab.evidence import Asked, Comparison, Evidence, Side, TokenShown
from saas_app.lab.lesson import Answer, Before, Lesson, Task
from saas_app.lab.naive import beside, decide_by_token_alone, decision_of_workroom, minutes_left
from saas_app.lab.stage import Stage
from saas_app.lab.values import NotYet, StartedOver
from saas_app.rbac.permissions import Carrier, Permission, Role, permissions_of
from saas_app.text.translation import _, ngettext

_SLUG: Final = "issued-tokens-live"
_ASKED: Final = Permission.PROJECTS_WRITE
_PROJECT: Final = "Made with an old token"


async def _prepare(stage: Stage) -> Before:
    """Make Sam an editor, sign him in, and store a token from that time."""
    sam = stage.sam
    await stage.set_role(sam, stage.workshop, Role.EDITOR)
    await sam.sign_in()
    await sam.keep(_SLUG, (await sam.fetch(stage.workshop, Carrier.API_TOKEN)).get_token())
    return {}


async def _act(stage: Stage, before: Before) -> Evidence:
    """Write with the old token at Workroom and at a service that trusts it alone, then with a new one."""
    sam, place = stage.sam, stage.workshop
    old = await _get_old_token(stage)
    shown, name = TokenShown.of(old), sam.player.name
    naive = await decide_by_token_alone(stage, old, name, place, _ASKED)
    label = _("Sam’s token from before the demotion")
    replayed = await stage.create_project(place, old, label, _PROJECT, title=_("With the old token"))
    fresh = await sam.fetch(place, Carrier.API_TOKEN)
    label = _("Sam’s token from after the demotion")
    followed = await stage.create_project(
        place, fresh.get_token(), label, _PROJECT, title=_("With the new token")
    )
    minutes = minutes_left(shown)
    answers = {
        (True, True): "both",
        (True, False): "naive",
        (False, True): "workroom",
        (False, False): "nobody",
    }
    return Evidence(
        answers[naive.allowed, replayed.status < HTTPStatus.BAD_REQUEST],
        comparisons=(
            Comparison(
                Side(_("Before the demotion"), shown),
                Side(_("After the demotion"), fresh.shown),
                is_change=True,
            ),
        ),
        exchanges=(Asked(_("Sam’s token, refreshed after the demotion"), fresh.exchange),),
        requests=(replayed, followed),
        decisions=beside(naive, decision_of_workroom(replayed, shown, name, place, _ASKED)),
        remarks=(
            ngettext(
                "The old token stays valid for another %(num)s minute.",
                "The old token stays valid for another %(num)s minutes.",
                minutes,
            ),
        )
        if naive.allowed
        else (),
    )


async def _get_old_token(stage: Stage) -> str:
    held = await stage.roles_of(stage.sam, stage.workshop)
    if held is None:
        raise StartedOver(
            _(
                "Sam was no longer a member of your workshop, so the lesson has started over and added Sam "
                "as an editor again. Make Sam a viewer, but leave Sam in the organization."
            )
        )
    token = await stage.sam.kept(_SLUG)
    if token is None or not minutes_left(TokenShown.of(token)):
        raise StartedOver(
            _(
                "The token that this lesson kept has expired, so the lesson has started over with a new one. "
                "Sam is an editor again: make Sam a viewer once more."
            )
        )
    if _ASKED in permissions_of(held):
        raise NotYet(
            _(
                "Sam’s roles in your workshop still allow writing. Open “Members” there, leave Sam only the "
                "role viewer and confirm. Then look again."
            )
        )
    return token


LESSON = Lesson(
    slug=_SLUG,
    title=_("The token that stayed behind"),
    teaser=_("You demote a colleague, while a copy of their token stays behind."),
    goal=_("You know how long a demotion takes at a service that trusts tokens alone."),
    minutes=4,
    story=(
        _(
            "Sam is an editor in your workshop and may change projects. The lesson has kept a copy of Sam’s "
            "API-resource token, as a program or an attacker could."
        ),
        _("You are going to make Sam a viewer. Then the lesson sends the old token again."),
    ),
    question=_(
        "Somebody creates a project with Sam’s old token, which still says projects:write. Who accepts it: "
        "Workroom, or a service that checks only the signature, audience and expiry of a token?"
    ),
    answers=(
        Answer(
            "nobody",
            _("Nobody: the demotion has made the token invalid"),
            _(
                "Nothing happens to a token when a role changes. It is a signed text in somebody’s hands, "
                "and Logto does not know whose."
            ),
        ),
        Answer(
            "naive",
            _("Only the service that checks the token alone"),
            _(
                "For that service, everything about the token is in order. Workroom also remembers when each "
                "membership changed, and rejects tokens from before."
            ),
        ),
        Answer(
            "both",
            _("Both: a signed token is valid until it expires"),
            _("That is how signed tokens work by themselves. Workroom adds a question: is it still current?"),
        ),
    ),
    tasks=(
        Task(
            _("Open Sam’s roles in your workshop, leave only viewer checked, and save"),
            "/o/{workshop}/members/{sam}/roles",
        ),
    ),
    prepared=_("For this lesson, Sam is an editor of your workshop again."),
    act_label=_("Send the old token again"),
    prepare=_prepare,
    act=_act,
    why=(
        _(
            "A signed token cannot be called back. A service that checks only the token accepts it until it "
            "expires, with Logto’s settings an hour after it was issued."
        ),
        _(
            "A refreshed token shows the demotion at once: with it, Workroom answers 403. But nobody has to "
            "refresh a token that still works."
        ),
        _(
            "Workroom compares the time of the token with the last change of the membership. That costs a "
            "look into the database at each request. It buys that a demotion counts from the next request."
        ),
    ),
    code=(decide_by_token_alone, BearerFreshness.is_current),
    further=_(
        "Find out how long access tokens live in your own product, and which services trust them alone."
    ),
)

"""Lesson 7: Workroom knows when a role ends, and Logto does not."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from saas_app.db.base import utc_now
from saas_app.identity.credentials.bearer_token import TokenCaller
from saas_app.lab.evidence import ApiRequest, Asked, Comparison, Evidence, Side, TokenShown
from saas_app.lab.lesson import Answer, Before, Lesson, Task
from saas_app.lab.naive import beside, decide_by_token_alone, decision_of_workroom, minutes_left
from saas_app.lab.stage import Stage
from saas_app.lab.values import NotYet, StartedOver
from saas_app.rbac.decision import Decision
from saas_app.rbac.endings import still_granted
from saas_app.rbac.names import listed
from saas_app.rbac.permissions import Carrier, Permission, Role, permissions_of
from saas_app.text.translation import Sentence, _, ngettext

_ASKED: Final = Permission.PROJECTS_WRITE
_ENDING: Final = Role.EDITOR


async def _prepare(stage: Stage) -> Before:
    """Make Sam a viewer."""
    await stage.set_role(stage.sam, stage.workshop, Role.VIEWER)
    return {}


async def _act(stage: Stage, before: Before) -> Evidence:
    """Let the role end, write with a token that Logto issues after that, and take the role away."""
    sam, place, name = stage.sam, stage.workshop, stage.sam.player.name
    await _require_temporary_editor(stage)
    await sam.sign_in()  # so that the grant covers what the role grants
    async with stage.ended(sam, place, _ENDING):
        issued = await sam.fetch(place, Carrier.API_TOKEN)
        token, shown = issued.get_token(), TokenShown.of(issued.get_token())
        naive = await decide_by_token_alone(stage, token, name, place, _ASKED)
        label = _("Sam’s token from after the end")
        sent = await stage.create_project(place, token, label, "Made after the end")
        held = await stage.roles_of(sam, place)
    await stage.take_away(sam, place, _ENDING)
    left = await stage.roles_of(sam, place)
    followed = await sam.fetch(place, Carrier.API_TOKEN)
    later = await decide_by_token_alone(stage, token, name, place, _ASKED)
    workroom = decision_of_workroom(sent, shown, name, place, _ASKED, ended=frozenset({_ENDING.value}))
    return Evidence(
        _answer(sent, naive),
        comparisons=(
            Comparison(
                Side(_("After the end, while Logto had the role"), shown),
                Side(_("After Workroom took the role away"), followed.shown),
                is_change=True,
            ),
        ),
        exchanges=(
            Asked(_("After the end, a new token for Sam"), issued.exchange),
            Asked(_("After Workroom took the role away, a new token for Sam"), followed.exchange),
        ),
        requests=(sent,),
        decisions=beside(naive, workroom),
        remarks=(
            _(
                "The lesson moved the end of Sam’s role to now. At that moment, Logto had Sam as %(held)s. "
                "Then Workroom’s job took the role away, and Logto has Sam as %(left)s.",
                held=_named(held),
                left=_named(left),
            ),
            *((_remaining(minutes_left(shown)),) if later.allowed else ()),
        ),
    )


def _answer(sent: ApiRequest, naive: Decision) -> str:
    """Return what both did: an answer for each status of Workroom, if the other service accepts the token."""
    if not naive.allowed:
        return "neither"
    refusals = {HTTPStatus.FORBIDDEN: "forbidden", HTTPStatus.UNAUTHORIZED: "outdated"}
    return refusals.get(HTTPStatus(sent.status), "both")


def _named(role_names: frozenset[str] | None) -> str:
    return listed(sorted(role_names)) if role_names else _("a member without a role")


def _remaining(minutes: int) -> Sentence:
    return ngettext(
        "At a service that checks only the token, the first token works for another %(num)s minute.",
        "At a service that checks only the token, the first token works for another %(num)s minutes.",
        minutes,
    )


async def _require_temporary_editor(stage: Stage) -> None:
    """Check that Sam is an editor for a time, and that no other role of Sam's allows writing."""
    sam, place = stage.sam, stage.workshop
    ends = await stage.ends_of(sam, place)
    has_ended = _ENDING.value in ends and ends[_ENDING.value] <= utc_now()
    if has_ended:  # in an attempt that failed: what it began is finished
        await stage.take_away(sam, place, _ENDING)
    held = await stage.roles_of(sam, place)
    if held is None:
        raise StartedOver(
            _(
                "Sam was no longer a member of your workshop, so the lesson has started over and added Sam "
                "as a viewer again. Make Sam an editor for 1 hour now."
            )
        )
    if _ENDING.value not in held or has_ended:
        raise NotYet(
            _(
                "Sam is not an editor of your workshop, or no longer. Open Sam’s roles there, check editor, "
                "choose 1 hour, and save. Then try again."
            )
        )
    if _ENDING.value not in ends:
        raise StartedOver(
            _(
                "Sam’s role editor had no end, so the lesson has started over: Sam is a viewer again. Make "
                "Sam an editor once more, for 1 hour."
            )
        )
    if _ASKED in permissions_of(held - {_ENDING.value}):
        raise NotYet(
            _(
                "Sam has another role in your workshop that allows writing. Open Sam’s roles there, leave "
                "only viewer and editor checked, and save. Then try again."
            )
        )


LESSON = Lesson(
    slug="ended-role",
    title=_("A role that ended"),
    teaser=_("You make a colleague an editor for an hour, and the hour is over."),
    goal=_("You know who ends a role that was given for a time, and who does not notice."),
    minutes=3,
    story=(
        _("Sam is a viewer in your workshop. You are going to make Sam an editor for one hour."),
        _(
            "You need not wait: the lesson moves the end to now. A moment later, Sam’s program fetches a new "
            "token from Logto and creates a project with it."
        ),
    ),
    question=_(
        "The token goes to Workroom, and to another service that checks only its signature, audience and "
        "expiry. What do they answer?"
    ),
    answers=(
        Answer(
            "neither",
            _("Neither accepts the token: Logto leaves projects:write out"),
            _(
                "Roles at Logto have no end. Until the role is taken away there, each new token carries what "
                "it grants."
            ),
        ),
        Answer(
            "forbidden",
            _("Workroom answers 403 Forbidden, and the other service accepts the token"),
            _(
                "Workroom has stored the end, and reads it with each request. The other service has only the "
                "token, which says nothing about an end."
            ),
        ),
        Answer(
            "outdated",
            _("Workroom answers 401 Unauthorized, and the other service accepts the token"),
            _(
                "That is the answer to a token from before a change. This one is new, and says what Logto "
                "knows. But the role behind it no longer counts."
            ),
        ),
        Answer(
            "both",
            _("Both accept the token: Logto has just signed it"),
            _(
                "The signature proves what Logto said. For the other service, that is everything. Workroom "
                "knows more than Logto here."
            ),
        ),
    ),
    tasks=(
        Task(
            _("Open Sam’s roles in your workshop, check editor too, choose 1 hour, and save"),
            "/o/{workshop}/members/{sam}/roles",
        ),
    ),
    prepared=_("For this lesson, Sam is a viewer of your workshop again."),
    act_label=_("Let the role end, and write as Sam"),
    prepare=_prepare,
    act=_act,
    why=(
        _("Logto has the role, and Workroom has its end. So Logto signs projects:write after the end, too."),
        _(
            "Workroom reads the ends together with the holder of a token. From the end on, a role no longer "
            "grants anything there, whatever a token says and even while Logto is down."
        ),
        _(
            "A few seconds later, a job of Workroom takes the role away at Logto. Only from then on, new "
            "tokens lack projects:write. Those from before stay valid until they expire."
        ),
        _("So let tokens live for a short time, and let the guard know the end. A job alone can be late."),
    ),
    code=(TokenCaller.get_tenant, still_granted),
    further=_("Open the audit log of your workshop. It shows who gave Sam the role, and that it has ended."),
)

"""Lesson 9: a machine gets a token without any scope, and no error."""

from __future__ import annotations

from saas_app.identity.claims import scopes_of
from saas_app.lab.evidence import Asked, Comparison, Decided, Evidence, Side
from saas_app.lab.lesson import Answer, Before, Lesson, Task
from saas_app.lab.robots import build_robot, find_robot, remove_robots
from saas_app.lab.stage import Fetched, Stage
from saas_app.lab.values import StartedOver
from saas_app.rbac.permissions import Carrier, Permission
from saas_app.rbac.policy import decide
from saas_app.text.translation import Sentence, _

_ASKED = Permission.PROJECTS_WRITE
_HELD = Permission.PROJECTS_READ
_KIND = Carrier.API_TOKEN


async def _prepare(stage: Stage) -> Before:
    """Make a robot in the workshop that may read projects, and nothing else."""
    await build_robot(stage.management, stage.ground.subject, stage.workshop)
    return {}


async def _act(stage: Stage, before: Before) -> Evidence:
    """Request a scope that the robot's role lacks, then the one that it has. Then delete the robot."""
    place, subject = stage.workshop, stage.ground.subject
    robot = await find_robot(stage.management, subject, place)
    if robot is None:
        raise StartedOver(
            _(
                "The lab robot was no longer in your workshop, so the lesson has added it again. Try once "
                "more."
            )
        )
    path = f"/api/v1/organizations/{place.id}/projects"
    asked = await stage.fetch_for_machine(robot, place, _KIND, [_ASKED.value])
    held = await stage.fetch_for_machine(robot, place, _KIND, [_HELD.value])
    titles = (_("Requested projects:write"), _("Requested projects:read"))
    tokens = ((asked, titles[0]), (held, titles[1]))
    requests = [
        await stage.call(path, fetched.token, _("robot’s token"), title=title)
        for fetched, title in tokens
        if fetched.token is not None
    ]
    decisions = [
        Decided(title, decide(stage.facts(_("Lab robot"), place, fetched, _KIND, is_bearer=True), _HELD))
        for fetched, title in tokens
    ]
    await remove_robots(stage.management, subject)
    return Evidence(
        _answer(asked),
        comparisons=(Comparison(Side(titles[0], asked.shown), Side(titles[1], held.shown)),),
        exchanges=tuple(Asked(title, fetched.exchange) for fetched, title in tokens),
        requests=tuple(requests),
        decisions=tuple(decisions),
        remarks=(
            *_remarks(asked),
            _("The lesson has deleted the robot again, because unused credentials are a risk."),
        ),
    )


def _answer(fetched: Fetched) -> str:
    if fetched.token is None:
        return "refused"
    return "granted" if _ASKED.value in fetched.scopes else "empty"


def _remarks(fetched: Fetched) -> tuple[Sentence, ...]:
    if fetched.shown is None or "scope" in fetched.shown.claims:
        return ()
    return (_("Status 200, and the claim scope is not even there."),)


LESSON = Lesson(
    slug="machine-without-scope",
    title=_("A program asks for too much"),
    teaser=_("A program asks Logto for a permission that its role does not grant."),
    goal=_("You know why a program must check which scopes it got."),
    minutes=3,
    story=(
        _(
            "Programs sign in with an id and a secret of their own. The lab robot is such a program, an API "
            "client in your workshop. Its only role, reader, grants projects:read."
        ),
        _(
            "Now the robot asks Logto for a token with the scope projects:write, which its role does not "
            "grant."
        ),
    ),
    question=_("What does Logto answer?"),
    answers=(
        Answer(
            "refused",
            _("An error: the robot may not have this scope"),
            _(
                "It would be the clearest answer. But OAuth lets a server grant less than was requested, and "
                "Logto makes use of that."
            ),
        ),
        Answer(
            "granted",
            _("A token with projects:write, because the robot is a member"),
            _("Membership alone grants nothing, neither to people nor to machines. Roles do."),
        ),
        Answer(
            "empty",
            _("A token without any scope, and no error"),
            _(
                "Logto grants the scopes that were requested and that a role grants. Here there are none "
                "left."
            ),
        ),
    ),
    tasks=(
        Task(_("Look at the lab robot among the API clients of your workshop"), "/o/{workshop}/api-clients"),
    ),
    prepared=_("For this lesson, the lab robot has been added to your workshop."),
    act_label=_("Request the robot’s token"),
    prepare=_prepare,
    act=_act,
    why=(
        _(
            "The token is genuine: signed by Logto, for the right audience and the right organization. It "
            "proves who the robot is, and allows nothing."
        ),
        _(
            "A user’s token always has the claim scope, if only an empty one. A machine’s token for an API "
            "resource can lack it. Code has to read both as: no permission."
        ),
        _(
            "With this token, the robot may not even read the projects, although its role would grant that: "
            "the token counts, not the role. So a program compares the scopes that it got with those that it "
            "asked for."
        ),
    ),
    code=(scopes_of,),
    further=_(
        "Create an API client that may view projects in your workshop. Its page shows two commands: run "
        "them. Then write scope=projects:write into the first one, and run both again."
    ),
)

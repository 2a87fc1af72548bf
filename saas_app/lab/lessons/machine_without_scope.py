"""Lesson 8: a machine gets a token without any scope, and no error."""

from __future__ import annotations

from saas_app.identity.claims import scopes_of
from saas_app.lab.evidence import Comparison, Decided, Evidence, Side
from saas_app.lab.lesson import Answer, Before, Lesson, Task
from saas_app.lab.robots import build_robot, find_robot, remove_robots
from saas_app.lab.stage import Fetched, Stage
from saas_app.lab.values import StartedOver
from saas_app.rbac.permissions import Carrier, Permission
from saas_app.rbac.policy import decide
from saas_app.text.translation import Sentence, _

_ASKED = Permission.PROJECTS_READ
_HELD = Permission.MEMBERS_READ


async def _prepare(stage: Stage) -> Before:
    """Make a robot in the workshop that may read members, and nothing else."""
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
    root = f"/api/v1/organizations/{place.id}"
    empty = await stage.fetch_for_machine(robot, place, Carrier.API_TOKEN, [_ASKED.value])
    full = await stage.fetch_for_machine(robot, place, Carrier.ORGANIZATION_TOKEN, [_HELD.value])
    requests = [
        await stage.call(f"{root}/{path}", fetched.token, label)
        for path, fetched, label in (
            ("projects", empty, _("Robot’s token without scopes")),
            ("members", full, _("Robot’s token for members")),
        )
        if fetched.token is not None
    ]
    decision = decide(stage.facts(_("Lab robot"), place, empty, [Carrier.API_TOKEN]), _ASKED)
    await remove_robots(stage.management, subject)
    return Evidence(
        _answer(empty),
        comparisons=(
            Comparison(
                Side(_("Requested projects:read"), empty.shown), Side(_("Requested members:read"), full.shown)
            ),
        ),
        exchanges=(empty.exchange, full.exchange),
        requests=tuple(requests),
        decisions=(Decided(_("Projects, for the robot"), decision),),
        remarks=_remarks(empty),
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
    title=_("Success, and nothing in it"),
    goal=_("You know why a program must check which scopes it got."),
    minutes=3,
    story=(
        _(
            "Programs have credentials of their own. The lab robot is an API client in your workshop. Its "
            "only role, member-reader, grants members:read."
        ),
        _(
            "Now the robot asks Logto for a token with the scope projects:read, which its role does not "
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
            _("A token with projects:read, because the robot is a member"),
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
            "So a program compares the scopes that it got with those that it asked for. And an API checks "
            "the permission at each request: Workroom answers 403."
        ),
    ),
    code=(scopes_of, decide),
    further=_(
        "Create an API client in your workshop, and request its token with and without the parameter scope."
    ),
)

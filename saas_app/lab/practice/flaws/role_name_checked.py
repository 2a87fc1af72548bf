"""The name of a role decides, from a copy."""

from __future__ import annotations

from saas_app.lab.practice.declaration import Break, Check, Fix, Trial
from saas_app.lab.practice.values import Attempt, Report, TokenChoice
from saas_app.text.translation import _


async def _exports(trial: Trial, token: TokenChoice, reports: list[Report]) -> bool:
    reply = await trial.send("GET", "/export", token)
    return any(report.canary in reply.text for report in reports if report.is_confidential)


async def _admin_exports(trial: Trial) -> bool:
    return await _exports(trial, TokenChoice.WORKSHOP, trial.workshop)


async def _viewer_does_not_export(trial: Trial) -> bool:
    return not await _exports(trial, TokenChoice.STUDIO, trial.studio)


async def _former_admin_does_not_export(trial: Trial) -> bool:
    return not await _exports(trial, TokenChoice.SAM, trial.workshop)


async def _renamed_admin_exports(trial: Trial) -> bool:
    return await _exports(trial, TokenChoice.ROSA, trial.studio)


BREAK = Break(
    slug="role-name-checked",
    title=_("Admin is only a word"),
    goal=_("You know why code asks for permissions and never for the names of roles."),
    minutes=6,
    should=(
        _("“GET /export” returns all reports of the organization in the token, for admins only."),
        _(
            "Tokens do not name roles, so every night this service copies them from Logto. In last night’s "
            "copy, you are an admin of your workshop and a viewer of Rosa’s studio, and Sam is an admin of "
            "your workshop."
        ),
        _(
            "Since then, Sam has become a viewer. And Rosa’s role, which grants everything, is now called "
            "“owner”."
        ),
    ),
    task=_("Read a confidential report that the token you send does not open."),
    hint=_("You are an admin somewhere. Does the code ask where?"),
    tokens=(TokenChoice.WORKSHOP, TokenChoice.STUDIO, TokenChoice.SAM, TokenChoice.NOTHING),
    start=Attempt("GET", "/export", TokenChoice.WORKSHOP),
    fixes=(
        Fix("admin_of_this_organization", _("Ask for the role in the organization of the token")),
        Fix("permission_to_export", _("Ask the token for the permission projects:export")),
        Fix(
            "admin_or_owner_of_this_organization",
            _("Ask for the role in the organization, and accept both names: admin and owner"),
        ),
    ),
    checks=(
        Check(
            _("An admin exports the reports of their organization"),
            _("The fix takes the export from those who may use it."),
            _admin_exports,
        ),
        Check(
            _("An admin of one organization exports nothing of another"),
            _("A role counts in the organization that assigned it, and nowhere else."),
            _viewer_does_not_export,
        ),
        Check(
            _("Sam, a viewer since this morning, exports nothing"),
            _("The copy is old. The token is not: Logto issued it after the change."),
            _former_admin_does_not_export,
        ),
        Check(
            _("Rosa, whose role has another name now, still exports"),
            _("The role grants the same as before. The code knows only its old name."),
            _renamed_admin_exports,
        ),
    ),
    lesson=_(
        "Operators invent, rename and combine roles in Logto, without asking the code. What stays is the "
        "permission: a role bundles permissions, the token carries them, and the code asks for the one "
        "that it needs."
    ),
    owasp="API5:2023 Broken Function Level Authorization",
    weaknesses=((863, "Incorrect Authorization"),),
    incident=_(
        "Such incidents are found by former colleagues: their role was taken away months ago, but a service "
        "with its own copy of the roles still lets them in."
    ),
)

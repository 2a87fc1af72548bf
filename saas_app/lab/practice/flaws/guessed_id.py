"""Lesson 11: a report is found by its id, whoever asks."""

from __future__ import annotations

from saas_app.lab.practice.declaration import Break, Check, Fix, Trial
from saas_app.lab.practice.values import Attempt, Reply, Report, TokenChoice
from saas_app.text.translation import _

_HERE = TokenChoice.WORKSHOP


async def _open(trial: Trial, report_id: object) -> Reply:
    return await trial.send("GET", f"/reports/{report_id}", _HERE)


async def _own_report_opens(trial: Trial) -> bool:
    """Open a report as its list names it: by its id, or by its code."""
    own = trial.workshop[0]
    return _is_shown(await _open(trial, own.id), own) or _is_shown(await _open(trial, own.code), own)


async def _no_report_opens_by_id(trial: Trial) -> bool:
    foreign = trial.studio[0]
    return not _is_shown(await _open(trial, foreign.id), foreign)


async def _no_report_opens_by_code(trial: Trial) -> bool:
    foreign = trial.studio[0]
    return not _is_shown(await _open(trial, foreign.code), foreign)


async def _foreign_and_missing_look_alike(trial: Trial) -> bool:
    foreign, missing = await _open(trial, trial.studio[0].id), await _open(trial, 999)
    return (foreign.status, foreign.text) == (missing.status, missing.text)


def _is_shown(reply: Reply, report: Report) -> bool:
    return report.canary in reply.text


BREAK = Break(
    slug="guessed-id",
    title=_("A number in the address"),
    goal=_("You know why finding an item and deciding who may see it are one step."),
    minutes=5,
    should=(
        _(
            "This service keeps reports. “GET /reports” lists the reports of the organization in the "
            "token, and “GET /reports/3” opens one."
        ),
        _("It checks the token carefully: signature, audience, expiry, and the permission projects:read."),
    ),
    task=_("With your token for your workshop, read a report of Rosa’s studio."),
    hint=_("List your own reports first. Look at their numbers: which ones are missing?"),
    tokens=(TokenChoice.WORKSHOP, TokenChoice.STUDIO, TokenChoice.NOTHING),
    start=Attempt("GET", "/reports", _HERE),
    fixes=(
        Fix("by_random_code", _("Use long random codes instead of numbers, which nobody can guess")),
        Fix("by_id_and_organization", _("Ask the database for the id and the organization of the token")),
        Fix("by_id_then_compared", _("Load the report, and answer 403 if its organization is another one")),
    ),
    checks=(
        Check(
            _("A report of your workshop still opens"),
            _("The fix closes the door for everybody."),
            _own_report_opens,
        ),
        Check(
            _("A report of Rosa’s studio does not open by its number"),
            _("The number alone still opens a report of another organization."),
            _no_report_opens_by_id,
        ),
        Check(
            _("A report of Rosa’s studio does not open by its code"),
            _(
                "A code is no permission. It is in links, emails, logs and the browser’s history, and "
                "whoever has it gets in."
            ),
            _no_report_opens_by_code,
        ),
        Check(
            _("A report of Rosa’s studio looks the same as one that does not exist"),
            _("The answer tells strangers that the report exists, and here even what it is called."),
            _foreign_and_missing_look_alike,
        ),
    ),
    lesson=_(
        "The token proves who asks and in which organization. It does not know what is in the database. So "
        "every statement that finds an item must ask for the organization as well, and what it does not "
        "find does not exist: 404. Hiding the link to an item protects nothing: you typed the address."
    ),
    owasp="API1:2023 Broken Object Level Authorization",
    weaknesses=((639, "Authorization Bypass Through User-Controlled Key"),),
    incident=_(
        "In 2019, hundreds of millions of documents of a title insurer could be read on the web: whoever "
        "had the link to one opened others by changing the number in it."
    ),
)

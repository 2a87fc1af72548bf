"""One statement does not ask for the organization."""

from __future__ import annotations

from typing import Any

from saas_app.lab.practice.declaration import Break, Check, Fix, Trial
from saas_app.lab.practice.values import Attempt, Reply, TokenChoice
from saas_app.text.translation import _

_HERE = TokenChoice.WORKSHOP


async def _search(trial: Trial, words: str) -> Reply:
    return await trial.send("GET", f"/reports/search?words={words}", _HERE)


async def _title_finds(trial: Trial) -> bool:
    own = trial.workshop[0]
    return own.canary in (await _search(trial, own.title.partition(" ")[0])).text


async def _all_are_found(trial: Trial) -> bool:
    reply = await _search(trial, "")
    return all(report.canary in reply.text for report in trial.workshop)


async def _no_foreign_report_is_found(trial: Trial) -> bool:
    replies = [await _search(trial, words) for words in ("", "plan", "canary")]
    return not any(report.canary in reply.text for reply in replies for report in trial.studio)


async def _total_counts_own_reports(trial: Trial) -> bool:
    body: Any = (await _search(trial, "")).body
    return isinstance(body, dict) and body.get("total") == len(trial.workshop)


BREAK = Break(
    slug="tenant-filter-forgotten",
    title=_("The search that sees everything"),
    goal=_("You know why the filter for the organization belongs in every statement."),
    minutes=5,
    should=(
        _("“GET /reports/search?words=plan” finds reports of your organization by words in them."),
        _(
            "The list of reports has asked for the organization from the first day. The search was added "
            "later, in a hurry."
        ),
    ),
    task=_("With your token for your workshop, find a report of Rosa’s studio."),
    hint=_("Search for something that occurs in the reports of both organizations."),
    tokens=(TokenChoice.WORKSHOP, TokenChoice.STUDIO, TokenChoice.NOTHING),
    start=Attempt("GET", "/reports", _HERE),
    fixes=(
        Fix("search_with_a_condition", _("Add the organization to the statement’s conditions")),
        Fix("search_then_filter", _("Leave out the reports of others before the answer is sent")),
        Fix("search_in_the_organization", _("Search in the organization only: (…) around the conditions")),
    ),
    checks=(
        Check(
            _("A word in a title finds a report of your workshop"),
            _("The fix finds too little."),
            _title_finds,
        ),
        Check(
            _("No search finds a report of Rosa’s studio"),
            _(
                "AND binds more tightly than OR. “organization AND title OR text” finds every report whose "
                "text matches, in any organization."
            ),
            _no_foreign_report_is_found,
        ),
        Check(
            _("An empty search finds all reports of your workshop"),
            _("Reports of others use up the limit of the statement, so some of your own are missing."),
            _all_are_found,
        ),
        Check(
            _("The total counts your reports only"),
            _("The total counts matching reports of other organizations, too."),
            _total_counts_own_reports,
        ),
    ),
    lesson=_(
        "A filter that people must remember will be forgotten once. In Workroom, a session is bound to one "
        "organization and adds the filter to every statement. Without one, a statement on such a table "
        "raises an error, and PostgreSQL hides the rows as well."
    ),
    owasp="API1:2023 Broken Object Level Authorization",
    weaknesses=(
        (863, "Incorrect Authorization"),
        (200, "Exposure of Sensitive Information to an Unauthorized Actor"),
    ),
    incident=_(
        "Such incidents begin with something new, such as a search, a report or an export, and end when a "
        "customer finds the data of another one in their results."
    ),
)

"""The request says which role its sender has."""

from __future__ import annotations

from typing import Any

from saas_app.lab.practice.declaration import Break, Check, Fix, Trial
from saas_app.lab.practice.values import Attempt, Report, TokenChoice
from saas_app.text.translation import _

_THERE = TokenChoice.STUDIO


async def _finds_confidential(
    trial: Trial, token: TokenChoice, body: dict[str, Any], headers: dict[str, str] | None = None
) -> bool:
    reply = await trial.send("POST", "/reports/search", token, body, headers)
    reports = trial.workshop if token is TokenChoice.WORKSHOP else trial.studio
    return any(_confidential(report) and report.canary in reply.text for report in reports)


def _confidential(report: Report) -> bool:
    return report.is_confidential


async def _admin_finds_all(trial: Trial) -> bool:
    return await _finds_confidential(trial, TokenChoice.WORKSHOP, {"role": "admin"}, {"X-Role": "admin"})


async def _viewer_finds_the_rest(trial: Trial) -> bool:
    reply = await trial.send("POST", "/reports/search", _THERE, {"role": "viewer"})
    return all(report.canary in reply.text for report in trial.studio if not report.is_confidential)


async def _body_is_ignored(trial: Trial) -> bool:
    return not await _finds_confidential(trial, _THERE, {"role": "admin"})


async def _spelling_is_ignored(trial: Trial) -> bool:
    return not any(
        [await _finds_confidential(trial, _THERE, {"role": role}) for role in ("Admin", " admin ")]
    )


async def _header_is_ignored(trial: Trial) -> bool:
    return not await _finds_confidential(trial, _THERE, {}, {"X-Role": "admin"})


BREAK = Break(
    slug="role-from-body",
    title=_("The request says who you are"),
    goal=_("You know which parts of a request its sender can choose: all but what is signed."),
    minutes=5,
    should=(
        _(
            "“POST /reports/search” finds reports by words in their titles. One report in each "
            "organization is confidential: only admins may find it."
        ),
        _("The page of this service knows your role and sends it along, in the body of the request."),
    ),
    task=_("As a viewer of Rosa’s studio, read its confidential report."),
    hint=_("You write the request. What would the page send for an admin?"),
    tokens=(TokenChoice.STUDIO, TokenChoice.WORKSHOP, TokenChoice.NOTHING),
    start=Attempt("POST", "/reports/search", _THERE, {"words": "", "role": "viewer"}),
    fixes=(
        Fix("role_of_a_header", _("Send the role in a header, which no form can set")),
        Fix("role_of_the_body_checked", _("Refuse requests that say “admin” without the permission for it")),
        Fix("permission_of_the_token", _("Ignore what the request says, and ask the token for a permission")),
    ),
    checks=(
        Check(
            _("An admin finds the confidential report"),
            _("The fix takes it from those who may read it."),
            _admin_finds_all,
        ),
        Check(
            _("A viewer still finds the other reports"),
            _("The fix takes reports from those who may read them."),
            _viewer_finds_the_rest,
        ),
        Check(
            _("The role “admin” in the body opens nothing"),
            _("The sender still chooses their own role."),
            _body_is_ignored,
        ),
        Check(
            _("Other spellings of “admin” in the body open nothing"),
            _(
                "One line refuses “admin”, and another one understands “Admin”. A list of forbidden words is "
                "never complete."
            ),
            _spelling_is_ignored,
        ),
        Check(
            _("The role in a header opens nothing"),
            _("A header is chosen by the sender too. Any program can set it."),
            _header_is_ignored,
        ),
    ),
    lesson=_(
        "Body, query, headers and cookies are the sender’s own words. Only the token is not: Logto signed "
        "it. What somebody may do follows from the permissions in the token and from nothing else."
    ),
    owasp="API3:2023 Broken Object Property Level Authorization",
    weaknesses=(
        (807, "Reliance on Untrusted Inputs in a Security Decision"),
        (915, "Improperly Controlled Modification of Dynamically-Determined Object Attributes"),
        (269, "Improper Privilege Management"),
    ),
    incident=_(
        "In 2012, a developer added a key of his own to another project at GitHub: a form accepted a field "
        "that its page never showed, and it said whose key this was."
    ),
)

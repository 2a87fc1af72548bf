"""A kept answer is given to another organization."""

from __future__ import annotations

from typing import Any

from saas_app.lab.practice.declaration import Break, Check, Fix, Trial
from saas_app.lab.practice.values import Attempt, Report, TokenChoice
from saas_app.text.translation import _


async def _shows(trial: Trial, token: TokenChoice, reports: list[Report]) -> bool:
    reply = await trial.send("GET", "/summary", token)
    return any(report.canary in reply.text for report in reports)


async def _first_answer_is_own(trial: Trial) -> bool:
    return await _shows(trial, TokenChoice.WORKSHOP, trial.workshop)


async def _second_answer_is_kept(trial: Trial) -> bool:
    await trial.send("GET", "/summary", TokenChoice.WORKSHOP)
    body: Any = (await trial.send("GET", "/summary", TokenChoice.WORKSHOP)).body
    return isinstance(body, dict) and body.get("from_cache") is True


async def _same_person_elsewhere(trial: Trial) -> bool:
    await trial.send("GET", "/summary", TokenChoice.STUDIO)
    return not await _shows(trial, TokenChoice.WORKSHOP, trial.studio)


async def _other_person_elsewhere(trial: Trial) -> bool:
    await trial.send("GET", "/summary", TokenChoice.ROSA)
    return not await _shows(trial, TokenChoice.SAM, trial.studio)


BREAK = Break(
    slug="cache-without-organization",
    title=_("Somebody else’s answer"),
    goal=_("You know what the key of a cache must contain."),
    minutes=5,
    should=(
        _(
            "“GET /summary” counts the reports of the organization in the token and shows the newest. That "
            "takes a while, so the service keeps the answer for ten minutes."
        ),
        _("Without the cache, it makes no mistake: it checks the token, and it filters by organization."),
    ),
    task=_("With your token for your workshop, read a report of Rosa’s studio."),
    hint=_("You need two requests. Who has to ask first?"),
    tokens=(TokenChoice.WORKSHOP, TokenChoice.STUDIO, TokenChoice.SAM, TokenChoice.NOTHING),
    start=Attempt("GET", "/summary", TokenChoice.WORKSHOP),
    fixes=(
        Fix("kept_by_person", _("Keep an answer for each person")),
        Fix("kept_by_address_for_a_moment", _("Keep answers for 30 seconds instead of ten minutes")),
        Fix("kept_by_organization", _("Keep an answer for each organization")),
    ),
    checks=(
        Check(
            _("The first answer is about the organization in the token"),
            _("The fix answers with the wrong organization’s data."),
            _first_answer_is_own,
        ),
        Check(
            _("The second answer comes from the cache"),
            _("The fix gives up the cache, and the service is slow again."),
            _second_answer_is_kept,
        ),
        Check(
            _("The same person gets another answer in another organization"),
            _("One person belongs to many organizations. What they see in one is not for the other."),
            _same_person_elsewhere,
        ),
        Check(
            _("Another person in another organization gets their own answer"),
            _("Whoever asks within that time gets the answer of somebody else. Less often is not never."),
            _other_person_elsewhere,
        ),
    ),
    lesson=_(
        "A kept answer skips every check that made it right. So the key names everything that the answer "
        "depends on: here the organization, and as soon as admins see more than viewers, the permissions "
        "too."
    ),
    owasp="API1:2023 Broken Object Level Authorization",
    weaknesses=(
        (524, "Use of Cache Containing Sensitive Information"),
        (488, "Exposure of Data Element to Wrong Session"),
    ),
    incident=_(
        "On December 25, 2015, Steam showed people the account pages of others, because a cache kept pages "
        "that were meant for one person."
    ),
)

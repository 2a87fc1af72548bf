"""Answers questions about the “break it” lessons."""

from __future__ import annotations

from dataclasses import dataclass

from saas_app.config import Settings
from saas_app.db import keys
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import NOTHING
from saas_app.lab.practice import queries
from saas_app.lab.practice.client import PracticeClient
from saas_app.lab.practice.declaration import Break, Check, Fix
from saas_app.lab.practice.flaws import break_after
from saas_app.lab.practice.values import BreakRun, CheckResult, PracticeUnavailable, Variant
from saas_app.text.translation import Sentence, _


@dataclass(frozen=True, slots=True)
class BreakView:
    """A lesson as its page shows it.

    ``flawed`` is the code that leaks, or None if the service could not be asked, for the reason ``trouble``.
    ``fixes`` are the fixes with their code, ``results`` those of the fix that was tried last.
    """

    lesson: Break
    run: BreakRun
    flawed: Variant | None
    fixes: tuple[tuple[Fix, Variant], ...]
    results: tuple[tuple[Check, CheckResult], ...]
    trouble: Sentence
    following: Break | None


def practice_client(settings: Settings) -> PracticeClient | None:
    """Return a client of the practice service, or None if the settings name none."""
    if not settings.lab_practice_url or not settings.lab_practice_key.get_secret_value():
        return None
    return PracticeClient(settings.lab_practice_url, settings.lab_practice_key)


async def view_break(
    work: UnitOfWork, client: PracticeClient | None, subject: str, lesson: Break
) -> BreakView:
    """Return a lesson with how far the learner is. Their progress is shown without the service too."""
    async with work.reading(key=keys.of_person(subject)) as db:
        run = await queries.find_break_run(db, subject, lesson.run_name)
    variants, trouble = await _find_variants(client, lesson)
    return BreakView(
        lesson=lesson,
        run=run,
        flawed=next(iter(variants.values()), None),
        fixes=tuple((fix, variants[fix.name]) for fix in lesson.fixes if fix.name in variants),
        results=tuple(
            (lesson.checks[one.number], one) for one in run.results if one.number < len(lesson.checks)
        ),
        trouble=trouble,
        following=break_after(lesson),
    )


async def _find_variants(client: PracticeClient | None, lesson: Break) -> tuple[dict[str, Variant], Sentence]:
    if client is None:
        return {}, _("This installation has no practice service. The command make demo starts one.")
    try:
        variants = await client.list_variants(lesson.slug)
    except PracticeUnavailable as error:
        return {}, error.detail
    return {variant.name: variant for variant in variants}, NOTHING

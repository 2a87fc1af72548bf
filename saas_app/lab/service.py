"""Answers questions about a learner's way through the lab."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from saas_app.db import keys
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.lab import queries
from saas_app.lab.evidence import Evidence
from saas_app.lab.lesson import Lesson
from saas_app.lab.lessons import LESSONS, lesson_after
from saas_app.lab.queries import StoredGround
from saas_app.lab.values import SAM, Run
from saas_app.models import GroundState


@dataclass(frozen=True, slots=True)
class Progress:
    """A learner's way: their ground, if it is ready, and their runs by lesson.

    ``places`` are the ids with which the paths of tasks are filled in.
    """

    ground: StoredGround | None
    places: Mapping[str, str]
    runs: Mapping[str, Run]

    @property
    def is_ready(self) -> bool:
        """Whether the learner's organizations can be used."""
        return self.ground is not None and self.ground.state is GroundState.READY

    @property
    def is_half_removed(self) -> bool:
        """Whether a reset has begun and not finished."""
        return self.ground is not None and self.ground.state is GroundState.REMOVING

    @property
    def done(self) -> int:
        """How many lessons were played to their end."""
        return sum(self.run_of(lesson).is_done for lesson in LESSONS)

    @property
    def right(self) -> int:
        """How many predictions were what happened."""
        return sum(self.run_of(lesson).was_right for lesson in LESSONS)

    @property
    def next_lesson(self) -> Lesson | None:
        """The lesson that the learner has begun, or the first one that is not done, or None."""
        left = [lesson for lesson in LESSONS if not self.run_of(lesson).is_done]
        begun = [lesson for lesson in left if self.run_of(lesson).is_predicted]
        return next(iter(begun + left), None)

    def is_done(self, name: str) -> bool:
        """Return whether the lesson that is stored under this name was played to its end."""
        return name in self.runs and self.runs[name].is_done

    def run_of(self, lesson: Lesson) -> Run:
        """Return the learner's run of a lesson, which may not have begun."""
        return self.runs.get(lesson.slug) or Run(lesson.slug)


@dataclass(frozen=True, slots=True)
class LessonView:
    """A lesson as its page shows it: how far the learner is, and what was seen.

    Tasks are (text, path). ``see_as`` is the path that is worth seeing as somebody else, or "".
    """

    lesson: Lesson
    run: Run
    evidence: Evidence | None
    tasks: tuple[tuple[str, str], ...]
    see_as: str
    following: Lesson | None


async def find_progress(work: UnitOfWork, subject: str) -> Progress:
    """Return how far a learner is."""
    async with work.reading(key=keys.of_person(subject)) as db:
        ground, sam_id = await queries.find_ground_with_player(db, subject, SAM)
        runs = await queries.list_runs(db, subject)
    places = {
        "workshop": (ground and ground.workshop_id) or "",
        "studio": (ground and ground.studio_id) or "",
        "sam": sam_id or "",
    }
    return Progress(ground, places, runs)


async def find_organization_ids(work: UnitOfWork, subject: str) -> frozenset[str]:
    """Return the learner's practice organizations, which lists show apart."""
    async with work.reading(key=keys.of_person(subject)) as db:
        ground = await queries.find_ground(db, subject)
    return frozenset(ground.organization_ids if ground else ())


async def view_lesson(work: UnitOfWork, subject: str, lesson: Lesson, progress: Progress) -> LessonView:
    """Return a lesson with what the learner predicted and saw."""
    async with work.reading(key=keys.of_person(subject)) as db:
        run = await queries.find_run(db, subject, lesson.slug) or Run(lesson.slug)
    evidence = Evidence.find(run.evidence)
    return LessonView(
        lesson=lesson,
        run=run if evidence else replace(run, answer=None, done_at=None),  # it can be played again
        evidence=evidence,
        tasks=tuple((task.text, task.path.format(**progress.places)) for task in lesson.tasks),
        see_as=lesson.see_as.format(**progress.places),
        following=lesson_after(lesson),
    )

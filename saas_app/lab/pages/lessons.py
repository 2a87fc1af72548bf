"""The page of a lesson: the question, the task, and the reveal."""

from __future__ import annotations

from quart import Blueprint, redirect, request
from quart.typing import ResponseReturnValue

from saas_app.errors import AppError, NotFound
from saas_app.identity.principal import SessionPrincipal
from saas_app.lab import service
from saas_app.lab.changes import runs
from saas_app.lab.classes.service import find_class_with
from saas_app.lab.lesson import Lesson
from saas_app.lab.lessons import LESSONS, find_lesson
from saas_app.lab.pages.learners import EXPECTED, lab_systems, learner, read_own_api
from saas_app.lab.practice.flaws import BREAKS
from saas_app.lab.values import AlreadyPredicted, GroundLost, UnknownAnswer
from saas_app.lab.words import WORDS
from saas_app.text.translation import Sentence, _
from saas_app.web.context import runtime
from saas_app.web.limits import counts_as_change, retry_after
from saas_app.web.templating import render

blueprint = Blueprint("lab_lessons", __name__, url_prefix="/lab/lessons")

_EXPECTED = (*EXPECTED, AlreadyPredicted)


@blueprint.get("/<slug>")
@learner
async def show_lesson(principal: SessionPrincipal, slug: str) -> ResponseReturnValue:
    """Show a lesson as far as the learner is."""
    return await _show(principal, _get_lesson(slug))


@blueprint.post("/<slug>/prediction")
@learner
@counts_as_change
async def predict(principal: SessionPrincipal, slug: str) -> ResponseReturnValue:
    """Store the prediction. It stays as it is from now on."""
    lesson, chosen = _get_lesson(slug), (await request.form).get("answer", "")
    try:
        await runs.predict(lab_systems(), principal, lesson, chosen, read_own_api)
    except UnknownAnswer as error:
        return await _show(principal, lesson, chosen=chosen, problem=error.title), 422
    except _EXPECTED as error:
        return await _refused(principal, lesson, error, chosen)
    return redirect(f"/lab/lessons/{lesson.slug}#task", 303)


@blueprint.post("/<slug>/act")
@learner
@counts_as_change
async def act(principal: SessionPrincipal, slug: str) -> ResponseReturnValue:
    """Make the requests of the lesson, and reveal what they returned."""
    lesson = _get_lesson(slug)
    try:
        await runs.play(lab_systems(), principal, lesson, read_own_api)
    except _EXPECTED as error:
        return await _refused(principal, lesson, error)
    return redirect(f"/lab/lessons/{lesson.slug}#result", 303)


@blueprint.post("/<slug>/again")
@learner
@counts_as_change
async def play_again(principal: SessionPrincipal, slug: str) -> ResponseReturnValue:
    """Let the learner act once more. The first prediction stays."""
    lesson = _get_lesson(slug)
    try:
        await runs.play_again(lab_systems(), principal, lesson, read_own_api)
    except _EXPECTED as error:
        return await _refused(principal, lesson, error)
    return redirect(f"/lab/lessons/{lesson.slug}#task", 303)


@blueprint.get("/<slug>/prediction")
@blueprint.get("/<slug>/act")
@blueprint.get("/<slug>/again")
@learner
async def back_to_lesson(principal: SessionPrincipal, slug: str) -> ResponseReturnValue:
    """Lead from the address of a form that was not accepted, opened again, back to the lesson."""
    return redirect(f"/lab/lessons/{_get_lesson(slug).slug}", 303)


async def _refused(
    principal: SessionPrincipal, lesson: Lesson, error: AppError, chosen: str = ""
) -> ResponseReturnValue:
    page = await _show(
        principal,
        lesson,
        chosen=chosen,
        failure=error.detail or error.title,
        is_lost=isinstance(error, GroundLost),
    )
    return page, error.status, retry_after(error)


async def _show(
    principal: SessionPrincipal,
    lesson: Lesson,
    *,
    chosen: str = "",
    problem: Sentence | str = "",
    failure: Sentence | str = "",
    is_lost: bool = False,
) -> str:
    """Render a lesson. ``chosen`` is an answer that was not accepted, ``problem`` is what is wrong.

    ``is_lost``: only a reset of the lab helps.
    """
    work, subject = runtime().work, principal.subject
    progress = await service.find_progress(work, subject)
    view = await service.view_lesson(work, subject, lesson, progress)
    return render(
        "lab/lesson.html",
        view=view,
        in_class=await find_class_with(work, subject, view.run.class_code),
        progress=progress,
        number=LESSONS.index(lesson) + 1,
        count=len(LESSONS),
        first_break=BREAKS[0],
        chosen=chosen,
        problem=problem,
        failure=failure,
        is_lost=is_lost,
        words=WORDS,
    )


def _get_lesson(slug: str) -> Lesson:
    lesson = find_lesson(slug)
    if lesson is None:
        raise NotFound(_("There is no such lesson."))
    return lesson

"""The “break it” lessons: find the request that leaks, then fix the code."""

from __future__ import annotations

from collections.abc import Mapping

from quart import Blueprint, redirect, request
from quart.typing import ResponseReturnValue

from saas_app.errors import AppError, Invalid, NotFound
from saas_app.identity.principal import SessionPrincipal
from saas_app.lab import service as lab_service
from saas_app.lab.pages.learners import EXPECTED, lab_systems, learner, read_own_api
from saas_app.lab.practice import changes, service
from saas_app.lab.practice.changes import Player
from saas_app.lab.practice.declaration import Break
from saas_app.lab.practice.flaws import BREAKS, find_break
from saas_app.lab.practice.forms import read_request, shown_request, typed_request
from saas_app.lab.practice.values import METHODS, PracticeUnavailable
from saas_app.lab.values import GroundLost
from saas_app.text.translation import Sentence, _
from saas_app.web.context import runtime
from saas_app.web.limits import counts_as_change, retry_after
from saas_app.web.notices import notify
from saas_app.web.templating import render

blueprint = Blueprint("lab_practice", __name__, url_prefix="/lab/practice")

_EXPECTED = (*EXPECTED, PracticeUnavailable)


@blueprint.get("/<slug>")
@learner
async def show_break(principal: SessionPrincipal, slug: str) -> ResponseReturnValue:
    """Show a lesson as far as the learner is."""
    return await _show(principal, _get_break(slug))


@blueprint.post("/<slug>/request")
@learner
@counts_as_change
async def send_request(principal: SessionPrincipal, slug: str) -> ResponseReturnValue:
    """Send the learner's request to the practice service."""
    lesson, fields = _get_break(slug), await request.form
    typed = typed_request(fields)
    try:
        is_new = await changes.send_request(_player(principal, lesson), read_request(fields, lesson))
    except Invalid as error:
        return await _show(principal, lesson, typed=typed, problems=error.fields), 422
    except _EXPECTED as error:
        return await _refused(principal, lesson, error, typed=typed)
    if is_new:
        await notify(
            _("The practice service had lost your workspace. It has made a new one with new reports."), "info"
        )
    return redirect(f"/lab/practice/{lesson.slug}#answer", 303)


@blueprint.post("/<slug>/fix")
@learner
@counts_as_change
async def try_fix(principal: SessionPrincipal, slug: str) -> ResponseReturnValue:
    """Run the hidden checks against the chosen fix."""
    lesson, chosen = _get_break(slug), (await request.form).get("fix", "")
    try:
        await changes.try_fix(_player(principal, lesson), chosen)
    except Invalid as error:
        return await _show(principal, lesson, problems=error.fields), 422
    except _EXPECTED as error:
        return await _refused(principal, lesson, error, chosen=chosen)
    return redirect(f"/lab/practice/{lesson.slug}#checks", 303)


@blueprint.post("/<slug>/workspace")
@learner
@counts_as_change
async def renew_workspace(principal: SessionPrincipal, slug: str) -> ResponseReturnValue:
    """Make a new workspace for the learner."""
    lesson = _get_break(slug)
    try:
        await changes.renew_workspace(_player(principal, lesson))
    except _EXPECTED as error:
        return await _refused(principal, lesson, error)
    await notify(_("Your workspace is new: other reports, and nothing in the cache."))
    return redirect(f"/lab/practice/{lesson.slug}", 303)


@blueprint.post("/<slug>/restart")
@learner
@counts_as_change
async def start_again(principal: SessionPrincipal, slug: str) -> ResponseReturnValue:
    """Delete the learner's progress with this lesson."""
    lesson = _get_break(slug)
    try:
        await changes.start_again(_player(principal, lesson))
    except _EXPECTED as error:
        return await _refused(principal, lesson, error)
    return redirect(f"/lab/practice/{lesson.slug}", 303)


async def _refused(
    principal: SessionPrincipal,
    lesson: Break,
    error: AppError,
    *,
    typed: Mapping[str, str] | None = None,
    chosen: str = "",
) -> ResponseReturnValue:
    page = await _show(
        principal,
        lesson,
        typed=typed,
        chosen=chosen,
        failure=error.detail or error.title,
        is_lost=isinstance(error, GroundLost),
    )
    return page, error.status, retry_after(error)


async def _show(
    principal: SessionPrincipal,
    lesson: Break,
    *,
    typed: Mapping[str, str] | None = None,
    chosen: str = "",
    problems: Mapping[str, str] | None = None,
    failure: Sentence | str = "",
    is_lost: bool = False,
) -> str:
    """Render a lesson. ``typed`` is a request that was not sent, ``problems`` is what is wrong by field.

    ``is_lost``: only a reset of the lab helps.
    """
    work, subject = runtime().work, principal.subject
    client = service.practice_client(runtime().settings)
    view = await service.view_break(work, client, subject, lesson)
    last = view.run.last.attempt if view.run.last else lesson.start
    return render(
        "lab/practice.html",
        view=view,
        progress=await lab_service.find_progress(work, subject),
        number=BREAKS.index(lesson) + 1,
        count=len(BREAKS),
        methods=METHODS,
        typed=typed or shown_request(last),
        chosen=chosen or view.run.fix,
        problems=problems or {},
        failure=failure,
        is_lost=is_lost,
    )


def _player(principal: SessionPrincipal, lesson: Break) -> Player:
    client = service.practice_client(runtime().settings)
    if client is None:
        raise PracticeUnavailable(
            _("This installation has no practice service. The command make demo starts one.")
        )
    return Player(lab_systems(), client, principal, read_own_api, lesson)


def _get_break(slug: str) -> Break:
    lesson = find_break(slug)
    if lesson is None:
        raise NotFound(_("There is no such lesson."))
    return lesson

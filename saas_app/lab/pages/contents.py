"""The contents page of the lab, and a learner's practice organizations: set up, and reset."""

from __future__ import annotations

from quart import Blueprint, redirect, request
from quart.typing import ResponseReturnValue

from saas_app.errors import Busy, LogtoUnavailable, RateLimited
from saas_app.identity.principal import SessionPrincipal
from saas_app.lab import service
from saas_app.lab.changes import grounds
from saas_app.lab.lessons import LESSONS, find_lesson
from saas_app.lab.pages.learners import lab_systems, learner
from saas_app.lab.practice.flaws import BREAKS, find_break
from saas_app.lab.words import WORDS
from saas_app.text.translation import Sentence, _
from saas_app.web.context import runtime
from saas_app.web.limits import counts_as_change, retry_after
from saas_app.web.notices import notify
from saas_app.web.templating import render

blueprint = Blueprint("lab", __name__, url_prefix="/lab")


@blueprint.get("")
@learner
async def contents(principal: SessionPrincipal) -> ResponseReturnValue:
    """Show the lessons, and how far the person is."""
    return await _show(principal)


@blueprint.post("/ground")
@learner
async def set_up(principal: SessionPrincipal) -> ResponseReturnValue:
    """Make the practice organizations, then renew access, because the grant does not cover them yet.

    It leads back to the lesson whose page asked for it.
    """
    slug = (await request.form).get("lesson", "")
    place = f"/lessons/{slug}" if find_lesson(slug) else f"/practice/{slug}" if find_break(slug) else ""
    try:
        await grounds.build_ground(lab_systems(), principal)
    except (Busy, LogtoUnavailable, RateLimited) as error:
        return await _show(principal, error.detail), error.status, retry_after(error)
    await notify(_("Your practice organizations are ready."), "success")
    return redirect(f"/sign-in/renew?next=/lab{place}", 303)


@blueprint.post("/reset")
@learner
@counts_as_change
async def reset(principal: SessionPrincipal) -> ResponseReturnValue:
    """Delete the practice organizations, their role-play members and the learner's results."""
    try:
        removed = await grounds.remove_ground(lab_systems(), principal.subject)
    except (Busy, LogtoUnavailable) as error:
        return await _show(principal, error.detail), error.status, retry_after(error)
    runtime().removals.wake()
    if removed:
        await notify(_("Your practice organizations were deleted. You can start again."), "success")
    return redirect("/lab", 303)


async def _show(principal: SessionPrincipal, failure: Sentence | str = "") -> str:
    progress = await service.find_progress(runtime().work, principal.subject)
    return render(
        "lab/contents.html",
        lessons=LESSONS,
        breaks=BREAKS,
        next_break=next((one for one in BREAKS if not progress.is_done(one.run_name)), None),
        words=WORDS,
        progress=progress,
        failure=failure,
    )

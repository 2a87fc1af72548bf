"""Pages of classes: starting and joining one, and what its teacher and its learners see."""

from __future__ import annotations

from quart import Blueprint, Response, redirect, request, url_for
from quart.typing import ResponseReturnValue

from saas_app.identity.principal import SessionPrincipal
from saas_app.lab.classes import changes, service
from saas_app.lab.classes.export import result_chunks
from saas_app.lab.classes.forms import TITLE_LENGTH, ClassForm, JoinForm, read_lesson, read_shows_name
from saas_app.lab.classes.lessons import lesson_infos
from saas_app.lab.classes.spread import HELD_BACK
from saas_app.lab.classes.values import RETENTION, Joined, NotJoined, Seat
from saas_app.lab.pages.learners import learner
from saas_app.text.translation import _
from saas_app.text.visible import isolated
from saas_app.web.context import runtime
from saas_app.web.csv_stream import csv_file
from saas_app.web.limits import counts_as_change
from saas_app.web.notices import notify
from saas_app.web.templating import render

blueprint = Blueprint("lab_classes", __name__, url_prefix="/lab/class")


@blueprint.get("")
@learner
async def list_classes(principal: SessionPrincipal) -> ResponseReturnValue:
    """Show the caller's classes, and the forms to join or start one. A link may bring the code along."""
    return await _show_list(principal, JoinForm(data={"code": request.args.get("code", "")}), ClassForm())


@blueprint.post("/start")
@learner
@counts_as_change
async def start_class(principal: SessionPrincipal) -> ResponseReturnValue:
    """Start a class, whose teacher the caller is."""
    form = ClassForm(await request.form)
    if not form.validate():
        return await _show_list(principal, JoinForm(), form), 422
    title = form.title.data or ""
    code = await changes.start_class(runtime().work, runtime().change_limits, principal.subject, title)
    return redirect(url_for("lab_classes.show_class", code=code), 303)


@blueprint.post("/join")
@learner
@counts_as_change
async def join_class(principal: SessionPrincipal) -> ResponseReturnValue:
    """Join a class with its code, and leave any other."""
    form = JoinForm(await request.form)
    if not form.validate():
        return await _show_list(principal, form, ClassForm()), 422
    typed = form.code.data or ""
    try:
        joined = await changes.join_class(runtime().work, runtime().change_limits, principal.subject, typed)
    except NotJoined as error:
        form.code.errors = [error.detail.shown]
        return await _show_list(principal, form, ClassForm()), error.status
    await _tell_about(joined)
    return redirect(joined.to.path, 303)


@blueprint.get("/<code>")
@learner
async def show_class(principal: SessionPrincipal, code: str) -> ResponseReturnValue:
    """Show a class to its teacher or to a learner, each what they may see."""
    seat = await service.get_seat(runtime().work, code, principal.subject)
    if seat.is_teacher:
        return await _show_to_teacher(seat)
    revealed = await service.list_revealed(runtime().work, seat.of, lesson_infos())
    return render("lab/classes/learner.html", seat=seat, lessons=revealed, held_back=HELD_BACK)


@blueprint.get("/<code>/progress")
@learner
async def show_progress(principal: SessionPrincipal, code: str) -> ResponseReturnValue:
    """Return the part of the teacher's page that changes, for the script that fetches it again."""
    of = await service.get_taught(runtime().work, code, principal.subject)
    progress = await service.read_progress(runtime().work, of, lesson_infos())
    return render("lab/classes/_progress.html", of=of, progress=progress)


@blueprint.post("/<code>/reveal")
@learner
@counts_as_change
async def reveal(principal: SessionPrincipal, code: str) -> ResponseReturnValue:
    """Show all learners how the class predicted in a lesson."""
    of = await service.get_taught(runtime().work, code, principal.subject)
    lesson = read_lesson(await request.form, lesson_infos())
    await changes.reveal(runtime().work, principal.subject, code, lesson)
    return redirect(f"{of.path}#{lesson}", 303)


@blueprint.post("/<code>/close")
@learner
@counts_as_change
async def close_class(principal: SessionPrincipal, code: str) -> ResponseReturnValue:
    """Close a class."""
    of = await service.get_taught(runtime().work, code, principal.subject)
    await changes.close_class(runtime().work, principal.subject, code)
    await notify(_("“%(title)s” is closed. Nobody can join it any more.", title=isolated(of.title)))
    return redirect(of.path, 303)


@blueprint.get("/<code>/export.csv")
@learner
async def export_class(principal: SessionPrincipal, code: str) -> Response:
    """Send what the class predicted as CSV."""
    of = await service.get_taught(runtime().work, code, principal.subject)
    records = await service.read_records(runtime().work, of)
    return csv_file(of.title, of.code, "class", result_chunks(records, lesson_infos()))


@blueprint.post("/<code>/leave")
@learner
@counts_as_change
async def leave_class(principal: SessionPrincipal, code: str) -> ResponseReturnValue:
    """Leave a class."""
    await changes.leave_class(runtime().work, principal.subject, code)
    await notify(_("You have left the class."))
    return redirect(url_for("lab_classes.list_classes"), 303)


@blueprint.post("/<code>/name")
@learner
@counts_as_change
async def show_name(principal: SessionPrincipal, code: str) -> ResponseReturnValue:
    """Let the teacher see the caller's name, or no longer."""
    shows = read_shows_name(await request.form)
    name = principal.display_name[:TITLE_LENGTH] if shows else None
    await changes.show_name(runtime().work, principal.subject, code, name)
    if shows:
        await notify(_("Your teacher sees your name beside what you predict."))
    else:
        await notify(_("Your teacher no longer sees your name."))
    return redirect(url_for("lab_classes.show_class", code=code), 303)


async def _show_list(principal: SessionPrincipal, join: JoinForm, start: ClassForm) -> str:
    mine = await service.list_classes(runtime().work, principal.subject)
    return render("lab/classes/list.html", mine=mine, join=join, start=start, days=RETENTION.days)


async def _show_to_teacher(seat: Seat) -> str:
    progress = await service.read_progress(runtime().work, seat.of, lesson_infos())
    address = f"{runtime().settings.app_url}/lab/class"
    return render(
        "lab/classes/teacher.html", of=seat.of, progress=progress, address=address, held_back=HELD_BACK
    )


async def _tell_about(joined: Joined) -> None:
    to, left = joined.to.title, joined.left
    if joined.was_there:
        await notify(_("You are in “%(title)s” already.", title=isolated(to)), "info")
    elif left is not None:
        told = _("You left “%(left)s” and joined “%(title)s”.", left=isolated(left.title), title=isolated(to))
        await notify(told)
    else:
        await notify(_("You joined “%(title)s”.", title=isolated(to)))

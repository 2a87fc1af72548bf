"""Pages of tasks: the page of a project, which lists them, and the pages of each task."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict
from urllib.parse import urlencode

from quart import Blueprint, redirect, request, url_for
from quart.typing import ResponseReturnValue

from saas_app.audit.last_saves import find_last_save
from saas_app.db.kept_connection import release_kept
from saas_app.errors import Invalid, LogtoUnavailable, ManagementNotSetUp
from saas_app.identity.tenant import Tenant
from saas_app.projects import changes, service
from saas_app.projects.assignees import Assignees
from saas_app.projects.conflict import task_fields
from saas_app.projects.cursors import read_task_place, task_page
from saas_app.projects.forms import (
    TASK_STATUS_LABELS,
    TaskForm,
    read_task_status,
    read_version,
    read_wanted_tasks,
)
from saas_app.projects.pages.chosen_tasks import blueprint as chosen
from saas_app.projects.values import TaskConflict, TaskFilter, TaskRow, TaskSort, TaskStatus
from saas_app.rbac.permissions import Permission
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated
from saas_app.web.context import current_tenant, database, open_reading, runtime, transaction
from saas_app.web.guards import requires
from saas_app.web.notices import notify
from saas_app.web.reader import reader_day
from saas_app.web.templating import render

blueprint = Blueprint("tasks", __name__, url_prefix="/<uuid:project_id>")
blueprint.register_blueprint(chosen)

_PAGE_SIZE = 50


@blueprint.get("")
@requires(Permission.PROJECTS_READ)
async def show_project(tenant: Tenant, project_id: uuid.UUID) -> ResponseReturnValue:
    """Show a project with its tasks, in two statements."""
    return await _show(tenant, project_id, TaskForm())


@blueprint.post("/tasks")
@requires(Permission.PROJECTS_WRITE)
async def add_task(tenant: Tenant, project_id: uuid.UUID) -> ResponseReturnValue:
    """Add a task, then show the project."""
    form = TaskForm(await request.form)
    if not form.validate():
        return await _show(tenant, project_id, form), 422
    wanted = form.as_input()
    task = await changes.add_task(transaction(), tenant, project_id, wanted)
    await notify(_("“%(name)s” was added.", name=isolated(wanted.title)))
    return _to_tasks(tenant, project_id, task.id, wanted.status, is_new=True)


@blueprint.get("/tasks")
@requires(Permission.PROJECTS_READ)
async def list_tasks(tenant: Tenant, project_id: uuid.UUID) -> ResponseReturnValue:
    """Redirect to the project's page. A rejected form leaves the browser at this address."""
    await service.get_project(database(), tenant, project_id)
    url = url_for(
        "projects.tasks.show_project", organization_id=tenant.organization_id, project_id=project_id
    )
    return redirect(url + _kept_query(), 303)


@blueprint.get("/tasks/<uuid:task_id>/edit")
@requires(Permission.PROJECTS_WRITE)
async def edit_task(tenant: Tenant, project_id: uuid.UUID, task_id: uuid.UUID) -> ResponseReturnValue:
    """Show the form of a task."""
    task = await service.get_task(database(), tenant, project_id, task_id)
    return await _form(tenant, TaskForm(data={**asdict(task.as_input), "status": task.status.value}), task)


@blueprint.post("/tasks/<uuid:task_id>/edit")
@requires(Permission.PROJECTS_WRITE)
async def save_task(tenant: Tenant, project_id: uuid.UUID, task_id: uuid.UUID) -> ResponseReturnValue:
    """Save an edit. :func:`choose_side` handles a conflict."""
    async with open_reading(tenant) as db:  # ends before Logto is asked
        task = await service.get_task(db, tenant, project_id, task_id)
    fields = await request.form
    form, version = TaskForm(fields), read_version(fields)
    if form.is_search:
        return await _form(tenant, form, task, version)
    if not form.validate():
        return await _form(tenant, form, task, version), 422
    wanted, assignee = form.as_input(), None
    if wanted.assignee_id != task.assignee_id:
        try:
            assignee = await _assignees(tenant).check(wanted.assignee_id)
        except (Invalid, LogtoUnavailable, ManagementNotSetUp) as error:
            form.assignee_id.errors = (error.detail,)
            asks_logto = not isinstance(error, LogtoUnavailable)  # it would be waited for again
            return await _form(tenant, form, task, version, asks_logto=asks_logto), error.status
    await changes.edit_task(transaction(), tenant, project_id, task_id, version, wanted, assignee)
    await notify(_("Task saved."))
    return _to_tasks(tenant, project_id, task_id, wanted.status)


@blueprint.post("/tasks/<uuid:task_id>/status")
@requires(Permission.PROJECTS_WRITE)
async def change_status(tenant: Tenant, project_id: uuid.UUID, task_id: uuid.UUID) -> ResponseReturnValue:
    """Set the status of a task, with one click."""
    task = await service.get_task(database(), tenant, project_id, task_id)
    fields = await request.form
    status, version = read_task_status(fields), read_version(fields)
    await changes.set_task_status(transaction(), tenant, task, version, status)
    await notify(_moved(task.title, status))
    return _to_tasks(tenant, project_id, task_id, status)


@blueprint.get("/tasks/<uuid:task_id>/delete")
@requires(Permission.PROJECTS_WRITE)
async def confirm_delete_task(
    tenant: Tenant, project_id: uuid.UUID, task_id: uuid.UUID
) -> ResponseReturnValue:
    """Ask for confirmation."""
    task = await service.get_task(database(), tenant, project_id, task_id)
    return render("projects/task_delete.html", task=task)


@blueprint.post("/tasks/<uuid:task_id>/delete")
@requires(Permission.PROJECTS_WRITE)
async def delete_task(tenant: Tenant, project_id: uuid.UUID, task_id: uuid.UUID) -> ResponseReturnValue:
    """Delete the task."""
    task = await service.get_task(database(), tenant, project_id, task_id)
    await changes.delete_task(transaction(), tenant, project_id, task_id)
    await notify(_("“%(name)s” was deleted.", name=isolated(task.title)))
    return _to_tasks(tenant, project_id)


@blueprint.errorhandler(TaskConflict)
async def choose_side(error: TaskConflict) -> ResponseReturnValue:
    """Show both versions after a conflict, and let the caller choose the one to keep."""
    where = {name: (request.view_args or {})[name] for name in ("organization_id", "project_id")}
    page = render(
        "projects/conflict.html",
        title=error.theirs.title,
        back=url_for("projects.tasks.show_project", **where),
        action=url_for("projects.tasks.save_task", **where, task_id=error.theirs.id),
        version=error.theirs.version,
        fields=task_fields(error.theirs, error.yours, await _names_for(error)),
        last=await find_last_save(str(error.theirs.id)),
    )
    return page, error.status


async def _names_for(error: TaskConflict) -> Mapping[str, str]:
    """Return the names of both assignees. Logto is asked only about a new one."""
    tenant, yours = current_tenant(), error.yours.assignee_id
    names = _assignee_of(error.theirs)
    if tenant is not None and yours and yours not in names:
        names[yours] = await _name_of(tenant, yours)
    return names


async def _form(
    tenant: Tenant, form: TaskForm, task: TaskRow, version: int | None = None, *, asks_logto: bool = True
) -> str:
    """Render the form of a task with what was typed, and the members whom it may be assigned to.

    A search that finds one member chooses them.
    """
    await release_kept()
    offered = await _assignees(tenant).offer(form.member.data or "", asks_logto=asks_logto)
    if form.is_search and len(offered.found) == 1:
        (form.assignee_id.data,) = offered.found
    names = {**_assignee_of(task), **offered.names}
    chosen = form.assignee_id.data
    if chosen and chosen not in names:
        names = {chosen: await _name_of(tenant, chosen, asks_logto=not offered.is_partial), **names}
    form.offer(names)
    return render(
        "projects/task_edit.html",
        form=form,
        task=task,
        offered=offered,
        version=task.version if version is None else version,
    )


def _assignee_of(task: TaskRow) -> dict[str, str]:
    """Return the name of the assignee, by id."""
    return {task.assignee_id: task.assignee or ""} if task.assignee_id else {}


async def _name_of(tenant: Tenant, user_id: str, *, asks_logto: bool = True) -> str:
    """Return a member's name as Logto knows it, else as the audit log does, else the id."""
    name = await _assignees(tenant).find_name(user_id) if asks_logto else None
    if name is not None:
        return name
    async with open_reading(tenant) as db:
        return await service.find_known_name(db, user_id) or user_id


def _assignees(tenant: Tenant) -> Assignees:
    return Assignees(runtime().work, runtime().directory, runtime().management, tenant)


async def _show(tenant: Tenant, project_id: uuid.UUID, form: TaskForm) -> str:
    wanted, cursor = read_wanted_tasks(request.args, tenant.principal.subject), request.args.get("after")
    place = read_task_place(cursor)
    project = await service.get_project(database(), tenant, project_id)
    portion = await service.page_tasks(database(), project, wanted, place, _PAGE_SIZE)
    return render(
        "projects/show.html",
        project=project,
        page=task_page(portion, cursor),
        wanted=wanted,
        added=request.args.get("added", ""),
        form=form,
        filters=TaskFilter,
        statuses=TaskStatus,
        status_labels=TASK_STATUS_LABELS,
        today=reader_day(),
        kept_query=_kept_query(),
    )


def _moved(title: str, status: TaskStatus) -> Sentence:
    """Return the notice of a changed status."""
    if status is TaskStatus.DONE:
        return _("“%(title)s” is now done.", title=isolated(title))
    if status is TaskStatus.DOING:
        return _("“%(title)s” is now in progress.", title=isolated(title))
    return _("“%(title)s” is now to do.", title=isolated(title))


def _kept_query() -> str:
    """Return the filter and page of the tasks as a query, for the addresses of forms."""
    kept = [(name, request.args[name]) for name in ("show", "mine", "sort", "after") if name in request.args]
    return f"?{urlencode(kept)}" if kept else ""


def _to_tasks(
    tenant: Tenant,
    project_id: uuid.UUID,
    task_id: uuid.UUID | None = None,
    status: TaskStatus | None = None,
    *,
    is_new: bool = False,
) -> ResponseReturnValue:
    """Redirect to the project with the same filter and order, and to the task if the filter shows it.

    After a new task, the page focuses the field for the next one, which a fragment would prevent.
    """
    wanted = read_wanted_tasks(request.args, tenant.principal.subject)
    shown = wanted.shown
    is_among = shown is TaskFilter.ALL or (shown is TaskFilter.DONE) == (status is TaskStatus.DONE)
    url = url_for(
        "projects.tasks.show_project",
        organization_id=tenant.organization_id,
        project_id=project_id,
        show=None if shown is TaskFilter.OPEN else shown.value,
        mine="yes" if wanted.assignee_id else None,
        sort=None if wanted.sort is TaskSort.STATUS else wanted.sort.value,
        after=request.args.get("after"),
        added=str(task_id) if is_new else None,
        _anchor=None if is_new else f"task-{task_id}" if task_id and is_among else "tasks",
    )
    return redirect(url, 303)

"""Pages of projects. :mod:`saas_app.projects.pages.tasks` has the page of one project, with its tasks."""

from __future__ import annotations

import uuid

from quart import Blueprint, redirect, request, url_for
from quart.typing import ResponseReturnValue

from saas_app.audit.last_saves import find_last_save
from saas_app.identity.tenant import Tenant
from saas_app.projects import changes, service
from saas_app.projects.conflict import project_fields
from saas_app.projects.cursors import project_page, read_project_place
from saas_app.projects.export import project_chunks
from saas_app.projects.forms import ProjectForm, read_project_filter, read_version
from saas_app.projects.pages.chosen_projects import blueprint as chosen
from saas_app.projects.pages.tasks import blueprint as tasks
from saas_app.projects.values import (
    ProjectConflict,
    ProjectFilter,
    ProjectRow,
    StatusFilter,
)
from saas_app.rbac.permissions import Permission, RoleType, roles_granting
from saas_app.text.translation import _
from saas_app.text.visible import isolated
from saas_app.web.context import database, open_writing, transaction
from saas_app.web.csv_stream import csv_export
from saas_app.web.guards import requires
from saas_app.web.lists import one_of
from saas_app.web.notices import notify
from saas_app.web.pagination import Page
from saas_app.web.prefetches import only_deliberately
from saas_app.web.templating import render

blueprint = Blueprint("projects", __name__, url_prefix="/o/<organization_id>/projects")
blueprint.register_blueprint(tasks)
blueprint.register_blueprint(chosen)

_PAGE_SIZE = 20
_WRITERS = [role.value for role in roles_granting(Permission.PROJECTS_WRITE) if role.type is RoleType.USER]


@blueprint.get("")
@requires(Permission.PROJECTS_READ)
async def list_projects(tenant: Tenant) -> ResponseReturnValue:
    """List the projects that match the filter, in one statement."""
    wanted = read_project_filter(request.args)
    page = await _read_page(wanted, request.args.get("after"))
    is_unasked = page.is_first and not wanted.search and wanted.status is StatusFilter.ACTIVE
    has_any = await service.has_projects(database()) if not page.items and is_unasked else True
    return render(
        "projects/list.html",
        page=page,
        wanted=wanted,
        has_any=has_any,
        statuses=StatusFilter,
        writers=one_of(_WRITERS),
    )


async def _read_page(wanted: ProjectFilter, cursor: str | None) -> Page[ProjectRow]:
    place = read_project_place(cursor, wanted.sort)
    return project_page(await service.page_projects(database(), wanted, place, _PAGE_SIZE), cursor)


@blueprint.get("/new")
@requires(Permission.PROJECTS_WRITE)
async def new_project(tenant: Tenant) -> ResponseReturnValue:
    """Show the form for a new project."""
    return render("projects/new.html", form=ProjectForm())


@blueprint.post("/new")
@requires(Permission.PROJECTS_WRITE)
async def create_project(tenant: Tenant) -> ResponseReturnValue:
    """Create a project, then show it."""
    form = ProjectForm(await request.form)
    if not form.validate():
        return render("projects/new.html", form=form), 422
    wanted = form.as_input()
    project_id = await changes.create_project(transaction(), tenant, wanted)
    await notify(_("“%(name)s” was created. Add its first task.", name=isolated(wanted.name)))
    return _to_project(tenant, project_id)


@blueprint.get("/<uuid:project_id>/edit")
@requires(Permission.PROJECTS_WRITE)
async def edit_project(tenant: Tenant, project_id: uuid.UUID) -> ResponseReturnValue:
    """Show the form of a project."""
    project = await service.get_project(database(), tenant, project_id)
    form = ProjectForm(data={"name": project.name, "description": project.description})
    return render("projects/edit.html", form=form, project=project, version=project.version)


@blueprint.post("/<uuid:project_id>/edit")
@requires(Permission.PROJECTS_WRITE)
async def save_project(tenant: Tenant, project_id: uuid.UUID) -> ResponseReturnValue:
    """Save an edit. :func:`choose_side` handles a conflict."""
    project = await service.get_project(database(), tenant, project_id)
    fields = await request.form
    form, version = ProjectForm(fields), read_version(fields)
    if not form.validate():
        page = render("projects/edit.html", form=form, project=project, version=version)
        return page, 422
    await changes.edit_project(transaction(), tenant, project_id, version, form.as_input())
    await notify(_("Project saved."))
    return _to_project(tenant, project_id)


@blueprint.post("/<uuid:project_id>/archive")
@requires(Permission.PROJECTS_WRITE)
async def archive_project(tenant: Tenant, project_id: uuid.UUID) -> ResponseReturnValue:
    """Archive the project."""
    await changes.archive_project(transaction(), tenant, project_id)
    await notify(_("Project archived. To change its tasks, unarchive it first."))
    return _to_project(tenant, project_id)


@blueprint.post("/<uuid:project_id>/unarchive")
@requires(Permission.PROJECTS_WRITE)
async def unarchive_project(tenant: Tenant, project_id: uuid.UUID) -> ResponseReturnValue:
    """Make the project active again."""
    await changes.unarchive_project(transaction(), tenant, project_id)
    await notify(_("Project unarchived."))
    return _to_project(tenant, project_id)


@blueprint.get("/<uuid:project_id>/delete")
@requires(Permission.PROJECTS_DELETE)
async def confirm_delete_project(tenant: Tenant, project_id: uuid.UUID) -> ResponseReturnValue:
    """Ask for confirmation."""
    project = await service.get_project(database(), tenant, project_id)
    return render("projects/delete.html", project=project)


@blueprint.post("/<uuid:project_id>/delete")
@requires(Permission.PROJECTS_DELETE)
async def delete_project(tenant: Tenant, project_id: uuid.UUID) -> ResponseReturnValue:
    """Delete the project and its tasks."""
    project = await service.get_project(database(), tenant, project_id)
    await changes.delete_project(transaction(), tenant, project_id)
    await notify(_("“%(name)s” was deleted.", name=isolated(project.name)))
    return redirect(url_for("projects.list_projects", organization_id=tenant.organization_id), 303)


@blueprint.get("/export.csv")
@requires(Permission.PROJECTS_EXPORT)
@only_deliberately
async def export_projects(tenant: Tenant) -> ResponseReturnValue:
    """Send every project with its tasks, while they are read. The audit log records the export first."""
    async with open_writing(tenant) as db:
        changes.record_export(db, tenant)
    return csv_export(tenant, "projects", lambda db: project_chunks(service.export_rows(db)))


@blueprint.errorhandler(ProjectConflict)
async def choose_side(error: ProjectConflict) -> ResponseReturnValue:
    """Show both versions after a conflict, and let the caller choose the one to keep."""
    page = render(
        "projects/conflict.html",
        title=error.theirs.name,
        back=url_for("projects.tasks.show_project", **request.view_args or {}),
        action=url_for("projects.save_project", **request.view_args or {}),
        version=error.theirs.version,
        fields=project_fields(error.theirs, error.yours),
        last=await find_last_save(str(error.theirs.id)),
    )
    return page, error.status


def _to_project(tenant: Tenant, project_id: uuid.UUID) -> ResponseReturnValue:
    return redirect(
        url_for("projects.tasks.show_project", organization_id=tenant.organization_id, project_id=project_id),
        303,
    )

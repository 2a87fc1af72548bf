"""Routes of the JSON API for projects. :mod:`saas_app.projects.api.tasks` has the tasks."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime
from typing import Annotated, TypeAlias

from pydantic import Field
from quart import Blueprint, Response, url_for
from quart_schema import tag

from saas_app.identity.tenant import Tenant
from saas_app.projects import changes, service
from saas_app.projects.api.tasks import blueprint as tasks
from saas_app.projects.cursors import project_page, read_project_place
from saas_app.projects.forms import DESCRIPTION_LENGTH, NAME_LENGTH
from saas_app.projects.values import (
    ProjectDetail,
    ProjectFilter,
    ProjectInput,
    ProjectSort,
    ProjectStatus,
    StatusFilter,
)
from saas_app.rbac.permissions import Permission
from saas_app.web.context import database, transaction
from saas_app.web.guards import requires
from saas_app.web.json_api import (
    ApiModel,
    ApiResponse,
    Line,
    ListQuery,
    Search,
    Text,
    accepts_if_match,
    answers,
    etag,
    list_response,
    matches,
    repeatable,
    require_match,
    requires_if_match,
    sends,
    unchanged,
    validate_querystring,
    validate_request,
    validate_response,
)

blueprint = Blueprint("projects_api", __name__, url_prefix="/api/v1/organizations/<organization_id>/projects")
blueprint.register_blueprint(tasks)


Name: TypeAlias = Annotated[str, Line(NAME_LENGTH)]
Description: TypeAlias = Annotated[str, Text(DESCRIPTION_LENGTH)]


class ProjectQuery(ListQuery):
    """The filter and the sort order of the list."""

    search: Annotated[str, Search(NAME_LENGTH)] = Field(
        "", description="Part of the name, in upper or lower case, with or without accents"
    )
    status: StatusFilter = StatusFilter.ACTIVE
    sort: ProjectSort = ProjectSort.UPDATED


class NewProject(ApiModel):
    """A new project."""

    name: Name
    description: Description = ""


class ProjectChanges(ApiModel):
    """The fields to change. Omitted fields stay the same."""

    name: Name = unchanged()
    description: Description = unchanged()


class ProjectSummaryView(ApiModel):
    """A project in a list. `excerpt` is the beginning of the description."""

    id: uuid.UUID
    name: str
    excerpt: str
    status: ProjectStatus
    updated_at: datetime
    open_tasks: int
    done_tasks: int


class ProjectList(ApiModel):
    """A page of projects."""

    items: list[ProjectSummaryView]
    next_cursor: str | None


class ProjectView(ApiModel):
    """A project. `version` is the value in the `ETag`."""

    id: uuid.UUID
    name: str
    description: str
    status: ProjectStatus
    created_by: str
    created_at: datetime
    updated_at: datetime
    version: int
    open_tasks: int
    done_tasks: int


@blueprint.get("")
@requires(Permission.PROJECTS_READ)
@tag(["projects"])
@validate_querystring(ProjectQuery)
@validate_response(ProjectList)
async def list_projects(tenant: Tenant, query_args: ProjectQuery) -> ApiResponse:
    """List projects.

    Returns one page, sorted and filtered.
    """
    wanted = ProjectFilter(query_args.search, query_args.status, query_args.sort)
    place = read_project_place(query_args.cursor, wanted.sort)
    portion = await service.page_projects(database(), wanted, place, query_args.limit)
    page = project_page(portion, query_args.cursor)
    return list_response(ProjectList.of(page), page.next_cursor)


@blueprint.post("")
@requires(Permission.PROJECTS_WRITE)
@tag(["projects"])
@sends("ETag", "Location")
@repeatable
@validate_request(NewProject)
@validate_response(ProjectView, 201)
async def create_project(tenant: Tenant, data: NewProject) -> ApiResponse:
    """Create a project."""
    form = ProjectInput(data.name, data.description)
    project = await _get(tenant, await changes.create_project(transaction(), tenant, form))
    return ProjectView.of(project), 201, {**etag(project.version), "Location": _address(tenant, project.id)}


@blueprint.get("/<uuid:project_id>")
@requires(Permission.PROJECTS_READ)
@tag(["projects"])
@sends("ETag")
@validate_response(ProjectView)
async def get_project(tenant: Tenant, project_id: uuid.UUID) -> ApiResponse:
    """Read a project."""
    return await _answer(tenant, project_id)


@blueprint.patch("/<uuid:project_id>")
@requires(Permission.PROJECTS_WRITE)
@tag(["projects"])
@requires_if_match
@validate_request(ProjectChanges)
@validate_response(ProjectView)
async def change_project(tenant: Tenant, project_id: uuid.UUID, data: ProjectChanges) -> ApiResponse:
    """Update a project."""
    current = await _get(tenant, project_id)
    require_match(etag(current.version))
    form = replace(ProjectInput(current.name, current.description), **data.model_dump(exclude_unset=True))
    await changes.edit_project(transaction(), tenant, project_id, current.version, form)
    return await _answer(tenant, project_id)


@blueprint.post("/<uuid:project_id>/archive")
@requires(Permission.PROJECTS_WRITE)
@tag(["projects"])
@sends("ETag")
@accepts_if_match
@validate_response(ProjectView)
async def archive_project(tenant: Tenant, project_id: uuid.UUID) -> ApiResponse:
    """Archive a project. Its tasks can no longer be changed."""
    version = await _version_to_change(tenant, project_id)
    await changes.archive_project(transaction(), tenant, project_id, version)
    return await _answer(tenant, project_id)


@blueprint.post("/<uuid:project_id>/unarchive")
@requires(Permission.PROJECTS_WRITE)
@tag(["projects"])
@sends("ETag")
@accepts_if_match
@validate_response(ProjectView)
async def unarchive_project(tenant: Tenant, project_id: uuid.UUID) -> ApiResponse:
    """Unarchive a project."""
    version = await _version_to_change(tenant, project_id)
    await changes.unarchive_project(transaction(), tenant, project_id, version)
    return await _answer(tenant, project_id)


@blueprint.delete("/<uuid:project_id>")
@requires(Permission.PROJECTS_DELETE)
@tag(["projects"])
@answers(204)
@accepts_if_match
async def delete_project(tenant: Tenant, project_id: uuid.UUID) -> ApiResponse:
    """Delete a project and its tasks."""
    version = await _version_to_change(tenant, project_id)
    await changes.delete_project(transaction(), tenant, project_id, version)
    return Response(status=204)


async def _get(tenant: Tenant, project_id: uuid.UUID) -> ProjectDetail:
    return await service.get_project(database(), tenant, project_id)


async def _answer(tenant: Tenant, project_id: uuid.UUID) -> ApiResponse:
    project = await _get(tenant, project_id)
    return ProjectView.of(project), 200, etag(project.version)


async def _version_to_change(tenant: Tenant, project_id: uuid.UUID) -> int | None:
    """Return the project's version if ``If-Match`` names it, or None without the header."""
    current = await _get(tenant, project_id)
    return current.version if matches(etag(current.version)) else None


def _address(tenant: Tenant, project_id: uuid.UUID) -> str:
    return url_for("projects_api.get_project", organization_id=tenant.organization_id, project_id=project_id)

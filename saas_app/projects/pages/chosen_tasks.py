"""Actions on several tasks, chosen on the page of their project."""

from __future__ import annotations

import uuid

from quart import Blueprint, url_for
from quart.typing import ResponseReturnValue

from saas_app.audit.last_saves import find_last_saves
from saas_app.identity.tenant import Tenant
from saas_app.projects import chosen_changes, service
from saas_app.rbac.permissions import Permission
from saas_app.text.translation import _, ngettext
from saas_app.web import bulk
from saas_app.web.context import database, transaction
from saas_app.web.guards import requires

blueprint = Blueprint("chosen", __name__, url_prefix="/tasks/bulk")


@blueprint.post("/done")
@requires(Permission.PROJECTS_WRITE, for_support=False)
async def complete_tasks(tenant: Tenant, project_id: uuid.UUID) -> ResponseReturnValue:
    """Mark the chosen tasks as done."""
    await service.get_project(database(), tenant, project_id)
    chosen = await bulk.read_versions()
    results = await chosen_changes.complete_tasks(transaction(), tenant, project_id, chosen)
    done = ngettext("%(num)s task marked as done.", "%(num)s tasks marked as done.", len(results))
    last = await find_last_saves(transaction(), tenant, results)
    return await bulk.report(_("Mark tasks as done"), done, results, await _back(tenant, project_id), last)


@blueprint.post("/delete")
@requires(Permission.PROJECTS_WRITE, for_support=False)
async def delete_tasks(tenant: Tenant, project_id: uuid.UUID) -> ResponseReturnValue:
    """Ask for confirmation, then delete the chosen tasks."""
    await service.get_project(database(), tenant, project_id)
    chosen, back = await bulk.read_versions(), await _back(tenant, project_id)
    if not await bulk.is_confirmed():
        names = await service.list_task_titles(database(), project_id, chosen)
        return await bulk.ask(
            ngettext("Delete %(num)s task?", "Delete %(num)s tasks?", len(names)),
            _("This cannot be undone. To keep a record of tasks, mark them as done instead."),
            ngettext("Delete %(num)s task", "Delete %(num)s tasks", len(names)),
            names,
            back,
        )
    results = await chosen_changes.delete_tasks(transaction(), tenant, project_id, chosen)
    done = ngettext("%(num)s task deleted.", "%(num)s tasks deleted.", len(results))
    last = await find_last_saves(transaction(), tenant, results)
    return await bulk.report(_("Delete tasks"), done, results, back, last)


async def _back(tenant: Tenant, project_id: uuid.UUID) -> str:
    root = url_for(
        "projects.tasks.show_project", organization_id=tenant.organization_id, project_id=project_id
    )
    return await bulk.back_to(root)

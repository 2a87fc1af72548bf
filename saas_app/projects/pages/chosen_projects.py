"""Actions on several projects, chosen on the list."""

from __future__ import annotations

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

blueprint = Blueprint("chosen", __name__, url_prefix="/bulk")


@blueprint.post("/archive")
@requires(Permission.PROJECTS_WRITE, for_support=False)
async def archive_projects(tenant: Tenant) -> ResponseReturnValue:
    """Archive the chosen projects."""
    chosen = await bulk.read_versions()
    results = await chosen_changes.archive_projects(transaction(), tenant, chosen)
    done = ngettext("%(num)s project archived.", "%(num)s projects archived.", len(results))
    last = await find_last_saves(transaction(), tenant, results)
    return await bulk.report(_("Archive projects"), done, results, await _back(tenant), last)


@blueprint.post("/unarchive")
@requires(Permission.PROJECTS_WRITE, for_support=False)
async def unarchive_projects(tenant: Tenant) -> ResponseReturnValue:
    """Make the chosen projects active again."""
    chosen = await bulk.read_versions()
    results = await chosen_changes.unarchive_projects(transaction(), tenant, chosen)
    done = ngettext("%(num)s project unarchived.", "%(num)s projects unarchived.", len(results))
    last = await find_last_saves(transaction(), tenant, results)
    return await bulk.report(_("Unarchive projects"), done, results, await _back(tenant), last)


@blueprint.post("/delete")
@requires(Permission.PROJECTS_DELETE)
async def delete_projects(tenant: Tenant) -> ResponseReturnValue:
    """Ask for confirmation, then delete the chosen projects with their tasks."""
    chosen, back = await bulk.read_versions(), await _back(tenant)
    if not await bulk.is_confirmed():
        names = await service.list_project_names(database(), chosen)
        return await bulk.ask(
            ngettext("Delete %(num)s project?", "Delete %(num)s projects?", len(names)),
            _("Their tasks are deleted too. This cannot be undone."),
            ngettext("Delete %(num)s project", "Delete %(num)s projects", len(names)),
            names,
            back,
        )
    results = await chosen_changes.delete_projects(transaction(), tenant, chosen)
    done = ngettext("%(num)s project deleted.", "%(num)s projects deleted.", len(results))
    last = await find_last_saves(transaction(), tenant, results)
    return await bulk.report(_("Delete projects"), done, results, back, last)


async def _back(tenant: Tenant) -> str:
    return await bulk.back_to(url_for("projects.list_projects", organization_id=tenant.organization_id))

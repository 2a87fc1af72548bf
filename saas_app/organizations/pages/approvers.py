"""The part of an organization's settings for people who ask for access."""

from __future__ import annotations

from quart import request
from quart.typing import ResponseReturnValue

from saas_app.access_requests.changes import name_approvers
from saas_app.identity.tenant import Tenant
from saas_app.organizations.pages.settings import back_to_settings, blueprint
from saas_app.rbac.permissions import Permission
from saas_app.text.translation import _
from saas_app.web.context import organization_change
from saas_app.web.guards import requires

__all__ = ["blueprint"]


@blueprint.post("/approvers")
@requires(Permission.ORGANIZATION_UPDATE)
async def save_approvers(tenant: Tenant) -> ResponseReturnValue:
    """Choose whether people who ask for access see the names of those who can approve it."""
    wanted = (await request.form).get("names") == "yes"
    await name_approvers(organization_change(tenant), wanted)
    return await back_to_settings(
        tenant,
        _("People who ask for access now see who can approve it.")
        if wanted
        else _("People who ask for access no longer see who can approve it."),
    )

"""The part of an organization's settings for its logo and its color."""

from __future__ import annotations

from quart import request
from quart.typing import ResponseReturnValue

from saas_app.identity.tenant import Tenant
from saas_app.organizations import service
from saas_app.organizations.changes import settings as changes
from saas_app.organizations.forms import BrandingForm
from saas_app.organizations.pages.settings import back_to_settings, blueprint, show_page
from saas_app.rbac.permissions import Permission
from saas_app.text.translation import _
from saas_app.web.context import organization_change
from saas_app.web.guards import requires

__all__ = ["blueprint"]


@blueprint.post("/branding")
@requires(Permission.ORGANIZATION_UPDATE)
async def save_branding(tenant: Tenant) -> ResponseReturnValue:
    """Save the logo and the color. :mod:`.conflicts` handles a conflict."""
    fields = await request.form
    form, seen, change = BrandingForm(fields), fields.get("seen", ""), organization_change(tenant)
    if not form.validate():
        current = await service.read_settings(change)
        return await show_page(tenant, current, branding=form, branding_seen=seen), 422
    await changes.save_branding(change, seen, form.as_branding())
    return await back_to_settings(tenant, _("Branding saved."))

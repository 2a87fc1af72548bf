"""Actions on several invitations, chosen on the list."""

from __future__ import annotations

from quart import Blueprint, url_for
from quart.typing import ResponseReturnValue

from saas_app.identity.tenant import Tenant
from saas_app.invitations import service
from saas_app.invitations.changes import chosen
from saas_app.rbac.permissions import Permission
from saas_app.text.translation import _, ngettext
from saas_app.web import bulk
from saas_app.web.context import management, organization_change, runtime
from saas_app.web.guards import requires

blueprint = Blueprint("chosen", __name__, url_prefix="/bulk")

_MOST = 20  # what the list shows on a page; Logto is asked about each


@blueprint.post("/resend")
@requires(Permission.MEMBERS_INVITE)
async def resend_invitations(tenant: Tenant) -> ResponseReturnValue:
    """Email the chosen invitations again."""
    rows = await bulk.read_rows(_MOST)
    results = await chosen.resend_all(organization_change(tenant), rows, runtime().invitation_links)
    done = ngettext("%(num)s invitation resent.", "%(num)s invitations resent.", len(results))
    return await bulk.report(_("Resend invitations"), done, results, await _back(tenant))


@blueprint.post("/revoke")
@requires(Permission.MEMBERS_INVITE)
async def revoke_invitations(tenant: Tenant) -> ResponseReturnValue:
    """Ask for confirmation, then revoke the chosen invitations."""
    rows, back = await bulk.read_rows(_MOST), await _back(tenant)
    if not await bulk.is_confirmed():
        known = await service.list_invitees(management(), tenant)
        invitees = [known[row.id] for row in rows if row.id in known]
        return await bulk.ask(
            ngettext("Revoke %(num)s invitation?", "Revoke %(num)s invitations?", len(invitees)),
            _("Their links will no longer work. You can invite these people again at any time."),
            ngettext("Revoke %(num)s invitation", "Revoke %(num)s invitations", len(invitees)),
            invitees,
            back,
        )
    results = await chosen.revoke_all(organization_change(tenant), rows)
    done = ngettext("%(num)s invitation revoked.", "%(num)s invitations revoked.", len(results))
    return await bulk.report(_("Revoke invitations"), done, results, back)


async def _back(tenant: Tenant) -> str:
    return await bulk.back_to(url_for("invitations.list_invitations", organization_id=tenant.organization_id))

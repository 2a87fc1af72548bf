"""Pages to list, send, resend and revoke invitations. :mod:`.acceptance` has the pages for invited people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from quart import Blueprint, redirect, request, url_for
from quart.typing import ResponseReturnValue

from saas_app.errors import AppError, AssignmentDenied, SignInRequired
from saas_app.identity.tenant import Tenant
from saas_app.invitations import service
from saas_app.invitations.changes import pending
from saas_app.invitations.changes.inviting import invite
from saas_app.invitations.forms import MAX_ADDRESSES, InviteForm, read_state
from saas_app.invitations.outcomes import Outcome, OutcomeKind
from saas_app.invitations.pages.chosen import blueprint as chosen
from saas_app.invitations.values import InvitationNotFound, InvitationSettled, InvitationState, NotSent
from saas_app.members.roles import role_options
from saas_app.rbac.permissions import Permission
from saas_app.text.translation import Sentence, _, ngettext
from saas_app.text.visible import isolated
from saas_app.web.context import current_tenant, database, management, organization_change, runtime
from saas_app.web.guards import requires
from saas_app.web.limits import retry_after
from saas_app.web.notices import notify
from saas_app.web.pagination import decode_cursor, encode_cursor, page_of
from saas_app.web.templating import render

blueprint = Blueprint("invitations", __name__, url_prefix="/o/<organization_id>/invitations")
blueprint.register_blueprint(chosen)

_PAGE_SIZE = 20
_TEXT_LENGTH = 128


@blueprint.get("")
@requires(Permission.MEMBERS_INVITE)
async def list_invitations(tenant: Tenant) -> ResponseReturnValue:
    """List the invitations in one state."""
    state = read_state(request.args.get("state"))
    after = decode_cursor(request.args.get("after"), datetime, str)
    found = await service.list_invitations(database(), management(), tenant, state, _app_url())
    rows = service.rows_after(found.rows, (after[0], after[1]) if after else None, _PAGE_SIZE + 1)
    return render(
        "invitations/list.html",
        page=page_of(rows, _PAGE_SIZE, lambda row: encode_cursor(*row.key), after=after),
        state=state,
        states=InvitationState,
        counts=found.counts,
        max_shown=service.MAX_SHOWN if found.is_cut else None,
    )


@blueprint.get("/new")
@requires(Permission.MEMBERS_INVITE, complete=True)
async def new_invitation(tenant: Tenant) -> ResponseReturnValue:
    """Show the form. ``address`` in the query fills it in, to invite somebody again."""
    typed = request.args.get("address", "")[:_TEXT_LENGTH]
    management()
    return _show_form(tenant, InviteForm(data={"addresses": typed}))


@blueprint.post("/new")
@requires(Permission.MEMBERS_INVITE, complete=True)
async def create_invitations(tenant: Tenant) -> ResponseReturnValue:
    """Invite every address. Unless all emails were sent, show the outcome of each."""
    form = InviteForm(await request.form)
    if not form.validate():
        return _show_form(tenant, form), 422
    wanted = form.as_input()
    outcomes = await invite(organization_change(tenant), wanted, runtime().invitation_links)
    runtime().waiting_invitations.forget_none(wanted.addresses)
    if all(outcome.kind is OutcomeKind.SENT for outcome in outcomes):
        await notify(_sent_to(outcomes))
        return redirect(url_for("invitations.list_invitations", organization_id=tenant.organization_id), 303)
    open_ones = [outcome for outcome in outcomes if outcome.is_open]
    refusal = next((outcome.error for outcome in open_ones if outcome.error), None)
    if isinstance(refusal, SignInRequired):
        raise refusal
    form.addresses.data = "\n".join(outcome.address for outcome in open_ones)
    status = refusal.status if refusal else 422 if open_ones else 200
    return _show_form(tenant, form, outcomes), status, retry_after(refusal)


@blueprint.post("/<invitation_id>/resend")
@requires(Permission.MEMBERS_INVITE)
async def resend(tenant: Tenant, invitation_id: str) -> ResponseReturnValue:
    """Email the invitation again."""
    sent = await pending.resend(organization_change(tenant), invitation_id, runtime().invitation_links)
    await notify(_("Invitation resent to %(address)s.", address=isolated(sent.invitee)))
    return redirect(url_for("invitations.list_invitations", organization_id=tenant.organization_id), 303)


@blueprint.get("/<invitation_id>/revoke")
@requires(Permission.MEMBERS_INVITE)
async def confirm_revoke(tenant: Tenant, invitation_id: str) -> ResponseReturnValue:
    """Ask for confirmation."""
    invitation = await service.get_pending(management(), tenant, invitation_id)
    return render("invitations/revoke.html", invitation=invitation)


@blueprint.post("/<invitation_id>/revoke")
@requires(Permission.MEMBERS_INVITE)
async def revoke(tenant: Tenant, invitation_id: str) -> ResponseReturnValue:
    """Revoke the invitation."""
    revoked = await pending.revoke(organization_change(tenant), invitation_id)
    await notify(
        _(
            "Invitation for %(address)s revoked. The link no longer works.",
            address=isolated(revoked.invitee),
        )
    )
    return redirect(url_for("invitations.list_invitations", organization_id=tenant.organization_id), 303)


@blueprint.errorhandler(AssignmentDenied)
async def denied(error: AssignmentDenied) -> Any:
    """Show why the role cannot be assigned, above the form with everything that was typed."""
    form = InviteForm(await request.form)
    return _show_form(cast("Tenant", current_tenant()), form, denied=error), error.status


@blueprint.errorhandler(InvitationSettled)
@blueprint.errorhandler(NotSent)
@blueprint.errorhandler(InvitationNotFound)
async def refused(error: AppError) -> ResponseReturnValue:
    """Show why the change was not made, with a link to the invitations."""
    return render("invitations/refused.html", error=error), error.status


def _show_form(
    tenant: Tenant,
    form: InviteForm,
    outcomes: Sequence[Outcome] = (),
    denied: AssignmentDenied | None = None,
) -> str:
    return render(
        "invitations/new.html",
        form=form,
        options=role_options(frozenset(), tenant.lasting),
        outcomes=outcomes,
        denied=denied,
        kinds=OutcomeKind,
        max_addresses=MAX_ADDRESSES,
    )


def _sent_to(outcomes: Sequence[Outcome]) -> Sentence:
    if len(outcomes) == 1:
        return _("Invitation sent to %(address)s.", address=isolated(outcomes[0].address))
    return ngettext("%(num)s invitation sent.", "%(num)s invitations sent.", len(outcomes))


def _app_url() -> str:
    return runtime().settings.app_url

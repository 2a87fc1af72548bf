"""The page of a person's notifications."""

from __future__ import annotations

import uuid

from quart import Blueprint, redirect, request, url_for
from quart.typing import ResponseReturnValue

from saas_app.errors import BadRequest, NotFound
from saas_app.identity.preferences import NO_EMAILS, Preferences
from saas_app.identity.principal import Principal
from saas_app.notifications import changes, service
from saas_app.text.translation import _
from saas_app.web.context import runtime
from saas_app.web.guards import public, public_webhook, signed_in
from saas_app.web.limits import counts_as_change, limited_by_address
from saas_app.web.notices import notify
from saas_app.web.pagination import decode_cursor, encode_cursor, page_of
from saas_app.web.templating import render

blueprint = Blueprint("notifications", __name__, url_prefix="/notifications")

_PAGE_SIZE = 20


@blueprint.get("")
@signed_in
async def list_notifications(principal: Principal) -> ResponseReturnValue:
    """List the caller's notifications, the newest first."""
    after = decode_cursor(request.args.get("after"), uuid.UUID)
    before = after[0] if after else None
    rows = await service.list_notifications(runtime().work, principal, before, _PAGE_SIZE + 1)
    page = page_of(rows, _PAGE_SIZE, lambda row: encode_cursor(row.id), after=after)
    return render("notifications/list.html", page=page)


@blueprint.post("/<uuid:notification_id>/open")
@signed_in
@counts_as_change
async def open_notification(principal: Principal, notification_id: uuid.UUID) -> ResponseReturnValue:
    """Mark a notification as read, and show what it tells about."""
    found = await changes.open_notification(runtime().work, principal.subject, notification_id)
    return redirect(found.lead.path if found.lead else url_for("notifications.list_notifications"), 303)


@blueprint.post("/read")
@signed_in
@counts_as_change
async def mark_all_read(principal: Principal) -> ResponseReturnValue:
    """Mark the notifications on the page, and older ones, as read. Those that came since stay unread."""
    await changes.mark_all_read(runtime().work, principal.subject, await _read_newest())
    await notify(_("All notifications are marked as read."))
    return redirect(url_for("notifications.list_notifications"), 303)


@blueprint.get("/unsubscribe")
@limited_by_address
@public
async def confirm_unsubscribing() -> ResponseReturnValue:
    """Ask whether to end the emails. Opening the link changes nothing, because programs open links too."""
    _read_person()
    return render("notifications/unsubscribe.html", is_done=False)


@blueprint.post("/unsubscribe")
@limited_by_address
@public_webhook
async def unsubscribe() -> ResponseReturnValue:
    """End the emails of the person whom the link proves, for them or their mail program (RFC 8058)."""
    await runtime().preferences.save(_read_person(), Preferences(email_language=NO_EMAILS))
    return render("notifications/unsubscribe.html", is_done=True)


def _read_person() -> str:
    person = runtime().email_links.read_person(request.args.get("proof", ""))
    if person is None:
        raise NotFound(
            _("The link is incomplete. Open it from the email again, or sign in and use the settings."),
            title=_("This link does not work"),
        )
    return person


async def _read_newest() -> uuid.UUID:
    try:
        return uuid.UUID((await request.form).get("newest", ""))
    except ValueError:
        raise BadRequest(
            _("The form does not say which notifications it was opened with. Reload the page and try again.")
        ) from None

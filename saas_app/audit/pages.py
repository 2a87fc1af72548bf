"""Pages of the audit log: the list, an entry with its details, and the export."""

from __future__ import annotations

import uuid
from typing import Final

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from saas_app.audit import changes, service
from saas_app.audit.export import event_chunks
from saas_app.audit.forms import EventFilterForm
from saas_app.audit.recorder import Action
from saas_app.audit.sentences import sentence_of, sentence_with_marks
from saas_app.audit.values import EventFilter, EventRow
from saas_app.audit.words import target_label
from saas_app.errors import Invalid
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Permission
from saas_app.web.context import database, open_writing
from saas_app.web.csv_stream import csv_export
from saas_app.web.guards import requires
from saas_app.web.pagination import Page, decode_cursor, encode_cursor
from saas_app.web.prefetches import only_deliberately
from saas_app.web.reader import current_reader
from saas_app.web.templating import render

blueprint = Blueprint("audit", __name__, url_prefix="/o/<organization_id>/audit")

_PAGE_SIZE = 50
_NOTHING: Page[EventRow] = Page(())
_LABELS: Final = {action.value: action.label for action in Action}


@blueprint.get("")
@requires(Permission.AUDIT_READ)
async def list_events(tenant: Tenant) -> ResponseReturnValue:
    """List the events that match the filter."""
    form = EventFilterForm(request.args)
    is_valid, page = form.validate(), _NOTHING
    if is_valid:
        page = await _read_page(form.as_filter())
    reader = current_reader()
    html = render(
        "audit/list.html",
        page=page,
        form=form,
        sentence=sentence_with_marks,
        reason_of=service.reason_of,
        zone=str(reader.zone),
        has_zone=reader.has_zone,
    )
    return html, 200 if is_valid else 422


async def _read_page(wanted: EventFilter) -> Page[EventRow]:
    decoded = decode_cursor(request.args.get("after"), uuid.UUID)
    before = None if decoded is None else decoded[0]
    found = await service.page_events(database(), wanted, before=before, size=_PAGE_SIZE)
    further = None if found.further is None else encode_cursor(found.further)
    return Page(tuple(found.rows), further, is_first=before is None)


@blueprint.get("/<uuid:event_id>")
@requires(Permission.AUDIT_READ)
async def show_event(tenant: Tenant, event_id: uuid.UUID) -> ResponseReturnValue:
    """Show an entry with its details. The query is the list's filter, for the way back to it.

    Our script loads this page when an entry of the list is opened, and shows the details there.
    """
    event = await service.get_event(database(), tenant, event_id)
    return render(
        "audit/event.html",
        event=event,
        sentence=sentence_of(event.row),
        labels=_LABELS,
        target_kind=target_label(event.row.target_type),
    )


@blueprint.get("/export.csv")
@requires(Permission.AUDIT_READ, for_support=False)
@only_deliberately
async def export_events(tenant: Tenant) -> ResponseReturnValue:
    """Stream all events that match the filter as a file. The export is an event too."""
    form = EventFilterForm(request.args)
    if not form.validate():
        raise Invalid(fields={field.name: field.errors[0] for field in form if field.errors})
    wanted = form.as_filter()
    async with open_writing(tenant) as db:
        changes.record_export(db, tenant)
    return csv_export(tenant, "audit", lambda db: event_chunks(service.export_rows(db, tenant, wanted)))

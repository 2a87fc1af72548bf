"""Pages of the audit log: the list, and the export."""

from __future__ import annotations

import uuid

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from saas_app.audit import changes, service
from saas_app.audit.export import event_chunks
from saas_app.audit.forms import EventFilterForm
from saas_app.audit.recorder import Action
from saas_app.audit.values import Event, EventFilter
from saas_app.errors import Invalid
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Permission
from saas_app.web.context import database, open_writing
from saas_app.web.csv_stream import csv_export
from saas_app.web.guards import requires
from saas_app.web.pagination import Page, decode_cursor, encode_cursor, page_of
from saas_app.web.prefetches import only_deliberately
from saas_app.web.templating import render

blueprint = Blueprint("audit", __name__, url_prefix="/o/<organization_id>/audit")

_PAGE_SIZE = 50
_NOTHING: Page[Event] = Page(())


@blueprint.get("")
@requires(Permission.AUDIT_READ)
async def list_events(tenant: Tenant) -> ResponseReturnValue:
    """List the events that match the filter, in one statement."""
    form = EventFilterForm(request.args)
    is_valid, page = form.validate(), _NOTHING
    if is_valid:
        page = await _read_page(tenant, form.as_filter())
    html = render(
        "audit/list.html", page=page, form=form, labels={action.value: action.label for action in Action}
    )
    return html, 200 if is_valid else 422


async def _read_page(tenant: Tenant, wanted: EventFilter) -> Page[Event]:
    decoded = decode_cursor(request.args.get("after"), uuid.UUID)
    before = None if decoded is None else decoded[0]
    events = await service.list_events(database(), tenant, wanted, before=before, limit=_PAGE_SIZE + 1)
    return page_of(events, _PAGE_SIZE, lambda event: encode_cursor(event.row.id), after=before)


@blueprint.get("/export.csv")
@requires(Permission.AUDIT_READ)
@only_deliberately
async def export_events(tenant: Tenant) -> ResponseReturnValue:
    """Stream all events that match the filter as a file. The export is an event too."""
    form = EventFilterForm(request.args)
    if not form.validate():
        raise Invalid(
            fields={name: " ".join(map(str, errors)) for name, errors in form.errors.items() if name}
        )
    wanted = form.as_filter()
    async with open_writing(tenant) as db:
        changes.record_export(db, tenant)
    return csv_export(tenant, "audit", lambda db: event_chunks(service.export_rows(db, tenant, wanted)))

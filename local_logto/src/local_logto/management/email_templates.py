"""``/email-templates``: the tenant's own templates by language and usage, which override a connector's."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from quart import Blueprint, Response, request
from sqlalchemy.dialects.sqlite import insert

from local_logto.connectors.custom_templates import email_templates
from local_logto.connectors.templates import USAGES
from local_logto.context import current_store
from local_logto.management.entities import TENANT, Entity
from local_logto.management.families import Entities
from local_logto.management.guard import read_body
from local_logto.management.rows import camel, get_row, to_columns, update_row
from local_logto.refusals import refusal
from local_logto.responses import json_response
from local_logto.store import new_id, now_ms
from local_logto.values import Choice, ListOf, Shape, Text

_DETAILS: Final = Shape(
    {"subject": Text(), "content": Text()},
    {"contentType": Choice(("text/html", "text/plain")), "replyTo": Text(), "sendFrom": Text()},
)
_TEMPLATE: Final = Shape(
    {"languageTag": Text(min=1, max=16), "templateType": Choice(USAGES), "details": _DETAILS}
)
_TEMPLATES: Final = Shape({"templates": ListOf(_TEMPLATE, min=1)})
_FILTERS: Final = ("languageTag", "templateType")

_c = email_templates.c

blueprint = Blueprint("email_templates", __name__, url_prefix="/email-templates")


def _shown(row: sa.RowMapping) -> Entity:
    return TENANT | {camel(name): value for name, value in row.items()}


Entities(email_templates, _shown, get_before_delete=get_row).serve(blueprint, "read", "delete")


@blueprint.put("")
async def put_templates() -> Response:
    """Store templates. One with the same language and usage gets the new details and keeps its ID."""
    body = await read_body(_TEMPLATES)
    shown = []
    with current_store().begin() as connection:
        for template in body["templates"]:
            row = insert(email_templates).values(id=new_id(), created_at=now_ms(), **to_columns(template))
            stored = row.on_conflict_do_update(
                index_elements=["language_tag", "template_type"], set_={"details": template["details"]}
            ).returning(*_c)
            shown.append(_shown(connection.execute(stored).mappings().one()))
    return json_response(shown)


@blueprint.get("")
async def list_templates() -> Response:
    """List all templates, or those of one language or usage."""
    query = sa.select(email_templates).where(*_wanted()).order_by(_c.language_tag, _c.template_type)
    with current_store().begin() as connection:
        rows = connection.execute(query).mappings().all()
    return json_response([_shown(row) for row in rows])


@blueprint.delete("")
async def delete_templates() -> Response:
    """Delete the templates of one language or usage. Raises 422 if neither is given."""
    wanted = _wanted()
    if not wanted:
        raise refusal("connector.email_connector.bulk_deletion_no_filter")
    with current_store().begin() as connection:
        deleted = connection.execute(sa.delete(email_templates).where(*wanted))
    return json_response({"rowCount": deleted.rowcount})


@blueprint.patch("/<template_id>/details")
async def change_template(template_id: str) -> Response:
    """Change the given details."""
    changes = await read_body(_DETAILS.partial())
    with current_store().begin() as connection:
        row = get_row(connection, email_templates, template_id)
        details = {**row["details"], **changes}
        changed = update_row(connection, email_templates, {"details": details}, _c.id == template_id)
    return json_response(_shown(changed))


def _wanted() -> list[sa.ColumnElement[bool]]:
    columns: dict[str, Any] = {"languageTag": _c.language_tag, "templateType": _c.template_type}
    return [columns[name] == request.args[name] for name in _FILTERS if request.args.get(name)]

"""``/api/openapi.json``, and ``/api/docs`` for people: two pages, rendered from the same document."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from markupsafe import Markup
from quart import Blueprint, Quart, Response, current_app, request

from saas_app.text.languages import current_language
from saas_app.web.context import request_connection
from saas_app.web.guards import public_without_database
from saas_app.web.json_api.openapi import SCHEMA_PATH, build_schema
from saas_app.web.json_api.reference import SCHEMAS_PATH, read_reference
from saas_app.web.templating import render
from saas_app.web.visitors import find_reader

blueprint = Blueprint("api_docs", __name__)

DOCS_PATH: Final = "/api/docs"
_DOCUMENT: Final = "workroom_openapi"
_REFERENCES: Final = "workroom_api_references"


def schema_text(app: Quart) -> str:
    """Return the OpenAPI document, as it is served and stored in ``docs/openapi.json``."""
    return json.dumps(build_schema(app), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


@blueprint.get(SCHEMA_PATH)
@public_without_database
async def schema() -> Response:
    """Serve the document, or 304 to a client that has it already."""
    extensions = current_app.extensions
    if _DOCUMENT not in extensions:  # built once, because routes do not change while the application runs
        extensions[_DOCUMENT] = schema_text(current_app)
    text: str = extensions[_DOCUMENT]
    response = Response(text, content_type="application/json")
    response.headers["Cache-Control"] = "public, no-cache"
    response.set_etag(hashlib.sha256(text.encode()).hexdigest()[:32])
    await response.make_conditional(request)
    return response


@blueprint.get(DOCS_PATH)
@public_without_database
async def docs() -> str:
    """Show the operations, to read and to try, in the frame of the person who is signed in."""
    async with request_connection():
        await find_reader()
    return render("api_docs/show.html", schema_path=SCHEMA_PATH, reference=_reference("_reference.html"))


@blueprint.get(SCHEMAS_PATH)
@public_without_database
async def schemas() -> str:
    """Show what the operations share: errors, response headers and schemas."""
    async with request_connection():
        await find_reader()
    return render("api_docs/schemas.html", docs_path=DOCS_PATH, reference=_reference("_schemas.html"))


def _reference(template: str) -> Markup:
    """Return a part of the reference in the reader's language, rendered once per language."""
    references: dict[tuple[str, str], Markup] = current_app.extensions.setdefault(_REFERENCES, {})
    key = (template, current_language())
    if key not in references:
        reference = read_reference(build_schema(current_app))
        rendered = render(f"api_docs/{template}", reference=reference, schemas_path=SCHEMAS_PATH)
        references[key] = Markup(rendered)  # noqa: S704 - a template escaped it
    return references[key]

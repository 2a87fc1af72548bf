"""``/api/openapi.json``, and ``/api/docs`` with Swagger UI from its installed package."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from quart import Blueprint, Quart, Response, current_app, request

from saas_app.web.guards import public_without_database
from saas_app.web.json_api.openapi import SCHEMA_PATH, build_schema
from saas_app.web.templating import render

blueprint = Blueprint("api_docs", __name__)

DOCS_PATH: Final = "/api/docs"
_DOCUMENT: Final = "workroom_openapi"


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
    """Show the operations, to read and to try."""
    return render("api_docs/show.html", schema_path=SCHEMA_PATH)

"""Metadata of the protected resource (RFC 9728): its authorization server and its scopes."""

from __future__ import annotations

from quart import Blueprint, jsonify
from quart.typing import ResponseReturnValue

from saas_app.rbac.permissions import Permission
from saas_app.web.challenges import METADATA_PATH
from saas_app.web.context import runtime
from saas_app.web.guards import public_without_database

blueprint = Blueprint("resource_metadata", __name__)


@blueprint.get(METADATA_PATH)
@public_without_database
async def protected_resource() -> ResponseReturnValue:
    """Return the metadata document, to which ``WWW-Authenticate`` points."""
    settings = runtime().settings
    answer = jsonify(
        {
            "resource": settings.api_resource,
            "resource_name": "Workroom API",
            "authorization_servers": [f"{settings.logto_endpoint}/oidc"],
            "scopes_supported": [permission.value for permission in Permission],
            "bearer_methods_supported": ["header"],
            "resource_documentation": f"{settings.app_url}/api/docs",
        }
    )
    answer.headers["Cache-Control"] = "public, max-age=3600"
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer

"""An account's identities at enterprise providers, and all its identities."""

from __future__ import annotations

from quart import Blueprint, Response

from local_logto.connectors.enterprise import list_sso_identities
from local_logto.context import current_store
from local_logto.errors import RequestError
from local_logto.management import entities
from local_logto.management.entities import Entity
from local_logto.management.users import get_user_row
from local_logto.responses import json_response

blueprint = Blueprint("sso_identities", __name__, url_prefix="/users/<user_id>")


@blueprint.get("/sso-identities/<connector_id>")
async def get_sso_identity(user_id: str, connector_id: str) -> Response:
    """Return the identity that came through a connector."""
    with current_store().begin() as connection:
        get_user_row(connection, user_id)
        rows = list_sso_identities(connection, user_id)
    row = next((one for one in rows if one["sso_connector_id"] == connector_id), None)
    if row is None:
        raise RequestError(
            404,
            "user.enterprise_sso_identity_not_exists",
            "The user does not have an enterprise identity linked to the specified SSO connector ID: "
            f"{connector_id}.",
        )
    return json_response({"ssoIdentity": entities.sso_identity(row)})


@blueprint.get("/all-identities")
async def list_all_identities(user_id: str) -> Response:
    """List social and enterprise identities."""
    with current_store().begin() as connection:
        social: Entity = dict(get_user_row(connection, user_id)["identities"])
        rows = list_sso_identities(connection, user_id)
    return json_response(
        {
            "socialIdentities": [{"target": name, "identity": value} for name, value in social.items()],
            "ssoIdentities": [
                {"ssoConnectorId": row["sso_connector_id"], "ssoIdentity": entities.sso_identity(row)}
                for row in rows
            ],
        }
    )

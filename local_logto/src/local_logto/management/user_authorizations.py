"""``/users/:userId/sessions`` and ``…/grants``: where a person is signed in, and their grants to
applications.

Ending them sends no webhook and no back-channel logout.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from quart import Blueprint, Response

from local_logto.context import current_store
from local_logto.errors import RequestError
from local_logto.management.entities import Entity
from local_logto.management.guard import read_query
from local_logto.oidc.grants import find_grant, revoke_grant
from local_logto.oidc.session.op_sessions import SESSION_LIFETIME_MS, forget_grant
from local_logto.oidc.tables import grants, op_sessions
from local_logto.responses import json_response, no_content
from local_logto.store import now_ms
from local_logto.tables import applications
from local_logto.values import Choice, Shape

_GRANTS_TO_REVOKE: Final = Shape(optional={"revokeGrantsTarget": Choice(("all", "firstParty"))})
_APPLICATIONS: Final = Shape(optional={"appType": Choice(("firstParty", "thirdParty"))})

blueprint = Blueprint("user_authorizations", __name__, url_prefix="/users/<user_id>")


@blueprint.get("/sessions")
async def list_sessions(user_id: str) -> Response:
    """List the live browser sessions, the least recently used first. An unknown user has none."""
    query = sa.select(op_sessions).where(*_alive_of(user_id)).order_by(op_sessions.c.expires_at)
    with current_store().begin() as connection:
        rows = connection.execute(query).mappings().all()
    return json_response({"sessions": [_session(row) for row in rows]})


@blueprint.get("/sessions/<session_uid>")
async def get_session(user_id: str, session_uid: str) -> Response:
    with current_store().begin() as connection:
        row = _find_session(connection, session_uid, *_alive_of(user_id))
    if row is None:
        raise _session_not_found()
    return json_response(_session(row))


@blueprint.delete("/sessions/<session_uid>")
async def end_session(user_id: str, session_uid: str) -> Response:
    """Sign the browser out. ``revokeGrantsTarget`` also revokes its grants, including ``offline_access``.

    All applications here are first-party, so both targets mean the same.
    """
    target = read_query(_GRANTS_TO_REVOKE).get("revokeGrantsTarget")
    with current_store().begin() as connection:
        row = _find_session(connection, session_uid)
        if row is None:
            raise _session_not_found()
        if row["user_id"] != user_id:
            raise RequestError(404, "oidc.invalid_session_account_id", "Session accountId mismatch.")
        for authorization in row["authorizations"].values() if target else ():
            revoke_grant(connection, authorization.get("grant_id", ""))
        connection.execute(sa.delete(op_sessions).where(op_sessions.c.uid == session_uid))
    return no_content()


@blueprint.get("/grants")
async def list_grants(user_id: str) -> Response:
    """List the grants to applications, oldest first. None belongs to a third party."""
    is_of_third_parties = read_query(_APPLICATIONS).get("appType") == "thirdParty"
    query = (
        sa.select(grants, applications.c.name.label("application_name"))
        .join(applications, applications.c.id == grants.c.client_id)
        .where(grants.c.user_id == user_id, grants.c.expires_at > now_ms())
        .order_by(grants.c.created_at)
    )
    with current_store().begin() as connection:
        rows = connection.execute(query).mappings().all()
    return json_response({"grants": [] if is_of_third_parties else [_grant(row) for row in rows]})


@blueprint.delete("/grants/<grant_id>")
async def end_grant(user_id: str, grant_id: str) -> Response:
    """Revoke the grant with its tokens. Its browser session needs a new authorization."""
    with current_store().begin() as connection:
        grant = find_grant(connection, grant_id)
        if grant is None or grant.user_id != user_id:
            raise RequestError(404, "oidc.invalid_grant", "Grant request is invalid.")
        revoke_grant(connection, grant_id)
        forget_grant(connection, user_id, grant_id)
    return no_content()


def _alive_of(user_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return op_sessions.c.user_id == user_id, op_sessions.c.expires_at > now_ms()


def _find_session(
    connection: sa.Connection, uid: str, *conditions: sa.ColumnElement[bool]
) -> sa.RowMapping | None:
    query = sa.select(op_sessions).where(op_sessions.c.uid == uid, *conditions)
    return connection.execute(query).mappings().one_or_none()


def _session_not_found() -> RequestError:
    return RequestError(404, "oidc.session_not_found", "Session not found.")


def _session(row: sa.RowMapping) -> Entity:
    """Return a session. Times in ``payload`` are in seconds; ``jti`` is the hash of the cookie."""
    payload = {
        "exp": row["expires_at"] // 1000,
        "iat": (row["expires_at"] - SESSION_LIFETIME_MS) // 1000,
        "jti": row["id_hash"],
        "uid": row["uid"],
        "kind": "Session",
        "loginTs": row["signed_in_at"],
        "accountId": row["user_id"],
        "authorizations": {
            client_id: _authorization(authorization)
            for client_id, authorization in row["authorizations"].items()
        },
    }
    return {
        "payload": payload,
        "lastSubmission": row["last_submission"],
        "clientId": row["client_id"],
        "accountId": row["user_id"],
        "expiresAt": row["expires_at"],
    }


def _authorization(authorization: Mapping[str, Any]) -> Entity:
    names = {"sid": "sid", "grant_id": "grantId", "persists_sign_out": "persistsLogout"}
    return {shown: authorization[name] for name, shown in names.items() if name in authorization}


def _grant(row: sa.RowMapping) -> Entity:
    """Return a grant. Times in ``payload`` are in seconds; its scopes were consented to or exchanged."""
    on_resources = {indicator: " ".join(scopes) for indicator, scopes in row["resource_scopes"].items()}
    payload = {
        "exp": row["expires_at"] // 1000,
        "iat": row["created_at"] // 1000,
        "jti": row["id"],
        "kind": "Grant",
        "clientId": row["client_id"],
        "accountId": row["user_id"],
    }
    if row["oidc_scope"] or not on_resources:
        payload["openid"] = {"scope": row["oidc_scope"]}
    if on_resources:
        payload["resources"] = on_resources
    application = {"id": row["client_id"], "name": row["application_name"]}
    return {
        "id": row["id"],
        "payload": payload,
        "expiresAt": row["expires_at"],
        "application": application,
    }

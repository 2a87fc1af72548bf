"""``maxAllowedGrants``: on how many devices one person may be signed in to an application."""

from __future__ import annotations

import sqlalchemy as sa
from quart import request

from local_logto import webhooks
from local_logto.context import current_store
from local_logto.oidc.clients import Client
from local_logto.oidc.grants import revoke_grant
from local_logto.oidc.session.op_sessions import OpSession, forget_grant
from local_logto.oidc.tables import grants
from local_logto.store import now_ms
from local_logto.tables import applications


def end_oldest_grants(client: Client, session: OpSession) -> None:
    """Revoke the person's oldest grants for the application above the limit, and notify webhooks."""
    limit, user_id = client.max_allowed_grants, session.user_id
    if limit is None or user_id is None:
        return
    active = (
        sa.select(grants.c.id)
        .where(grants.c.user_id == user_id, grants.c.client_id == client.id, grants.c.expires_at > now_ms())
        .order_by(grants.c.created_at, grants.c.id)
    )
    with current_store().begin() as connection:
        found = list(connection.execute(active).scalars())
        ended = found[: max(len(found) - limit, 0)]
        for grant_id in ended:
            revoke_grant(connection, grant_id)
            forget_grant(connection, user_id, grant_id)
    if ended:
        session.drop_grants(ended)
        _announce(client, user_id, ended, limit, len(found))


def _announce(client: Client, user_id: str, ended: list[str], limit: int, number: int) -> None:
    c = applications.c
    query = sa.select(c.id, c.type, c.name, c.description).where(c.id == client.id)
    with current_store().begin() as connection:
        application = connection.execute(query).mappings().one()
    agent = request.headers.get("User-Agent")
    webhooks.send(
        {
            "event": "Grant.LimitExceeded",
            "createdAt": webhooks.iso_moment(now_ms()),
            **({} if agent is None else {"userAgent": agent}),
            "ip": request.remote_addr,
            "application": dict(application),
            "userId": user_id,
            "applicationId": client.id,
            "revokedGrantIds": ended,
            "maxAllowedGrants": limit,
            "preRevocationActiveGrantCount": number,
        }
    )

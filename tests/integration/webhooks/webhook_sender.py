"""Webhooks as Logto sends them, and the changes that the application notes."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from quart import Quart
from quart.wrappers import Response

from saas_app.config import Settings
from saas_app.models import MembershipChange
from saas_app.runtime import Runtime

MEMBERSHIP = "Organization.Membership.Updated"


def an_id() -> str:
    """Return a new id in Logto's format."""
    return secrets.token_hex(6)


def event(name: str, **members: Any) -> dict[str, Any]:
    """Return the body of a webhook that is sent now."""
    created_at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"event": name, "createdAt": created_at, "hookId": an_id(), "ip": "::1", **members}


def past_event(name: str, seconds_ago: float, **members: Any) -> dict[str, Any]:
    """Return the body of a webhook about an event of so many seconds ago."""
    moment = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    return {**event(name, **members), "createdAt": moment.isoformat(timespec="milliseconds")}


class Sender:
    """Logto as a sender of webhooks."""

    def __init__(self, app: Quart, settings: Settings) -> None:
        self._client = app.test_client()
        self._key = settings.webhook_signing_key.get_secret_value()

    async def send(self, body: Mapping[str, Any] | bytes, signature: str | None = None) -> Response:
        """Deliver a webhook, signed with the application's key if no signature is given."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        signed = hmac.new(self._key.encode(), content, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "logto-signature-sha-256": signed if signature is None else signature,
        }
        response = await self._client.post("/webhooks/logto", data=content, headers=headers)
        assert isinstance(response, Response)
        return response

    async def accepted(self, body: Mapping[str, Any]) -> None:
        """Deliver a webhook that must be accepted."""
        assert (await self.send(body)).status_code == 204


async def changed_at(runtime: Runtime, organization_id: str, user_id: str) -> datetime | None:
    """Return when a membership last changed. None: the application knows of no change."""
    async with runtime.jobs.writing() as db:
        row = await db.get(MembershipChange, (organization_id, user_id))
    return row.changed_at if row else None

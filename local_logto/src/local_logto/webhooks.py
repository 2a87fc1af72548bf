"""Notifying the tenant's webhooks: events are collected during a request and sent in the background after it.

One attempt each, in no particular order, with Logto's header and signature. The Management API registers
webhooks; this module sends. Like Logto 1.42, it sends no event for a change of roles.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
import sqlalchemy as sa
from quart import Response, current_app, g, request

from local_logto.context import current_store
from local_logto.store import metadata, now_ms

SIGNATURE_HEADER: Final = "logto-signature-sha-256"
TIMEOUT_SECONDS: Final = 10

logger = logging.getLogger("local_logto")

hooks = sa.Table(
    "hooks",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("event", sa.String),  # used by older versions instead of "events"
    sa.Column("events", sa.JSON, nullable=False),
    sa.Column("config", sa.JSON, nullable=False),  # {"url", "headers"?}
    sa.Column("signing_key", sa.String, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)


@dataclass(frozen=True)
class Hook:
    """A registered webhook: its URL, and the key that signs its requests."""

    id: str
    url: str
    headers: Mapping[str, str]
    signing_key: str


def announce(event: str, **members: object) -> None:
    """Queue an event. It is sent if this request succeeds; ``members`` go into its body."""
    g.setdefault("announced", []).append((event, members))


def announce_membership_change(organization_id: str, **changed_ids: list[str]) -> None:
    """Queue the membership event. Of ``addedUserIds`` and similar lists, empty ones are left out."""
    deltas = {name: ids for name, ids in changed_ids.items() if ids}
    announce("Organization.Membership.Updated", organizationId=organization_id, **deltas)


async def send_announced(response: Response) -> Response:
    """Start sending the queued events. Register it to run after each request."""
    if response.status_code < 400:
        for event, members in g.get("announced", ()):
            send({"event": event, **_moment(), **_request_information(response), **members})
    return response


def send(body: Mapping[str, object]) -> None:
    """Start one POST to every enabled webhook for ``body["event"]``."""
    query = sa.select(hooks).where(hooks.c.enabled.is_(True))
    with current_store().begin() as connection:
        rows = connection.execute(query).all()
    for row in rows:
        if body["event"] in (row.events or [row.event]):
            hook = Hook(row.id, row.config["url"], row.config.get("headers") or {}, row.signing_key)
            current_app.add_background_task(_deliver_and_log, hook, {**body, "hookId": row.id})


async def deliver(hook: Hook, body: Mapping[str, object]) -> tuple[int, str]:
    """POST a signed body. Returns the response's status and text.

    Raises ``aiohttp.ClientError``, ``ValueError`` or ``TimeoutError`` if there was no response.
    """
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Logto (https://logto.io/)",
        **hook.headers,
        SIGNATURE_HEADER: signature_of(content, hook.signing_key),
    }
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout) as http,
        http.post(hook.url, data=content, headers=headers) as answer,
    ):
        return answer.status, await answer.text(errors="replace")


def signature_of(content: bytes, signing_key: str) -> str:
    """Return the lower-case hex HMAC-SHA256 of the exact bytes that are sent."""
    return hmac.new(signing_key.encode(), content, hashlib.sha256).hexdigest()


def iso_moment(moment_ms: int) -> str:
    """Format epoch milliseconds as ISO 8601 in UTC, as JavaScript does."""
    moment = datetime.fromtimestamp(moment_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def _deliver_and_log(hook: Hook, body: Mapping[str, object]) -> None:
    try:
        status, _ = await deliver(hook, body)
    except (TimeoutError, aiohttp.ClientError, ValueError) as error:
        logger.warning("webhook %s failed: %s", hook.id, type(error).__name__)
        return
    if not 200 <= status < 300:
        logger.warning("webhook %s returned status %d", hook.id, status)


def _moment() -> dict[str, object]:
    return {"createdAt": iso_moment(now_ms())}


def _request_information(response: Response) -> dict[str, Any]:
    """Describe the request that caused the event as Logto does: without ``/api``, with Logto's parameter
    names.
    """
    rule = request.url_rule.rule if request.url_rule else request.path
    matched, params = rule.removeprefix("/api"), {}
    for position, (name, value) in enumerate((request.view_args or {}).items()):
        shown = _parameter_name(name, position)
        matched = matched.replace(f"<{name}>", f":{shown}")
        params[shown] = value
    agent = request.headers.get("User-Agent")
    return {
        **({} if agent is None else {"userAgent": agent}),
        "ip": request.remote_addr,
        "path": request.path.removeprefix("/api"),
        "method": request.method,
        "status": response.status_code,
        "params": params,
        "matchedRoute": matched,
    }


def _parameter_name(name: str, position: int) -> str:
    """Return Logto's name: ``id`` for the first parameter, except for users and resources, otherwise camel
    case.
    """
    if position == 0 and name not in {"user_id", "resource_id"}:
        return "id"
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)

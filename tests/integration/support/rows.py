"""Support accesses in the database, for the rules about routes and for tests of lists."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from saas_app.db.base import new_uuid, utc_now
from saas_app.identity.vault import fingerprint
from saas_app.models import SupportAccess
from saas_app.rbac.permissions import Carrier
from saas_app.rbac.support import SUPPORT_WRITE
from saas_app.runtime import Runtime
from saas_app.support.queries import save_consent
from saas_app.support.values import DURATION, Consent
from tests.clients import Browser
from tests.factories import Factory
from tests.rules.rows import Rows

_SCOPES: Final = {"scopes_organization": Carrier.ORGANIZATION_TOKEN, "scopes_api": Carrier.API_TOKEN}


async def allow_support(runtime: Runtime, organization_id: str, *, writes: bool = False) -> None:
    """Let an organization allow support access until further notice."""
    async with runtime.jobs.writing() as db:
        await save_consent(db, organization_id, Consent(is_allowed=True, writes=writes))


async def add_access(
    runtime: Runtime,
    organization_id: str,
    *,
    ago: timedelta = timedelta(),
    **changes: Any,
) -> UUID:
    """Add an access that began some time ago, and return its id. No cookie opens it."""
    access_id, began = new_uuid(), utc_now() - ago
    values: Mapping[str, Any] = {
        "organization_id": organization_id,
        "id": access_id,
        "cookie_hash": secrets.token_bytes(32),
        "agent_id": "some-agent",
        "agent_name": "Sam Whitfield",
        "agent_session_id": new_uuid(),
        "member_id": "some-member",
        "member_name": "Carol Okafor",
        "reason": "The export stops half-way.",
        "ticket": "4711",
        "writes": False,
        "scopes_organization": "members:read",
        "scopes_api": "projects:read",
        "member_version": 0,
        "agent_version": 0,
        "started_at": began,
        "ends_at": began + DURATION,
        **changes,
    }
    async with runtime.jobs.writing() as db:
        db.add(SupportAccess(**values))
    return access_id


async def act(runtime: Runtime, browser: Browser, organization_id: str, **changes: Any) -> UUID:
    """Give an agent's browser a live access, as starting one does, but without Logto. Return its id."""
    access = await runtime.sessions.find_access(browser.session_cookie, None)
    assert access is not None
    agent, cookie = access.principal, secrets.token_urlsafe(32)
    scopes = {
        name: " ".join(one.value for one in SUPPORT_WRITE if one.carrier is carrier)
        for name, carrier in _SCOPES.items()
    }
    browser.app.set_cookie("localhost", "workroom_support", cookie)
    return await add_access(
        runtime,
        organization_id,
        cookie_hash=fingerprint(cookie),
        agent_id=agent.subject,
        agent_name="Sam Whitfield",
        agent_session_id=agent.session_id,
        **{**scopes, **changes},
    )


async def make_access(_make: Factory, runtime: Runtime, organization_id: str) -> dict[str, UUID]:
    """Make a live access. Each route gets a new one, because some routes end it."""
    await allow_support(runtime, organization_id)
    return {"access_id": await add_access(runtime, organization_id)}


ROWS = Rows(frozenset({"access_id"}), make_access)

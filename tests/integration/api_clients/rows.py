"""An API client, for the rules about routes."""

from __future__ import annotations

from saas_app.db.base import utc_now
from saas_app.models import ApiClient
from saas_app.runtime import Runtime
from tests.factories import Factory
from tests.rules.rows import Rows


async def make_client(make: Factory, runtime: Runtime, organization_id: str) -> dict[str, str]:
    """Make an API client as if the application had created it."""
    machine = await make.machine(organization_id)
    async with runtime.work.writing(organization_id) as db:
        db.add(ApiClient(client_id=machine.id, name="Robot", created_by="test", created_at=utc_now()))
    return {"client_id": machine.id}


ROWS = Rows(frozenset({"client_id"}), make_client)

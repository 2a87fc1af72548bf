"""A pending access request, for the rules about routes."""

from __future__ import annotations

from uuid import UUID

from saas_app.access_requests.queries import add
from saas_app.access_requests.values import WantedAccess
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.factories import Factory
from tests.rules.rows import Rows


async def make_request(make: Factory, runtime: Runtime, organization_id: str) -> dict[str, UUID]:
    """Make a request of a new viewer for another role. Nobody is notified."""
    member = await make.member(organization_id, "Requester", Role.VIEWER)
    async with runtime.work.writing(organization_id) as db:
        request_id = await add(db, member.id, WantedAccess(Role.EDITOR, "Project", None))
    return {"request_id": request_id}


ROWS = Rows(frozenset({"request_id"}), make_request)

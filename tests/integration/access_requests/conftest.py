"""An organization with an admin and a viewer, for the tests of access requests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from saas_app.access_requests import queries
from saas_app.access_requests.values import MAX_PENDING, RequestRow
from saas_app.db.base import new_uuid, utc_now
from saas_app.models import AccessRequest, RequestState
from saas_app.rbac.permissions import Permission, Role
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenOffice
from tests.factories import Factory
from tests.offices import Office

REASON = "The launch plan is due on Thursday."
APPROVE = {"duration": "day"}  # what the form of an approval sends


class Acme(Office):
    """An organization with Ada, an admin, and Vera, a viewer, and the paths of its requests."""

    @property
    def requests(self) -> str:
        """The path of the list."""
        return f"{self.root}/access-requests"

    @property
    def ada(self) -> Browser:
        """The browser of the admin."""
        return self.browsers["admin"]

    @property
    def vera(self) -> Browser:
        """The browser of the viewer."""
        return self.browsers["viewer"]

    @property
    def viewer(self) -> Person:
        """The member who is a viewer."""
        return self.people["viewer"]

    async def ask(self, role: str = Role.EDITOR, by: Browser | None = None) -> str:
        """Ask for a role, as the viewer unless somebody else does. Return the path of the request."""
        answer = await (by or self.vera).post(f"{self.requests}/new", ask_form(role))
        return str(answer.headers["Location"])


def ask_form(role: str = Role.EDITOR, reason: str = REASON, **more: str) -> dict[str, str]:
    """Return the form that asks for a role, as the page sends it."""
    return {"role": role, "reason": reason, "duration": "day", **more}


async def requests_of(runtime: Runtime, organization_id: str) -> Sequence[RequestRow]:
    """Return the requests of an organization, the newest first."""
    async with runtime.work.reading(organization_id) as db:
        rows = await queries.list_rows(db, None, 100)
    return sorted(rows, key=lambda row: row.id, reverse=True)


async def states_of(runtime: Runtime, organization_id: str) -> list[str]:
    """Return the states of the requests, the newest first."""
    return [row.state.value for row in await requests_of(runtime, organization_id)]


@pytest.fixture
async def acme(open_office: OpenOffice) -> Acme:
    return Acme(**vars(await open_office(admin="Ada", viewer="Vera")))


@pytest.fixture(scope="session")
async def decider(make: Factory) -> str:
    """A role made in Logto, unknown to the registry, that only lets its holder change roles."""
    return await make.role("decider", Permission.MEMBERS_READ, Permission.MEMBERS_UPDATE)


@pytest.fixture
async def waiting(acme: Acme, runtime: Runtime) -> Acme:
    """Acme, in which the viewer has as many pending requests as are allowed, for roles of another time."""
    for number in range(MAX_PENDING):
        await add_request(runtime, acme, f"role-{number}")
    return acme


async def add_request(
    runtime: Runtime,
    acme: Acme,
    role: str,
    age: timedelta = timedelta(0),
    by: Person | None = None,
    minutes: int | None = None,
) -> UUID:
    """Add a pending request that was sent some time ago, by the viewer unless somebody else sent it."""
    request_id, moment = new_uuid(), utc_now() - age
    async with runtime.work.writing(acme.id) as db:
        db.add(
            AccessRequest(
                id=request_id,
                requester_id=(by or acme.viewer).id,
                role=role,
                minutes=minutes,
                reason=REASON,
                state=RequestState.PENDING,
                created_at=moment,
                answer="",
            )
        )
    return request_id

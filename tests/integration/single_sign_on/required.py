"""Organizations that require single sign-on, and sessions that came through it: as rows, without Logto."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.models import SessionRow
from saas_app.runtime import Runtime
from saas_app.single_sign_on.queries import add_connection, change_connection, find_connection
from tests.clients import Browser
from tests.conftest import OpenOffice
from tests.offices import Office

PROVIDER: Final = "Initech Login"


async def require_single_sign_on(
    runtime: Runtime, organization_id: str, recovery_id: str = "somebody", **values: Any
) -> str:
    """Let an organization require its single sign-on from now on. Returns the connector's ID."""
    now = utc_now()
    async with runtime.work.writing(organization_id) as db:
        found = await find_connection(db, organization_id)
        connector_id = f"c{secrets.token_hex(10)}" if found is None else found.connector_id
        if found is None:
            await add_connection(db, organization_id, connector_id, PROVIDER, "somebody", now)
        columns = {"issuer": "https://login.initech.test", "on_at": now, "required_at": now, **values}
        await change_connection(db, organization_id, recovery_id=recovery_id, **columns)
    return connector_id


async def come_through(runtime: Runtime, browser: Browser, connector_id: str | None) -> None:
    """Let the session of a browser have come through a connector, or through none."""
    access = await runtime.sessions.find_access(browser.session_cookie, None)
    assert access is not None
    async with runtime.jobs.writing() as db:
        its_own = SessionRow.id == access.principal.session_id
        await db.execute(
            sa.update(SessionRow).where(its_own).values(sso_connector_id=connector_id, granted_at=utc_now())
        )


@dataclass(frozen=True)
class Strict(Office):
    """An organization that requires single sign-on. Ada, its admin, is the recovery admin."""

    connector_id: str

    @property
    def api(self) -> str:
        """The path below which its API is."""
        return f"/api/v1/organizations/{self.id}"

    @property
    def projects(self) -> str:
        """A page for members."""
        return f"{self.root}/projects"

    @property
    def ella(self) -> Browser:
        """The browser of the editor, who signed in with a password."""
        return self.browsers["editor"]


async def new_strict_office(open_office: OpenOffice, runtime: Runtime) -> Strict:
    """Make an organization that requires single sign-on, and sign its members in with their passwords."""
    office = await open_office("Initech", admin="Ada", editor="Ella")
    connector_id = await require_single_sign_on(runtime, office.id, office.admin.id)
    return Strict(**vars(office), connector_id=connector_id)

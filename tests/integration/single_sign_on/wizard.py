"""The page of single sign-on, as an admin of a company uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quart.wrappers import Response

from saas_app.logto import SsoConnector
from saas_app.models import AuditEvent
from saas_app.single_sign_on.queries import find_connection, find_secret
from saas_app.single_sign_on.values import Connection
from tests.clients import Browser, text_of
from tests.integration.records import changes_of
from tests.integration.single_sign_on.company import Company


@dataclass(frozen=True)
class Wizard:
    """The page in the browser of a company's admin, who has just signed in."""

    company: Company
    browser: Browser

    @property
    def path(self) -> str:
        return f"{self.company.root}/single-sign-on"

    async def text(self) -> str:
        """Return the page."""
        return await self.browser.text(self.path)

    async def send(self, step: str, form: Any = None, expect: int = 303) -> str:
        """Send the form of a step, and return the answer."""
        return await text_of(await self.post(step, form, expect))

    async def post(self, step: str, form: Any = None, expect: int | None = 303) -> Response:
        return await self.browser.post(f"{self.path}/{step}", form, expect)

    def provider(self, **changes: str) -> dict[str, str]:
        """Return what the admin types about the company's provider."""
        company = self.company.provider
        return {
            "name": "Acme Login",
            "issuer": company.issuer,
            "client_id": company.client_id,
            "client_secret": company.client_secret,
            "scopes": "",
            **changes,
        }

    async def find(self) -> Connection | None:
        """Return the connection as it is stored."""
        async with self.company.runtime.work.reading(self.company.id) as db:
            return await find_connection(db, self.company.id)

    async def secret(self) -> str | None:
        """Return the stored secret of the client at the provider. It must be encrypted in the database."""
        async with self.company.runtime.work.reading(self.company.id) as db:
            sealed = await find_secret(db)
        if sealed is None:
            return None
        secret = self.company.runtime.vault.open(sealed)
        assert secret.encode() not in sealed
        return secret

    async def connector(self) -> SsoConnector:
        """Return the connector as Logto has it."""
        return await self.company.connector()

    async def shown_name(self) -> str:
        """Return the name that people see on Logto's pages."""
        path = f"/sso-connectors/{(await self.company.connection()).connector_id}"
        answer = await self.company.management._transport.call("GET", path)
        return str(answer.body["branding"]["displayName"])

    async def joins(self) -> bool:
        """Return whether people who sign in at the provider join. Logto makes nobody a member by itself."""
        connection = await self.company.connection()
        joining = await self.company.management.list_joining_connectors(self.company.id)
        assert connection.connector_id not in joining
        return connection.is_on and connection.joins

    async def actions(self) -> list[str]:
        """Return what the audit log says about single sign-on, oldest first."""
        return [event.action for event in await self.events()]

    async def events(self) -> list[AuditEvent]:
        """Return the audit events of single sign-on, oldest first."""
        found = await changes_of(self.company.runtime, self.company.id)
        return [event for event in found if event.action.startswith("sso.")]

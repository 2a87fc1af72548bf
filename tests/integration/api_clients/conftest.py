"""Machine clients as an admin makes them by the pages, and the programs that hold their secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from quart import Quart
from quart.wrappers import Response

from saas_app.config import Settings
from tests.clients import Browser, Machine
from tests.integration.api.conftest import ApiClient
from tests.integration.invitations.conftest import Acme, Fault, Faulty, acme, faulty, gate
from tests.integration.members.conftest import text_of
from tests.tokens import SCOPES

__all__ = ["Acme", "Fault", "Faulty", "acme", "faulty", "gate"]


@dataclass(frozen=True, slots=True)
class Programs:
    """What a program outside does with credentials: ask Logto for a token, call the API with it."""

    app: Quart
    settings: Settings

    async def ask(self, machine: Machine, organization_id: str) -> tuple[int, dict[str, Any]]:
        """Logto's answer to client credentials."""
        form = {
            "grant_type": "client_credentials",
            "resource": self.settings.api_resource,
            "organization_id": organization_id,
            "scope": " ".join(SCOPES.values()),
        }
        headers = {"Authorization": aiohttp.encode_basic_auth(machine.id, machine.secret)}
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{self.settings.logto_endpoint}/oidc/token", data=form, headers=headers) as answer,
        ):
            return answer.status, await answer.json()

    async def connect(self, machine: Machine, organization_id: str) -> ApiClient:
        """A client of the API with a token of the machine's own."""
        status, body = await self.ask(machine, organization_id)
        assert status == 200, body
        return ApiClient(self.app, organization_id, body["access_token"])


@pytest.fixture
def programs(app: Quart, settings: Settings) -> Programs:
    return Programs(app, settings)


def root_of(organization_id: str) -> str:
    """The list's path."""
    return f"/o/{organization_id}/api-clients"


async def shown(response: Response) -> Machine:
    """The credentials on the page that shows them once."""
    page = await text_of(response)
    values = re.findall(r'id="client-(?:id|secret)" value="([^"]+)"', page)
    assert len(values) == 2, page
    return Machine(*values)


async def send(browser: Browser, path: str, form: dict[str, str] | None = None) -> Response:
    """Send a form that makes a secret; returns the page it leads to."""
    led_to = await browser.post(path, form)
    return await browser.get(led_to.headers["Location"])


async def create(browser: Browser, organization_id: str, name: str = "Nightly export") -> Machine:
    """Make a client by the form."""
    return await shown(await send(browser, f"{root_of(organization_id)}/new", {"name": name}))

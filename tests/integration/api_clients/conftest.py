"""API clients as an admin creates them on the pages, and the programs that hold their secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest
from quart import Quart
from quart.wrappers import Response

from saas_app.config import Settings
from saas_app.rbac.permissions import Carrier
from tests.clients import FormFields, Machine, text_of
from tests.conftest import OpenOffice
from tests.integration.bearer import ApiClient
from tests.integration.faulty_logto import Faulty
from tests.offices import Office
from tests.tokens import SCOPES


def new_form(name: str, **more: str | list[str]) -> dict[str, str | list[str]]:
    """Return the form of a client that works with projects. By default, its secret does not expire."""
    return {"name": name, "permissions": ["projects:read", "projects:write"], "expires": "never", **more}


class Acme(Office):
    """An organization with an admin who manages its API clients."""

    @property
    def clients(self) -> str:
        """The path of the list."""
        return f"{self.root}/api-clients"

    async def send(self, path: str, form: FormFields | None = None) -> Response:
        """Send a form that creates a secret, and return the page to which it leads."""
        led_to = await self.browser.post(f"{self.clients}{path}", form)
        return await self.browser.get(led_to.headers["Location"])

    async def create(self, name: str = "Nightly export") -> Machine:
        """Create an API client on the page."""
        return await shown(await self.send("/new", new_form(name)))


@pytest.fixture
async def acme(open_office: OpenOffice) -> Acme:
    return Acme(**vars(await open_office(admin="Ada")))


@pytest.fixture
def faulty(faulty: Faulty) -> Faulty:
    return replace(faulty, acme=Acme(**vars(faulty.acme)))


@dataclass(frozen=True, slots=True)
class Programs:
    """Programs that request a token from Logto with their credentials, and call the API with it."""

    app: Quart
    settings: Settings

    async def ask(
        self, machine: Machine, organization_id: str, carrier: Carrier = Carrier.API_TOKEN
    ) -> tuple[int, dict[str, Any]]:
        """Send client credentials to Logto and return its response."""
        form = {
            "grant_type": "client_credentials",
            "organization_id": organization_id,
            "scope": " ".join(SCOPES.values()),
        }
        if carrier is Carrier.API_TOKEN:
            form["resource"] = self.settings.api_resource
        headers = {"Authorization": aiohttp.encode_basic_auth(machine.id, machine.secret)}
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{self.settings.logto_endpoint}/oidc/token", data=form, headers=headers) as answer,
        ):
            return answer.status, await answer.json()

    async def connect(self, machine: Machine, organization_id: str) -> ApiClient:
        """Return a client of the API with a token of the machine for our API resource."""
        return await self._connect(machine, organization_id, Carrier.API_TOKEN)

    async def connect_to_organization(self, machine: Machine, organization_id: str) -> ApiClient:
        """Return a client of the API with an organization token of the machine."""
        return await self._connect(machine, organization_id, Carrier.ORGANIZATION_TOKEN)

    async def _connect(self, machine: Machine, organization_id: str, carrier: Carrier) -> ApiClient:
        status, body = await self.ask(machine, organization_id, carrier)
        assert status == 200, body
        return ApiClient(self.app, organization_id, body["access_token"])


@pytest.fixture
def programs(app: Quart, settings: Settings) -> Programs:
    return Programs(app, settings)


async def shown(response: Response) -> Machine:
    """Return the credentials on the page that shows them once."""
    page = await text_of(response)
    values = re.findall(r'id="client-(?:id|secret)" value="([^"]+)"', page)
    assert len(values) == 2, page
    return Machine(*values)

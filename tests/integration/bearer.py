"""Programs that call the API with a bearer token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from quart import Quart
from quart.wrappers import Response


@dataclass(frozen=True, slots=True)
class ApiClient:
    """A client of one organization's API, like any HTTP client: it sends a token, no cookie and no origin."""

    app: Quart
    organization_id: str
    token: str

    def at(self, organization_id: str) -> ApiClient:
        """Return a client with the same token at another organization."""
        return ApiClient(self.app, organization_id, self.token)

    async def call(self, method: str, path: str, expect: int = 200, **options: Any) -> Response:
        """Send a request below the organization. Fail on any status but ``expect``."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        response = await self.app.test_client().open(
            f"/api/v1/organizations/{self.organization_id}{path}", method=method, headers=headers, **options
        )
        assert isinstance(response, Response)
        body = await response.get_data(as_text=True)
        assert response.status_code == expect, (
            f"{method} {path}: {response.status_code} (not {expect}) {body}"
        )
        return response

    async def json(self, method: str, path: str, expect: int = 200, **options: Any) -> Any:
        """Send a request below the organization and return the JSON of the response."""
        return await (await self.call(method, path, expect, **options)).get_json()


PersonClient = Callable[..., Awaitable[ApiClient]]
NewClient = Callable[..., Awaitable[ApiClient]]
MachineClient = Callable[..., Awaitable[ApiClient]]
Mint = Callable[..., str]

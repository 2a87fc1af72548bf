"""Programs that call the API: a person's client with a bearer token, and machines of an organization."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from quart import Quart
from quart.wrappers import Response

from saas_app.app import create_app
from saas_app.config import MEMORY, Rate, Settings
from saas_app.limits import requests as rate_limits
from saas_app.rbac.permissions import Carrier
from saas_app.runtime import Runtime
from tests.clients import Machine, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.api.limited import LONG, MakeApp, fresh_address
from tests.processes import Provider
from tests.redis_server import MISSING, find_redis
from tests.tokens import SCOPES, token_of


@dataclass(frozen=True, slots=True)
class ApiClient:
    """Calls the API of one organization with a token, as any HTTP client does: no cookie, no origin."""

    app: Quart
    organization_id: str
    token: str

    async def call(self, method: str, path: str, expect: int = 200, **options: Any) -> Response:
        """A request below the organization, with the status it must answer."""
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
        """The same, as JSON."""
        return await (await self.call(method, path, expect, **options)).get_json()


PersonClient = Callable[..., Awaitable[ApiClient]]


@pytest.fixture
def as_person(app: Quart, runtime: Runtime, open_browser: OpenBrowser) -> PersonClient:
    """``await as_person(person, organization_id, carrier)``: a client with the person's own token."""

    async def client(person: Person, organization_id: str, carrier: Carrier = Carrier.API_TOKEN) -> ApiClient:
        browser = await open_browser(person)
        return ApiClient(app, organization_id, await token_of(runtime, browser, organization_id, carrier))

    return client


MakeMachine = Callable[[str], Awaitable[Machine]]


@pytest.fixture
def make_machine(make: Factory) -> MakeMachine:
    """``await make_machine(organization_id)``: a machine client with the machine role, made in Logto."""
    return make.machine


Mint = Callable[..., str]


@pytest.fixture(scope="module")
def signing_key(provider: Provider) -> Any:
    """The provider's own key, from its file: a token signed with it is genuine but for what it says."""
    with closing(sqlite3.connect(provider.data_dir / "local_logto.sqlite3")) as file, file:
        (kept,) = file.execute(
            "SELECT private_jwk FROM signing_keys ORDER BY created_at DESC LIMIT 1"
        ).fetchone()
    return jwt.PyJWK(json.loads(kept))


@pytest.fixture
def mint(settings: Settings, signing_key: Any) -> Mint:
    """Makes a token like Logto's, with claims and header changed; None leaves one out."""

    def token(
        organization_id: str, /, *, key: Any = None, header: dict[str, Any] | None = None, **changes: Any
    ) -> str:
        now = int(time.time())
        claims = {
            "iss": f"{settings.logto_endpoint}/oidc",
            "aud": settings.api_resource,
            "sub": "somebody",
            "client_id": "a-client",
            "organization_id": organization_id,
            "scope": SCOPES[Carrier.API_TOKEN],
            "iat": now,
            "exp": now + 600,
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        headers = {"typ": "at+jwt", "kid": signing_key.key_id, **(header or {})}
        algorithm = headers.pop("alg", "ES384")
        return jwt.encode(claims, key if key is not None else signing_key.key, algorithm, headers=headers)

    return token


@pytest.fixture(params=["memory", "redis"])
def storage(request: pytest.FixtureRequest) -> str:
    """Where is counted."""
    if request.param == "memory":
        return MEMORY
    url = find_redis()
    if url is None:
        pytest.skip(MISSING)
    return url


@pytest.fixture
async def make_app(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MakeApp]:
    """``await make_app(storage, client=5)``: an application with these limits an hour, and no others.

    It waits long for Redis: that this machine is busy is no failure of Redis.
    """
    monkeypatch.setattr(rate_limits, "_PATIENCE", 30)
    async with contextlib.AsyncExitStack() as stack:

        async def make_one(storage: str, **amounts: int) -> Quart:
            rates = {f"rate_limit_{name}": Rate(amount, LONG) for name, amount in amounts.items()}
            app = create_app(settings.model_copy(update={**rates, "rate_limit_storage": storage}))
            await stack.enter_async_context(app.test_app())
            return app

        yield make_one


@pytest.fixture
def address() -> str:
    """An address of the test's own."""
    return fresh_address()

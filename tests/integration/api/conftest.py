"""Applications with rate limits, counted in the process and in Redis, and one that is served to programs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from quart import Quart

from saas_app.config import MEMORY, Rate
from saas_app.limits import redis_counters
from tests.conftest import OpenApp
from tests.databases import Database
from tests.factories import Factory
from tests.integration.api.limited import LONG, MakeApp, fresh_address
from tests.integration.api.programs import environment
from tests.processes import Application, Provider, running_application
from tests.redis_server import MISSING, find_redis


@pytest.fixture(params=["memory", "redis"])
def storage(request: pytest.FixtureRequest) -> str:
    """The place where requests are counted."""
    if request.param == "memory":
        return MEMORY
    url = find_redis()
    if url is None:
        pytest.skip(MISSING)
    return url


@pytest.fixture
def make_app(open_app: OpenApp, monkeypatch: pytest.MonkeyPatch) -> MakeApp:
    """``await make_app(storage, client=5)``: an application with these limits an hour and no others.

    The application waits long for Redis: a busy machine must not count as a failure of Redis. It accepts
    tokens of people from any application, as without single sign-on.
    """
    monkeypatch.setattr(redis_counters, "_PATIENCE", 30)

    async def make_one(storage: str, **amounts: int) -> Quart:
        rates = {f"rate_limit_{name}": Rate(amount, LONG) for name, amount in amounts.items()}
        return await open_app(**rates, rate_limit_storage=storage, single_sign_on=False)

    return make_one


@pytest.fixture
def address() -> str:
    """An address that no other test uses."""
    return fresh_address()


@pytest.fixture(scope="module")
def served(
    provider: Provider, database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Application]:
    """A served application, for programs and commands."""
    with running_application(provider, database, tmp_path_factory.mktemp("guide")) as application:
        yield application


@pytest.fixture
async def of_a_machine(served: Application, provider: Provider, make: Factory) -> dict[str, str]:
    """The environment of an API client, as the guide asks for it."""
    organization_id = await make.organization("Acme", admin=await make.person())
    machine = await make.machine(organization_id)
    return environment(
        served, provider, ORGANIZATION=organization_id, CLIENT_ID=machine.id, CLIENT_SECRET=machine.secret
    )

"""Fixtures of the integration tests: a database connection, bearer tokens, a Logto that fails."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

import jwt
import pytest
from local_logto.testing import Provider
from quart import Quart
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from saas_app.config import Settings
from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.logto import ManagementClient
from saas_app.operations.reconciliation.service import Reconciler
from saas_app.organizations.removal import remove_pending
from saas_app.rbac.permissions import Carrier, Permission
from saas_app.runtime import Runtime
from tests.clients import Browser, Machine, Person
from tests.conftest import OpenApp, OpenBrowser, OpenOffice
from tests.databases import Database
from tests.factories import Factory
from tests.integration.bearer import ApiClient, MachineClient, Mint, NewClient, PersonClient
from tests.integration.faulty_logto import Faulty, Gate, running_gate
from tests.integration.mail import Mailbox
from tests.integration.reconciling import reconciler_of
from tests.offices import Office, new_office
from tests.tokens import SCOPES, machine_token, token_of


@pytest.fixture
async def no_pending_removals(runtime: Runtime) -> None:
    """Carry out the removals that other tests left in the database that they share."""
    await remove_pending(runtime.jobs, runtime.management)


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    """A second engine for the application's database, with the role of jobs, which sees all people."""
    engine = create_engine(database.jobs_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def work(engine: AsyncEngine) -> UnitOfWork:
    """Transactions on the test's own engine."""
    return UnitOfWork(engine)


@pytest.fixture(scope="session")
async def operator(database: Database) -> AsyncIterator[UnitOfWork]:
    """Transactions of the owner of the tables, as commands for operators run."""
    engine = create_engine(database.owner_url)
    yield UnitOfWork(engine)
    await engine.dispose()


@pytest.fixture
def count_statements(engine: AsyncEngine) -> Callable[[], Any]:
    """``with count_statements() as statements``: the SQL of the test's engine, with its parameters."""

    @contextmanager
    def counting() -> Iterator[list[tuple[str, Any]]]:
        statements: list[tuple[str, Any]] = []

        def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
            statements.append((statement, parameters))

        event.listen(engine.sync_engine, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            event.remove(engine.sync_engine, "before_cursor_execute", note)

    return counting


@pytest.fixture(scope="session")
async def steward(make: Factory) -> str:
    """A role made in Logto, unknown to the registry, that only lets its holder change settings."""
    return await make.role("steward", Permission.ORGANIZATION_UPDATE)


@pytest.fixture
async def acme(open_office: OpenOffice) -> Office:
    """An organization with an admin, Ada. Folders replace it with an office that has more methods."""
    return await open_office(admin="Ada")


@pytest.fixture(scope="module")
async def shared_acme(app: Quart, settings: Settings, make: Factory) -> AsyncIterator[Office]:
    """An organization with an admin, for all tests of a module that only read or are rejected."""
    async with Browser(app, settings.redirect_uri) as browser:

        async def open_it(person: Person) -> Browser:
            await browser.sign_in(person)
            return browser

        yield await new_office(make, open_it, admin="Ada")


@pytest.fixture(scope="module")
async def shared_client(app: Quart, runtime: Runtime, shared_acme: Office) -> ApiClient:
    """A client of ``shared_acme``'s admin, for requests that only read or are rejected."""
    token = await token_of(runtime, shared_acme.browser, shared_acme.id, Carrier.API_TOKEN)
    return ApiClient(app, shared_acme.id, token)


@pytest.fixture
def as_person(app: Quart, runtime: Runtime, open_browser: OpenBrowser) -> PersonClient:
    """``await as_person(person, organization_id, carrier)``: a client with a token of that person."""

    async def client(person: Person, organization_id: str, carrier: Carrier = Carrier.API_TOKEN) -> ApiClient:
        browser = await open_browser(person)
        return ApiClient(app, organization_id, await token_of(runtime, browser, organization_id, carrier))

    return client


@pytest.fixture
def new_client(make: Factory, as_person: PersonClient) -> NewClient:
    """``await new_client("editor", carrier)``: a client of a new organization's only member."""

    async def client(role: str, carrier: Carrier = Carrier.API_TOKEN, *, name: str = "Ada") -> ApiClient:
        organization_id = await make.organization()
        return await as_person(await make.member(organization_id, name, role), organization_id, carrier)

    return client


@pytest.fixture
def as_machine(app: Quart, settings: Settings) -> MachineClient:
    """``await as_machine(machine, organization_id)``: a client with a token by client credentials."""

    async def client(machine: Machine, organization_id: str) -> ApiClient:
        return ApiClient(app, organization_id, await machine_token(settings, machine, organization_id))

    return client


@pytest.fixture(scope="module")
def signing_key(provider: Provider) -> Any:
    """The provider's private key, from its file. A token signed with it is genuine except for its claims."""
    with closing(sqlite3.connect(provider.data_dir / "local_logto.sqlite3")) as file, file:
        (kept,) = file.execute(
            "SELECT private_jwk FROM signing_keys ORDER BY created_at DESC LIMIT 1"
        ).fetchone()
    return jwt.PyJWK(json.loads(kept))


@pytest.fixture
def mint(settings: Settings, signing_key: Any) -> Mint:
    """``mint(organization_id, sub="x")``: a token like Logto's with other claims. None leaves a claim out."""

    def token(
        organization_id: str, /, *, key: Any = None, header: dict[str, Any] | None = None, **changes: Any
    ) -> str:
        now = int(time.time())
        claims = {
            "iss": f"{settings.logto_endpoint}/oidc",
            "aud": settings.api_resource,
            "sub": "somebody",
            "client_id": settings.logto_app_id,
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


@pytest.fixture
async def gate(provider: Provider) -> AsyncIterator[Gate]:
    """A proxy in front of the Management API that fails calls as a test wants."""
    async with running_gate(provider.endpoint) as gate:
        yield gate


@pytest.fixture
async def faulty_app(gate: Gate, settings: Settings, open_app: OpenApp) -> Quart:
    """A worker that reaches the Management API through ``gate``."""
    assert settings.management is not None
    management = settings.management.model_copy(update={"endpoint": gate.url})
    return await open_app(management=management, logto_timeout=3.0)


@pytest.fixture
async def faulty(gate: Gate, faulty_app: Quart, open_office: OpenOffice, open_browser: OpenBrowser) -> Faulty:
    """An organization with an admin, at ``faulty_app``."""
    acme = await open_office(at=faulty_app, admin="Ada")
    return Faulty(gate, acme, partial(open_browser, at=faulty_app))


@pytest.fixture
def mailbox(provider: Provider) -> Mailbox:
    """The email that Logto sent."""
    return Mailbox(provider)


@pytest.fixture
async def sign_up_by_email(management: ManagementClient) -> AsyncIterator[None]:
    """Let Logto ask new people for an email address, as an organization that invites people configures it."""
    transport = management._transport
    settings = (await transport.call("GET", "/sign-in-exp")).body
    methods = [
        {"identifier": "username", "password": True, "verificationCode": False, "isPasswordPrimary": True},
        {"identifier": "email", "password": False, "verificationCode": True, "isPasswordPrimary": False},
    ]
    wanted = {
        "signUp": {"identifiers": ["email"], "password": False, "verify": True},
        "signIn": {"methods": methods},
    }
    await transport.call("PATCH", "/sign-in-exp", body=wanted)
    yield
    await transport.call("PATCH", "/sign-in-exp", body={name: settings[name] for name in wanted})


@pytest.fixture
def reconciler(runtime: Runtime, make: Factory) -> Reconciler:
    """What ``saas-app reconcile`` runs, on the application's database."""
    return reconciler_of(runtime.jobs, make)

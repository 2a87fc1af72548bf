"""What all tests share: a provider, a migrated database and the application, all real.

Each test process starts them once. Every test makes its own people and organizations. ``tests/README.md``
lists the fixtures.
"""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
import structlog
from cryptography.fernet import Fernet
from local_logto.testing import Provider
from pydantic import SecretStr
from quart import Quart
from quart.testing import QuartClient

from saas_app.app import create_app
from saas_app.config import Nameserver, Rate, Settings
from saas_app.logto import ManagementClient
from saas_app.logto.http import open_http
from saas_app.members.role_endings import RoleEndWorker
from saas_app.observability import configure_logging
from saas_app.operations.provisioning import (
    Deployment,
    SupportTeam,
    apply,
    apply_support,
    plan,
    survey,
    survey_support,
)
from saas_app.runtime import Runtime
from tests import redis_server
from tests.browser.chromium import MISSING, find_headless
from tests.clients import Browser, LeavingConnection, Person
from tests.databases import Database, migrated_database, postgresql_server
from tests.factories import Factory
from tests.hosts.figures import show_figures
from tests.nameserver import FakeNameserver, running_nameserver
from tests.offices import Office, new_office
from tests.served import APP_URL, served
from tests.settings import management_settings

API_RESOURCE = "https://api.workroom.example"
_NEVER_REACHED = Rate(1_000_000, 60)  # all tests send from one address; limits have their own tests


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to run without a database or Redis that the environment requires, and configure logging.

    Loggers must not cache their configuration: a test that captures the log would miss what a cached logger
    writes. Garbage is collected less often, because each test makes thousands of objects.
    """
    gc.set_threshold(100_000, 20, 50)
    os.environ["LC_ALL"] = "C.UTF-8"  # commands speak English, whatever the language of this terminal is
    if os.environ.get("REQUIRE_POSTGRES") == "1" and not postgresql_server():
        raise pytest.UsageError("REQUIRE_POSTGRES=1 needs TEST_DATABASE_URL=postgresql+asyncpg://…")
    if os.environ.get("REQUIRE_REDIS") == "1" and redis_server.find_redis() is None:
        raise pytest.UsageError(f"REQUIRE_REDIS=1: there is no Redis at {redis_server.REDIS_URL}")
    configure_logging("json")
    structlog.configure(cache_logger_on_first_use=False)
    QuartClient.http_connection_class = LeavingConnection


def pytest_collection_finish() -> None:
    """Keep modules and collected tests out of garbage collections, which took a seventh of the time."""
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the figures of tests with several hosts, and say what was skipped on this machine."""
    show_figures(terminalreporter)
    if not postgresql_server():
        terminalreporter.write_line(
            "Database: SQLite. To run on PostgreSQL too, set TEST_DATABASE_URL=postgresql+asyncpg://…"
        )
    if redis_server.find_redis() is None:
        terminalreporter.write_line(redis_server.MISSING)
    if find_headless() is None:
        terminalreporter.write_line(MISSING)


@pytest.fixture(scope="session")
def provider(local_logto: Provider) -> Provider:
    """The development identity provider of this test process."""
    return local_logto


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The migrated database of this test process."""
    with migrated_database(tmp_path_factory.mktemp("database")) as made:
        yield made


@pytest.fixture(scope="session")
async def management(provider: Provider) -> AsyncIterator[ManagementClient]:
    """The provider's Management API."""
    async with open_http(30) as http:
        yield ManagementClient(management_settings(provider), http, timeout=30)


@pytest.fixture(scope="session")
def nameserver() -> Iterator[FakeNameserver]:
    """The nameserver that the application queries for TXT records."""
    with running_nameserver() as running:
        yield running


@pytest.fixture(scope="session")
async def settings(
    provider: Provider, database: Database, management: ManagementClient, nameserver: FakeNameserver
) -> Settings:
    """The settings of an application that was provisioned like every deployment."""
    deployment = Deployment(app_url=APP_URL, api_resource=API_RESOURCE)
    found = await survey(management, deployment)
    application = await apply(management, deployment, found, plan(deployment, found))
    team = await apply_support(management, await survey_support(management, SupportTeam()))
    return Settings(
        app_url=APP_URL,
        database_url=database.url,
        database_owner_url=database.owner_url,
        database_jobs_url=database.jobs_url,
        encryption_keys=(SecretStr(Fernet.generate_key().decode()),),
        logto_endpoint=provider.endpoint,
        logto_app_id=application.app_id,
        logto_app_secret=SecretStr(application.app_secret),
        webhook_signing_key=SecretStr(application.webhook_signing_key),
        api_resource=API_RESOURCE,
        rate_limit_client=_NEVER_REACHED,
        rate_limit_user=_NEVER_REACHED,
        rate_limit_organization=_NEVER_REACHED,
        rate_limit_address=_NEVER_REACHED,
        lab=True,
        support_organization_id=team.organization_id,
        support_app_id=team.app_id,
        support_app_secret=SecretStr(team.app_secret),
        single_sign_on=True,
        single_sign_on_private_issuers=True,
        domain_nameservers=(Nameserver(*nameserver.address),),
        rate_limit_new_organizations=_NEVER_REACHED,
        rate_limit_invitations_user=_NEVER_REACHED,
        rate_limit_invitations_organization=_NEVER_REACHED,
        rate_limit_invitations_address=_NEVER_REACHED,
        rate_limit_changes=_NEVER_REACHED,
        management=management_settings(provider),
    )


@pytest.fixture(scope="session", autouse=True)
def stopped_job() -> Iterator[None]:
    """Applications do not take roles away at Logto, unless a test lets them: the job has stopped.

    So every test about roles that have ended also shows that nobody gets more while the job is late.
    """
    with patch.object(RoleEndWorker, "running", lambda _worker: contextlib.nullcontext()):
        yield


@pytest.fixture(scope="session")
async def app(settings: Settings) -> AsyncIterator[Quart]:
    """The application, serving. It also answers over HTTP, at ``settings.app_url``."""
    app = create_app(settings)
    async with app.test_app(), served(app):
        yield app


@pytest.fixture(scope="session")
def runtime(app: Quart) -> Runtime:
    """The services of the running application."""
    return runtime_of(app)


def runtime_of(app: Quart) -> Runtime:
    """Return the services of an application that is serving."""
    found: Runtime = app.extensions["workroom"]
    return found


@pytest.fixture(scope="session")
def make(management: ManagementClient, settings: Settings) -> Factory:
    """The factory of people and organizations, at a provider where the roles were provisioned."""
    assert settings.logto_app_id
    return Factory(management)


OpenApp = Callable[..., Awaitable[Quart]]
OpenBrowser = Callable[..., Awaitable[Browser]]
OpenOffice = Callable[..., Awaitable[Office]]


@pytest.fixture
async def open_app(settings: Settings, app: Quart) -> AsyncIterator[OpenApp]:
    """``await open_app(logto_timeout=1.0)``: a second worker, or one with other settings.

    Over HTTP, ``app`` answers for all of them.
    """
    async with contextlib.AsyncExitStack() as stack:

        async def open_one(**changes: Any) -> Quart:
            another = create_app(settings.model_copy(update=changes))
            await stack.enter_async_context(another.test_app())
            return another

        yield open_one


@pytest.fixture
async def open_browser(app: Quart, settings: Settings) -> AsyncIterator[OpenBrowser]:
    """``await open_browser(person, at=app)``: a new browser, signed in if a person is given."""
    async with contextlib.AsyncExitStack() as stack:

        async def open_one(person: Person | None = None, at: Quart = app) -> Browser:
            browser = await stack.enter_async_context(Browser(at, settings.redirect_uri))
            if person is not None:
                await browser.sign_in(person)
            return browser

        yield open_one


@pytest.fixture
def open_office(make: Factory, open_browser: OpenBrowser) -> OpenOffice:
    """``await open_office("Acme", admin="Ada")``: an organization with its members signed in, by role."""
    return partial(new_office, make, open_browser)

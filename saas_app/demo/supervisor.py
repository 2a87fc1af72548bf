"""Runs the demo: starts, watches and stops Workroom, two identity providers and the lab's practice service.

The providers are separate programs: Workroom's, and that of a customer. They are set up through their
environment and, like any Logto, through the Management API.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from saas_app.config import DatabaseLocation, ManagementSettings
from saas_app.coordination.jobs import Failure
from saas_app.db.private_files import tighten
from saas_app.demo.child import Child
from saas_app.demo.company import CompanyClient, CompanyProvider
from saas_app.demo.options import DemoOptions
from saas_app.demo.people import PEOPLE, as_sign_in_shortcuts
from saas_app.demo.practice import PracticeService
from saas_app.demo.welcome import welcome
from saas_app.errors import ConfigurationError, LogtoUnavailable
from saas_app.logto import ManagementClient, ManagementError, probe
from saas_app.logto.http import open_http
from saas_app.operations.deployment import (
    DeploymentSettings,
    registration_with,
    stored_environment,
    support_environment,
)
from saas_app.operations.env_file import read_env_file, write_env_file
from saas_app.operations.migrate import MigrationState, migrate
from saas_app.operations.output import say
from saas_app.operations.preflight import (
    find_free_port,
    require_free_port,
    require_package,
    require_writable_folder,
)
from saas_app.operations.provisioning import (
    ProvisionedApplication,
    SupportTeam,
    apply,
    apply_support,
    drift,
    list_social_callbacks,
    plan,
    survey,
    survey_support,
)
from saas_app.operations.sign_in_methods.declaration import FILE_VARIABLE, find_declaration, load_declaration
from saas_app.text.translation import _

_PROBE_TIMEOUT = 2.0  # seconds
_API_RESOURCE = "https://api.workroom.example"
_WEBHOOK_KEY = "LOGTO_WEBHOOK_SIGNING_KEY"
_OURS = (
    "APP_",
    "LOGTO_",
    "LOCAL_LOGTO_",
    "DATABASE_",
    "SMTP_",
    "MAIL_",
    "LAB_",
    "SUPPORT_",
    "SINGLE_",
    FILE_VARIABLE,
)
_FOR_THE_PROVIDER = (
    "LOCAL_LOGTO_MAILGUN_BASE_URL",
    "LOCAL_LOGTO_NAVER_BASE_URL",
    "LOCAL_LOGTO_NAVER_API_BASE_URL",
    "LOCAL_LOGTO_CONNECTOR_TIMEOUT",
)
_SIGN_IN_METHODS = Path(__file__).with_name("connectors.toml")


def run_demo(options: DemoOptions) -> None:
    """Run the demo until Ctrl-C or SIGTERM. Raises :class:`ConfigurationError` if it cannot continue."""
    require_package("local_logto", _("run the demo from a clone, with make demo"))
    if options.reload:
        require_package("watchfiles", _("reload from a clone, with make dev"))
    require_writable_folder(options.data)
    if options.env_file.exists():  # an earlier run created the folder
        for path in (options.data, *options.data.iterdir()):
            tighten(path)
    require_free_port(
        "localhost", options.app_port, _("stop the program that uses it, or start with APP_PORT=…")
    )
    require_free_port(
        "localhost", options.logto_port, _("stop the program that uses it, or start with LOGTO_PORT=…")
    )
    require_free_port(
        "127.0.0.1", options.company_port, _("stop the program that uses it, or start with COMPANY_PORT=…")
    )
    asyncio.run(_until_stopped(_Demo(options)))


async def _until_stopped(demo: _Demo) -> None:
    running = asyncio.ensure_future(demo.run())
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if not demo.is_stopping:
            demo.is_stopping = True
            say()
            say(_("Stopping …"))
            running.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    try:
        await running
    except asyncio.CancelledError:
        say(_("Stopped. The data is kept for the next start."))


class _Demo:
    """One run of the demo. It stops every program that it started."""

    def __init__(self, options: DemoOptions) -> None:
        self._options = options
        self._stored = read_env_file(options.env_file) if options.env_file.exists() else {}
        self._management = ManagementSettings(
            endpoint=options.logto_url,
            app_id="m-default",
            app_secret=self._stored.get("LOGTO_MANAGEMENT_APP_SECRET") or secrets.token_urlsafe(32),  # type: ignore[arg-type]
            token_endpoint="",
            resource="https://default.logto.app/api",
        )
        self._connectors_file = find_declaration(os.environ) or _SIGN_IN_METHODS
        self._sign_in_methods = load_declaration(self._connectors_file, os.environ)
        self._smtp_port = find_free_port(urlsplit(self._stored.get("SMTP_URL", "")).port or 0)
        self._practice = PracticeService.of(self._stored)
        self._company = CompanyProvider.of(options)
        self._team = SupportTeam(
            *(self._stored.get(f"SUPPORT_{name}", "") for name in ("ORGANIZATION_ID", "APP_ID", "APP_SECRET"))
        )
        self._children: list[Child] = []
        self.is_stopping = False

    async def run(self) -> None:
        """Start all programs, set up what is missing, then wait until one of them ends."""
        try:
            async with open_http(_PROBE_TIMEOUT) as http:
                clients = await self._start(http)
            say(welcome(self._options, self._sign_in_methods.connectors, self._company, clients))
            await self._watch()
        finally:
            self.is_stopping = True
            await asyncio.gather(*(child.stop() for child in reversed(self._children)))

    async def _start(self, http: aiohttp.ClientSession) -> dict[str, CompanyClient]:
        """Start everything. Returns what organizations enter to connect the customer's provider."""
        say(_("[1/4] Starting the development identity provider …"))
        logto = await self._start_logto()
        await self._start_child(
            "practice", self._practice.command(self._options, _API_RESOURCE), self._practice.own_environment
        )
        migrated = await asyncio.to_thread(migrate, DatabaseLocation(self._options.database_url))
        await logto.wait_until(lambda: probe.is_ready(self._options.logto_url, http))
        say(_("[2/4] Checking roles, permissions and sign-in methods …"))
        management = ManagementClient(self._management, http)
        with self._explaining("local_logto"):
            application = await self._set_up(management, migrated.before)
        say(_("[4/4] Starting Workroom …"))
        app = await self._start_app(application)
        company = await self._start_company()
        await app.wait_until(lambda: _responds(f"{self._options.app_url}/readyz", http))
        with self._explaining("company"):
            return await self._connect_company(company, http, management, application.app_id)

    @contextmanager
    def _explaining(self, name: str) -> Iterator[None]:
        """Name the log of a provider if it refuses to be set up within the block."""
        try:
            yield
        except (LogtoUnavailable, ManagementError) as error:
            raise ConfigurationError(
                _(
                    "Setting up the identity provider failed: %(error)s See its log: %(log)s.",
                    error=error,
                    log=self._log(name),
                )
            ) from None

    async def _start_logto(self) -> Child:
        options = self._options
        people = json.dumps(as_sign_in_shortcuts(PEOPLE), indent=2, ensure_ascii=False)
        options.people_file.write_text(people, encoding="utf-8")
        return await self._start_child(
            "local_logto",
            ["local_logto", "serve", "--host", "127.0.0.1", "--port", str(options.logto_port),
             "--data-dir", str(options.data / "local_logto")],
            {
                "LOCAL_LOGTO_ENDPOINT": options.logto_url,
                "LOCAL_LOGTO_MANAGEMENT_APP_ID": self._management.app_id,
                "LOCAL_LOGTO_MANAGEMENT_APP_SECRET": self._management.app_secret.get_secret_value(),
                "LOCAL_LOGTO_DEMO_PEOPLE": str(options.people_file),
                "LOCAL_LOGTO_SMTP_PORT": str(self._smtp_port),
            },
        )  # fmt: skip

    async def _start_app(self, application: ProvisionedApplication) -> Child:
        settings = self._deployment(application)
        values = stored_environment(self._management, settings, application, self._connectors_file)
        emails = {
            "SMTP_URL": f"smtp://127.0.0.1:{self._smtp_port}",
            "MAIL_FROM": "Workroom <no-reply@workroom.example>",
        }
        people = str(self._options.people_file.resolve())
        lab = {"LAB": "true", "LAB_PEOPLE_FILE": people, **self._practice.environment}
        sso = dict.fromkeys(("SINGLE_SIGN_ON", "SINGLE_SIGN_ON_PRIVATE_ISSUERS"), "true")
        write_env_file(self._options.env_file, values | emails | lab | sso | support_environment(self._team))
        return await self._start_child(
            "saas_app",
            ["saas_app", "serve", "--env-file", str(self._options.env_file), "--no-migrate",
             *(["--reload"] if self._options.reload else [])],
            {},
            in_terminal=self._options.reload,
        )  # fmt: skip

    async def _start_child(
        self, name: str, arguments: list[str], extra: dict[str, str], *, in_terminal: bool = False
    ) -> Child:
        inherited = {
            key: value
            for key, value in os.environ.items()
            if key in _FOR_THE_PROVIDER or not key.startswith(_OURS)
        }
        child = Child(name, arguments, inherited | extra, None if in_terminal else self._log(name))
        self._children.append(child)
        await child.start()
        return child

    def _log(self, name: str) -> Path:
        return self._options.data / f"{name}.log"

    async def _set_up(self, client: ManagementClient, before: MigrationState) -> ProvisionedApplication:
        deployment = replace(
            self._deployment().deployment, sign_in_methods=self._sign_in_methods, single_sign_on=True
        )
        found = await survey(client, deployment)
        changes = plan(deployment, found)
        application = await apply(client, deployment, found, changes)
        self._team = await apply_support(client, await survey_support(client, self._team))
        if drift(changes):
            say(
                "     ",
                _(
                    "Provisioned: %(written)s of %(all)s settings written.",
                    written=len(drift(changes)),
                    all=len(changes),
                ),
            )
        for callback in await list_social_callbacks(client, deployment, self._options.logto_url):
            say(
                "     ",
                _(
                    "Register this callback URL at %(provider)s: %(url)s",
                    provider=callback.provider,
                    url=callback.url,
                ),
            )
        say(_("[3/4] Checking the demo people, organizations and projects …"))
        mark = {"data": _fingerprint(), "application": application.app_id}
        if before.current is None or _read_mark(self._options.seeded_file) != mark:
            await self._seed(client)
            self._options.seeded_file.write_text(json.dumps(mark), encoding="utf-8")
        return application

    async def _start_company(self) -> Child:
        """Start the customer's provider. A later start does not wait for it."""
        self._company.prepare()
        return await self._start_child("company", self._company.command, self._company.environment)

    async def _connect_company(
        self, child: Child, http: aiohttp.ClientSession, product: ManagementClient, application_id: str
    ) -> dict[str, CompanyClient]:
        """Connect the customer's provider, unless an earlier run did so at these addresses.

        Logto asks Workroom for its metadata meanwhile, so that has to be running.
        """
        options, company = self._options, self._company
        mark = {"issuer": company.issuer, "logto": options.logto_url, "application": application_id}
        mark |= {"app": options.app_url, "data": _fingerprint()}
        clients = company.find_clients(mark)
        if clients is None:
            from saas_app.db.engine import create_engine  # only the first start needs these
            from saas_app.db.unit_of_work import UnitOfWork
            from saas_app.demo.connections import connect_company

            engine = create_engine(options.database_url)
            keys = read_env_file(options.env_file)["APP_ENCRYPTION_KEYS"]
            registration = registration_with(keys, options.app_url, options.logto_url)
            await child.wait_until(lambda: probe.is_ready(options.company_url, http))
            try:
                there = ManagementClient(company.management, http)
                clients = await connect_company(company, there, product, UnitOfWork(engine), registration)
            finally:
                await engine.dispose()
            company.keep_clients(clients, mark)
        return clients

    async def _seed(self, client: ManagementClient) -> None:
        from saas_app.db.engine import create_engine  # only the first start needs these, and half of its time
        from saas_app.db.unit_of_work import UnitOfWork
        from saas_app.demo.seed import DemoSeeder

        engine = create_engine(self._options.database_url)
        try:
            team = self._team.organization_id
            seeder = DemoSeeder(client, UnitOfWork(engine), self._options.app_url, support=team)
            steps = [step async for step in seeder.seed()]
        finally:
            await engine.dispose()
        done = [step for step in steps if not isinstance(step, Failure)]
        for failure in (step for step in steps if isinstance(step, Failure)):
            say("     ", _("Not created: %(item)s (%(why)s)", item=failure.item, why=failure.why), err=True)
        say(
            "     ",
            _(
                "Demo data: %(written)s of %(all)s items written.",
                written=sum(step.changed for step in done),
                all=len(steps),
            ),
        )

    def _deployment(self, application: ProvisionedApplication | None = None) -> DeploymentSettings:
        """Return the settings that an earlier run stored. The environment is ignored."""
        key = application.webhook_signing_key if application else self._stored.get(_WEBHOOK_KEY, "")
        return DeploymentSettings(
            app_url=self._options.app_url,
            api_resource=_API_RESOURCE,
            database_url=self._options.database_url,
            database_owner_url=None,
            database_jobs_url=None,
            app_id=application.app_id if application else self._stored.get("LOGTO_APP_ID", ""),
            app_secret=application.app_secret if application else "",  # type: ignore[arg-type]
            webhook_signing_key=key,  # type: ignore[arg-type]
            encryption_keys=self._stored.get("APP_ENCRYPTION_KEYS", ""),  # type: ignore[arg-type]
        )

    async def _watch(self) -> None:
        waiting = [asyncio.ensure_future(child.wait()) for child in self._children]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        raise next(child for child in self._children if child.has_ended).died()


async def _responds(url: str, http: aiohttp.ClientSession) -> bool:
    try:
        async with http.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


def _fingerprint() -> str:
    """Return a hash of this package, which changes when the demo's data may have changed."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _read_mark(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None

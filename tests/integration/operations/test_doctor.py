"""``saas-app doctor``: no findings when everything works, and a remedy for each broken part.

Logto is real except for its clock. Faults are set up through the command's environment, or in Logto through
its Management API.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import pytest
import structlog

import saas_app.demo
from saas_app.logto import ManagementClient
from saas_app.operations.env_file import read_env_file
from tests.commands import ask, run
from tests.databases import migrated_database
from tests.processes import Provider, free_port, running_application, running_provider

_R = TypeVar("_R")
_OURS = ("LOGTO_", "APP_", "DATABASE_URL", "CONNECTORS_FILE")
DEMO_METHODS = Path(saas_app.demo.__file__).with_name("connectors.toml")


@dataclass(frozen=True, slots=True)
class Report:
    """What the command printed: for each check whether it passed, what was found, and the remedy."""

    exit_code: int
    output: str

    @property
    def failed(self) -> dict[str, str]:
        """The failed checks, each with its finding and remedy on one line."""
        found: dict[str, str] = {}
        name = ""
        for line in self.output.splitlines():
            if line.startswith("FAILED"):
                name = line[8:24].strip()
                found[name] = line[24:]
            elif line.lstrip().startswith("→"):
                found[name] += f" {line.strip()}"
        return found


@dataclass(frozen=True, slots=True)
class Chain:
    """A provisioned application that runs, and its environment file."""

    provider: Provider
    url: str
    stored: dict[str, str]

    def doctor(self, *arguments: str, **changes: str) -> Report:
        """Run the command with some variables changed. "" removes one."""
        return doctor(*arguments, **{**self.stored, **changes})

    def ask(self, question: Callable[[ManagementClient], Awaitable[_R]]) -> _R:
        """Call the Management API."""
        return ask(self.provider, question)


def doctor(*arguments: str, **given: str) -> Report:
    """Run the command with exactly this environment."""
    result = run("doctor", *arguments, **_only(given))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Report(result.exit_code, result.output)


def _only(given: dict[str, str]) -> dict[str, str | None]:
    ours: dict[str, str | None] = {name: None for name in os.environ if name.startswith(_OURS)}
    return ours | {name: value or None for name, value in given.items()}


@pytest.fixture(scope="module", autouse=True)
def logging() -> Iterator[None]:
    """Restore logging, which each command configures."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """A working installation, started once for this module."""
    directory = tmp_path_factory.mktemp("chain")
    with (
        running_provider(directory) as provider,
        migrated_database(directory) as database,
        running_application(provider, database, directory) as application,
    ):
        yield Chain(provider, application.url, read_env_file(application.env_file))


@contextlib.contextmanager
def answering(answers: dict[str, tuple[int, str]], *, clock_ahead: float = 0) -> Iterator[str]:
    """Run a server with these responses by path, and 404 for others. Its clock may be wrong."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, text = answers.get(self.path, (404, "{}"))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = _answer  # noqa: N815 - the names of the base class

        def date_time_string(self, timestamp: float | None = None) -> str:
            return format_datetime(datetime.now(UTC) + timedelta(seconds=clock_ahead), usegmt=True)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_working_installation_has_no_findings(chain: Chain) -> None:
    report = chain.doctor()

    assert (report.exit_code, report.failed) == (0, {}), report.output
    for name in (
        "settings", "sign-in methods", "database", "redis", "email", "address", "endpoint", "issuer", "clock",
        "Management API", "application", "back-channel logout", "template", "webhook",
    ):  # fmt: skip
        assert f"\nok      {name:<15} " in f"\n{report.output}"
    assert "single sign-on" not in report.output
    assert "not used" in report.output
    assert "/backchannel-logout is registered; Logto 1.42 does not call private addresses" in report.output


def test_no_secret_is_printed(chain: Chain) -> None:
    for report in (
        chain.doctor(),
        chain.doctor(LOGTO_APP_SECRET="wrong-one", LOGTO_WEBHOOK_SIGNING_KEY="x1y2z3"),
    ):
        for name in ("LOGTO_APP_SECRET", "LOGTO_MANAGEMENT_APP_SECRET", "LOGTO_WEBHOOK_SIGNING_KEY"):
            assert chain.stored[name] not in report.output
        assert "wrong-one" not in report.output
        assert "x1y2z3" not in report.output


def test_missing_settings_are_named_and_the_rest_is_checked(chain: Chain) -> None:
    report = chain.doctor(APP_ENCRYPTION_KEYS="")

    assert report.exit_code == 1
    assert list(report.failed) == ["settings"]
    assert "APP_ENCRYPTION_KEYS is not set" in report.failed["settings"]
    assert "→ saas-app provision --write-env .env" in report.failed["settings"]


def test_a_missing_logto_endpoint_is_reported() -> None:
    report = doctor()

    assert "LOGTO_ENDPOINT is not set" in report.failed["endpoint"]


def test_a_malformed_url_is_named(chain: Chain) -> None:
    assert "APP_URL must be an absolute" in chain.doctor(APP_URL="workroom").failed["deployment"]


def test_a_database_without_migrations_is_reported(chain: Chain, tmp_path: Path) -> None:
    found = chain.doctor(**only_database(tmp_path / "none.db")).failed
    assert "at no migration" in found["database"]
    assert "→ saas-app migrate" in found["database"]


def test_an_unusable_database_is_reported(chain: Chain, tmp_path: Path) -> None:
    (tmp_path / "no.db").write_text("This is a letter and no database. " * 40)
    found = chain.doctor(**only_database(tmp_path / "no.db")).failed
    assert "Cannot use the database" in found["database"]
    assert "correct DATABASE_URL" in found["database"]


def only_database(path: Path) -> dict[str, str]:
    """Return the settings of a SQLite file that all roles use."""
    return {
        "DATABASE_URL": f"sqlite+aiosqlite:///{path}",
        "DATABASE_OWNER_URL": "",
        "DATABASE_JOBS_URL": "",
    }


def test_an_application_that_is_down_is_reported(chain: Chain, tmp_path: Path) -> None:
    env_file = tmp_path / "other.env"
    other = {**chain.stored, "APP_URL": f"http://localhost:{free_port()}"}
    for name in ("LOGTO_APP_ID", "LOGTO_APP_SECRET", "LOGTO_WEBHOOK_SIGNING_KEY"):
        del other[name]
    assert run("provision", "--write-env", env_file, **_only(other)).exit_code == 0
    try:
        report = doctor(**read_env_file(env_file))
    finally:
        assert run("provision", **_only(chain.stored)).exit_code == 0

    assert list(report.failed) == ["address", "webhook"], report.output
    assert "nothing responds" in report.failed["address"]
    assert "→ saas-app serve" in report.failed["address"]
    assert "Logto cannot reach" in report.failed["webhook"]


def test_another_server_at_the_applications_address_is_reported(chain: Chain) -> None:
    report = chain.doctor(APP_URL=chain.provider.endpoint)

    assert "something other than Workroom responds" in report.failed["address"]
    assert "redirect URI" in report.failed["application"]
    assert "webhook" in report.failed["webhook"]
    assert "→ saas-app provision" in report.failed["application"]


@pytest.mark.parametrize(
    ("status", "found", "remedy"),
    [
        (401, "rejects Logto's signature", "restart it"),
        (404, "does not recognize the webhook", "restart it"),
        (502, "returned status 502 to Logto", "the log of Workroom and the proxy"),
    ],
)
def test_a_webhook_that_the_application_rejects_is_reported(
    chain: Chain, status: int, found: str, remedy: str
) -> None:
    answers = {"/readyz": (200, '{"database": "ok"}'), "/webhooks/logto": (status, "{}")}
    with answering(answers) as url:

        async def register(client: ManagementClient) -> str:
            events = next(hook.events for hook in await client.list_hooks() if hook.url.startswith(chain.url))
            return (await client.create_hook("Another", f"{url}/webhooks/logto", events)).signing_key

        report = chain.doctor(APP_URL=url, LOGTO_WEBHOOK_SIGNING_KEY=chain.ask(register))

    assert found in report.failed["webhook"]
    assert remedy in report.failed["webhook"]


def test_a_database_that_the_running_application_cannot_reach_is_reported(chain: Chain) -> None:
    with answering({"/readyz": (503, "{}")}) as url:
        assert "cannot reach its database" in chain.doctor(APP_URL=url).failed["address"]


def test_a_logto_that_is_down_or_another_server_is_reported(chain: Chain) -> None:
    nowhere = chain.doctor(LOGTO_ENDPOINT=f"http://localhost:{free_port()}")
    assert "does not respond" in nowhere.failed["endpoint"]
    assert "Management API" not in nowhere.output  # no further check is possible

    other = chain.doctor(LOGTO_ENDPOINT=chain.url)
    assert "responds, but not like a Logto" in other.failed["endpoint"]
    assert "correct LOGTO_ENDPOINT" in other.failed["endpoint"]


def test_a_logto_reached_under_another_name_is_reported(chain: Chain) -> None:
    report = chain.doctor(LOGTO_ENDPOINT=chain.provider.endpoint.replace("localhost", "127.0.0.1"))

    assert f"→ set LOGTO_ENDPOINT to {chain.provider.endpoint}" in report.failed["issuer"]


@pytest.mark.parametrize(("ahead", "words"), [(120, "ahead of"), (-120, "behind")])
def test_clocks_that_differ_are_reported(chain: Chain, ahead: float, words: str) -> None:
    answers = {"/api/status": (204, "")}
    with answering(answers, clock_ahead=ahead) as endpoint:
        issuer = json.dumps({"issuer": f"{endpoint}/oidc"})
        answers["/oidc/.well-known/openid-configuration"] = (200, issuer)
        report = chain.doctor(LOGTO_ENDPOINT=endpoint)

    assert words in report.failed["clock"]
    assert "NTP" in report.failed["clock"]
    assert "issuer" not in report.failed


def test_missing_or_wrong_management_credentials_are_reported(chain: Chain) -> None:
    missing = chain.doctor(LOGTO_MANAGEMENT_APP_SECRET="").failed["Management API"]
    assert "LOGTO_MANAGEMENT_APP_SECRET is not set" in missing

    wrong = chain.doctor(LOGTO_MANAGEMENT_APP_SECRET="guessed").failed["Management API"]
    assert "→ correct LOGTO_MANAGEMENT_APP_ID and LOGTO_MANAGEMENT_APP_SECRET" in wrong

    elsewhere = chain.doctor(LOGTO_MANAGEMENT_RESOURCE="https://other.logto.app/api").failed["Management API"]
    assert "→ correct LOGTO_MANAGEMENT_RESOURCE" in elsewhere


def test_management_credentials_without_the_role_are_reported(chain: Chain) -> None:
    async def make(client: ManagementClient) -> dict[str, str]:
        body = {"name": "No role", "type": "MachineToMachine"}
        app_id = (await client._body("POST", "/applications", body))["id"]
        (secret,) = await client.list_secrets(app_id)
        return {"LOGTO_MANAGEMENT_APP_ID": app_id, "LOGTO_MANAGEMENT_APP_SECRET": secret.value}

    machine = chain.ask(make)
    report = chain.doctor(**machine).failed["Management API"]

    assert f"→ assign {machine['LOGTO_MANAGEMENT_APP_ID']} the role 'Logto Management API access'" in report


def test_an_application_secret_that_is_no_longer_valid_is_reported(chain: Chain) -> None:
    report = chain.doctor(LOGTO_APP_SECRET="wrong-one")

    assert list(report.failed) == ["application"]
    assert "LOGTO_APP_SECRET is no longer valid" in report.failed["application"]


def test_a_changed_organization_template_is_reported(chain: Chain) -> None:
    async def change(client: ManagementClient, scope_ids: list[str] | None = None) -> list[str]:
        role = next(role for role in await client.list_organization_roles() if role.name == "viewer")
        await client.replace_role_scopes(role.id, scope_ids or [])
        return sorted(role.scope_ids)

    before = chain.ask(change)
    try:
        report = chain.doctor()
    finally:
        chain.ask(lambda client: change(client, before))

    assert list(report.failed) == ["template"]
    assert "organization role viewer: +members:read" in report.failed["template"]


def test_a_disabled_webhook_is_reported(chain: Chain) -> None:
    async def switch(client: ManagementClient, *, enabled: bool) -> None:
        (hook,) = (hook for hook in await client.list_hooks() if hook.url.startswith(chain.url))
        await client._body("PATCH", f"/hooks/{hook.id}", {"enabled": enabled})

    chain.ask(lambda client: switch(client, enabled=False))
    try:
        report = chain.doctor()
    finally:
        chain.ask(lambda client: switch(client, enabled=True))

    assert list(report.failed) == ["webhook"]
    assert "it is disabled" in report.failed["webhook"]


def test_single_sign_on_that_logto_does_not_offer_is_reported(chain: Chain) -> None:
    report = chain.doctor(SINGLE_SIGN_ON="true")

    assert list(report.failed) == ["single sign-on"]
    assert "it is off" in report.failed["single sign-on"]
    assert "→ saas-app provision" in report.failed["single sign-on"]


@pytest.mark.parametrize(("name", "failed"), [("Workroom org", ["single sign-on"]), ("Operator", [])])
def test_connectors_that_nothing_answers_are_reported(chain: Chain, name: str, failed: list[str]) -> None:
    connector = chain.ask(lambda client: client.create_sso_connector(name))
    chain.ask(lambda client: client.change_sign_in_experience({"singleSignOnEnabled": True}))
    try:
        report = chain.doctor()
    finally:
        chain.ask(lambda client: client.change_sign_in_experience({"singleSignOnEnabled": False}))
        chain.ask(lambda client: client.delete_sso_connector(connector.id))

    assert list(report.failed) == failed
    assert ("but SINGLE_SIGN_ON is off" in report.output) is bool(failed)


@pytest.fixture
def offered(chain: Chain) -> Iterator[None]:
    """Logto sends people to the identity providers of their companies."""

    def switch(*, is_on: bool) -> None:
        chain.ask(lambda client: client.change_sign_in_experience({"singleSignOnEnabled": is_on}))

    switch(is_on=True)
    yield
    switch(is_on=False)


@pytest.mark.usefixtures("offered")
def test_single_sign_on_that_logto_offers_is_no_finding(chain: Chain) -> None:
    report = chain.doctor(SINGLE_SIGN_ON="true")

    assert (report.exit_code, report.failed) == (0, {}), report.output
    assert "Logto signs people in at the identity providers of their companies" in report.output


@pytest.mark.usefixtures("offered")
@pytest.mark.parametrize(("name", "failed"), [("Workroom org", ["single sign-on"]), ("Operator", [])])
def test_connectors_that_point_elsewhere_are_reported(chain: Chain, name: str, failed: list[str]) -> None:
    connector = chain.ask(lambda client: client.create_sso_connector(name))
    try:
        report = chain.doctor(SINGLE_SIGN_ON="true")
    finally:
        chain.ask(lambda client: client.delete_sso_connector(connector.id))

    assert list(report.failed) == failed
    assert (f"do not point at Workroom: {connector.id}" in report.output) is bool(failed)


def test_invalid_sign_in_methods_are_reported(chain: Chain, tmp_path: Path) -> None:
    file = tmp_path / "connectors.toml"
    file.write_text('[sign_in.methods]\nemail = ["code"]\n')

    report = chain.doctor(CONNECTORS_FILE=str(file))

    assert list(report.failed) == ["sign-in methods"]
    assert "sign_in.methods.email" in report.failed["sign-in methods"]


def test_sign_in_methods_that_logto_does_not_have_yet_are_reported(chain: Chain) -> None:
    report = chain.doctor("--connectors", str(DEMO_METHODS))

    assert set(report.failed) >= {"connectors", "sign-in page"}, report.output
    assert "mock-email-service" in report.failed["connectors"]
    assert "→ saas-app provision" in report.failed["sign-in page"]

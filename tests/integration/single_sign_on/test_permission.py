"""Only organizations that the operator allows connect a provider, unless every organization may."""

from __future__ import annotations

import asyncio
import sys

import pytest
from quart import Quart

from saas_app.changes.organization_change import Systems
from saas_app.config import Settings
from saas_app.errors import LogtoUnavailable
from saas_app.logto import ManagementClient
from saas_app.rbac.permissions import Carrier
from saas_app.runtime import Runtime
from saas_app.single_sign_on.changes import permission
from saas_app.single_sign_on.values import Stage
from tests.clients import FRESH
from tests.conftest import OpenApp, OpenBrowser
from tests.integration.bearer import ApiClient
from tests.integration.faulty_logto import DOWN, Fault, Gate
from tests.integration.killed import environment_of
from tests.integration.single_sign_on.company import Company, SignInThroughCompany
from tests.integration.single_sign_on.upkeep import at_logto, reconcile, through
from tests.integration.single_sign_on.wizard import Wizard
from tests.tokens import token_of

SENTENCE = "The operator has to allow your organization to connect an identity provider first."
SETTING_UP = ("begin", "domains", "provider", "people", "on", "apply", "groups", "require")


@pytest.fixture
async def strict(open_app: OpenApp) -> Quart:
    """An application where the operator allows each organization."""
    return await open_app(single_sign_on_self_service=False)


@pytest.fixture
async def page(strict: Quart, company: Company, open_browser: OpenBrowser) -> Wizard:
    """The page of an admin whose organization has no permission."""
    browser = await open_browser(at=strict)
    await browser.sign_in(company.admin, FRESH)
    return Wizard(company, browser)


async def save(company: Company, *, allowed: bool, management: ManagementClient | None = None) -> bool:
    """Allow or forbid it, as the commands do."""
    step = permission.allow if allowed else permission.forbid
    organization = await company.management.get_organization(company.id)
    client = management or company.management
    return await step(Systems(company.runtime.jobs, client, None), organization)


async def command(
    company: Company, settings: Settings, name: str, *ids: str, **given: str
) -> tuple[int, str]:
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "saas_app", "single-sign-on", name, *(ids or (company.id,)),
        env={**environment_of(settings), "SINGLE_SIGN_ON_SELF_SERVICE": "false", **given},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await running.communicate()
    assert running.returncode is not None
    return running.returncode, " ".join(output.decode().split())


# The pages and the API


async def test_without_permission_the_page_says_who_gives_it(page: Wizard) -> None:
    text = await page.text()

    assert SENTENCE in text
    assert f"{page.path}/begin" not in text
    assert SENTENCE in await page.browser.text(f"{page.company.root}/settings")


async def test_without_permission_a_connection_can_only_be_turned_off_and_removed(page: Wizard) -> None:
    await page.company.connect(Stage.ON)

    text = await page.text()

    offered = [step for step in (*SETTING_UP, "off", "remove") if f'"{page.path}/{step}"' in text]
    assert offered == ["off", "remove"]


@pytest.mark.parametrize("step", SETTING_UP)
async def test_without_permission_nothing_is_set_up(step: str, page: Wizard) -> None:
    await page.company.connect(Stage.ON)
    before = await page.company.connection()
    form = {"provider": page.provider(), "people": {"joins": "yes"}, "groups": {"claim": "groups"}}

    text = await page.send(step, form.get(step, {}), 409)

    assert SENTENCE in text
    assert (await page.company.connection(), await page.actions()) == (before, [])


@pytest.mark.parametrize("step", ["test", "require"])
async def test_without_permission_nothing_is_tested_or_required(step: str, page: Wizard) -> None:
    await page.company.connect(Stage.ON)

    assert SENTENCE in await page.browser.text(f"{page.path}/{step}", 409)


@pytest.mark.parametrize(("step", "stage"), [("off", Stage.TESTED), ("optional", Stage.ON), ("remove", None)])
async def test_without_permission_it_can_be_ended(step: str, stage: Stage | None, page: Wizard) -> None:
    await page.company.connect(Stage.ON)

    await page.send(step)

    found = await page.find()
    assert (None if found is None else found.stage) is stage


async def test_with_permission_it_is_set_up(page: Wizard) -> None:
    await save(page.company, allowed=True)

    await page.send("begin")

    assert SENTENCE not in await page.text()
    assert await page.find() is not None


async def test_the_api_says_whether_it_is_allowed(company: Company, strict: Quart) -> None:
    token = await token_of(company.runtime, company.browser, company.id, Carrier.ORGANIZATION_TOKEN)
    client = ApiClient(strict, company.id, token)

    before = await client.json("GET", "/single-sign-on")
    await save(company, allowed=True)
    after = await client.json("GET", "/single-sign-on")

    assert (before["allowed"], after["allowed"]) == (False, True)


# Signing in, and reconciling


async def test_without_permission_nobody_comes_in(
    connection_on: Company, strict: Quart, open_browser: OpenBrowser
) -> None:
    connection_on.asserts()
    browser = await open_browser(at=strict)

    page = await connection_on.refusal(browser)

    assert "has not turned on single sign-on" in page
    assert connection_on.provider.received == []


async def test_with_permission_people_come_in(
    connection_on: Company, strict: Quart, sign_in_through_company: SignInThroughCompany
) -> None:
    await save(connection_on, allowed=True)

    await sign_in_through_company(connection_on, at=strict)

    assert await connection_on.events("sso.refuse") == []


async def test_reconciling_turns_off_what_is_not_allowed(required: Company) -> None:
    first, *_rest = await reconcile(required, self_service=False)

    assert first == "single sign-on was turned off: the operator has not allowed it"
    connection = await required.connection()
    assert connection.stage is Stage.TESTED
    assert await at_logto(required) == ([], False)
    assert [event.action for event in await required.events()] == ["sso.turn-off", "sso.stop-requiring"]
    assert await reconcile(required, self_service=False) == []


async def test_reconciling_keeps_what_is_allowed(required: Company) -> None:
    await save(required, allowed=True)

    assert await reconcile(required, self_service=False) == []
    assert (await required.connection()).stage is Stage.REQUIRED


# The commands


async def test_an_organization_is_allowed_and_forbidden(company: Company, settings: Settings) -> None:
    """One scenario: each step begins where the last one ended."""
    assert "may connect" in (await command(company, settings, "allow"))[1]
    assert "already" in (await command(company, settings, "allow"))[1]
    await company.connect(Stage.REQUIRED)

    assert "is off" in (await command(company, settings, "forbid"))[1]
    assert "was not allowed" in (await command(company, settings, "forbid"))[1]

    connection = await company.connection()
    assert connection.stage is Stage.TESTED
    assert await at_logto(company) == ([], False)
    said = [(event.actor_id, event.after) for event in await company.events("sso.change")]
    assert said == [("system", {"allowed": True}), ("system", {"allowed": False})]


async def test_forbidding_again_turns_off_what_is_on(company: Company) -> None:
    await company.connect(Stage.ON)

    assert await save(company, allowed=False) is False

    assert (await company.connection()).stage is Stage.TESTED


async def test_while_logto_is_down_a_forbidden_connection_is_off_here(
    company: Company, gate: Gate, settings: Settings, runtime: Runtime
) -> None:
    await save(company, allowed=True)
    await company.connect(Stage.REQUIRED)
    gate.fail(Fault("GET|POST|PATCH|DELETE", "sso-connectors", **DOWN))

    with pytest.raises(LogtoUnavailable):
        await save(company, allowed=False, management=through(gate, settings, runtime))

    assert (await company.connection()).stage is Stage.TESTED


async def test_a_connector_that_was_deleted_in_logto_does_not_keep_it_on(company: Company) -> None:
    connector_id = await company.connect(Stage.ON)
    await company.management.delete_sso_connector(connector_id)

    await save(company, allowed=False)

    assert not (await company.connection()).is_on


@pytest.mark.parametrize("name", ["allow", "forbid"])
async def test_an_unknown_organization_is_named(company: Company, settings: Settings, name: str) -> None:
    code, output = await command(company, settings, name, "nothere")

    assert (code, "Logto has no organization with the ID nothere." in output) == (1, True)


async def test_where_every_organization_may_none_is_forbidden(company: Company, settings: Settings) -> None:
    code, output = await command(company, settings, "forbid", SINGLE_SIGN_ON_SELF_SERVICE="true")

    assert (code, "allows every organization" in output) == (1, True)

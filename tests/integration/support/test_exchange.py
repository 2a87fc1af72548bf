"""Starting an access: Logto fails in each step, either person may not, and tokens name others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from saas_app.config import Settings
from saas_app.db.base import new_uuid
from saas_app.identity.membership_changes import mark_changed
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.support_exchange import Impersonation, require_both_names
from saas_app.identity.token_verifier import TokenRejected
from saas_app.logto import ManagementClient
from saas_app.rbac.permissions import Carrier
from saas_app.rbac.support import SUPPORT_READ
from saas_app.runtime import Runtime
from tests.clients import FRESH, Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.faulty_logto import DOWN, Fault, Faulty
from tests.integration.records import actions_of
from tests.integration.support.conftest import SUPPORT, Customer
from tests.integration.support.rows import allow_support

AGENT = SessionPrincipal("sam", session_id=new_uuid())
WANTED = Impersonation(AGENT, "carol", "acme", "4711", SUPPORT_READ)
CLAIMS = {"sub": "carol", "act": {"sub": "sam"}, "client_id": "support", "organization_id": "acme"}


def wish(organization_id: str, member: Person) -> Mapping[str, str]:
    """Return a complete form."""
    entered = {"ticket": "4711", "reason": "Stuck.", "level": "read"}
    return {"organization": organization_id, "member": member.id, **entered}


async def suspend(management: ManagementClient, person: Person) -> None:
    """Suspend an account in Logto Console. Nothing notifies the application."""
    body = {"isSuspended": True}
    await management._transport.call("PATCH", f"/users/{person.id}/is-suspended", body=body)


async def test_nobody_acts_for_a_suspended_person(
    acme: Customer, desk: Browser, desk_root: str, runtime: Runtime
) -> None:
    await allow_support(runtime, acme.id)
    await suspend(acme.management, acme.carol)

    page = await desk.submit(f"{desk_root}/start", wish(acme.id, acme.carol), 422)

    assert "This person is suspended" in page
    assert await actions_of(runtime, acme.id) == []


async def test_a_suspended_agent_starts_nothing(
    acme: Customer, desk: Browser, desk_root: str, sam: Person, runtime: Runtime
) -> None:
    """Logto ends the sessions of a suspended person at the next refresh, which starting an access needs."""
    await allow_support(runtime, acme.id)
    await desk.get(desk_root)
    await suspend(acme.management, sam)

    response = await desk.post(f"{desk_root}/start", wish(acme.id, acme.carol), 303)

    assert response.headers["Location"].startswith("/sign-in")
    assert await actions_of(runtime, acme.id) == []


async def test_an_agent_whose_access_changes_meanwhile_starts_nothing(
    faulty: Faulty, make: Factory, settings: Settings, desk_root: str, runtime: Runtime
) -> None:
    acme = faulty.acme
    await allow_support(runtime, acme.id)
    sam = await make.member(settings.support_organization_id, "Sam", SUPPORT)
    browser = await faulty.open_browser()
    await browser.sign_in(sam, FRESH)
    await browser.get(desk_root)

    async def demote(path: str) -> None:
        if path.endswith("/subject-tokens"):
            async with runtime.jobs.writing() as db:
                await mark_changed(db, settings.support_organization_id, [sam.id])

    faulty.gate.before = demote

    page = await browser.submit(f"{desk_root}/start", wish(acme.id, acme.admin), 409)

    assert "Your access to" in page
    assert await actions_of(runtime, acme.id) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/organizations/[^/]+/users/[^/]+/roles$"),
        ("GET", "/users/[^/]+$"),
        ("GET", "/organization-roles"),
        ("POST", "/subject-tokens$"),
    ],
)
async def test_while_a_call_to_logto_fails_nothing_is_stored(
    faulty: Faulty,
    make: Factory,
    settings: Settings,
    desk_root: str,
    runtime: Runtime,
    method: str,
    path: str,
) -> None:
    acme = faulty.acme
    await allow_support(runtime, acme.id)
    browser = await faulty.open_browser()
    await browser.sign_in(await make.member(settings.support_organization_id, "Sam", SUPPORT), FRESH)
    await browser.get(desk_root)
    faulty.gate.fail(Fault(method, path, **DOWN))

    page = await browser.submit(f"{desk_root}/start", wish(acme.id, acme.admin), 503)

    assert "Stuck." in page
    assert await actions_of(runtime, acme.id) == []


async def test_a_failure_to_end_the_grants_keeps_nothing_from_starting(
    faulty: Faulty, make: Factory, settings: Settings, desk_root: str, runtime: Runtime
) -> None:
    acme = faulty.acme
    await allow_support(runtime, acme.id)
    browser = await faulty.open_browser()
    await browser.sign_in(await make.member(settings.support_organization_id, "Sam", SUPPORT), FRESH)
    await browser.get(desk_root)
    faulty.gate.fail(Fault("GET", "/grants$", **DOWN))

    await browser.post(f"{desk_root}/start", wish(acme.id, acme.admin))

    assert await actions_of(runtime, acme.id) == ["support.start"]


async def test_a_customers_member_with_the_role_of_the_team_can_do_nothing(
    acme: Customer, make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    """Somebody gave the role in Logto Console, in an organization that is not the team's."""
    await allow_support(runtime, acme.id)
    browser = await open_browser()
    await browser.sign_in(await make.member(acme.id, "Mallory", SUPPORT), FRESH)

    await browser.get(f"{acme.root}/support", 404)
    await browser.post(f"{acme.root}/support/start", wish(acme.id, acme.carol), 404)

    assert await actions_of(runtime, acme.id) == []


@pytest.mark.parametrize("carrier", Carrier)
def test_a_token_for_the_member_and_the_agent_is_accepted(carrier: Carrier) -> None:
    require_both_names(CLAIMS, WANTED, "support", carrier)


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "dave"},
        {"sub": "sam"},
        {"act": {"sub": "carol"}},
        {"act": {"sub": "sam", "act": {"sub": "ada"}}},
        {"client_id": "another"},
        {"organization_id": "globex"},
        {"organization_id": None},
    ],
    ids=str,
)
def test_a_token_with_other_names_is_not_used(changes: dict[str, Any]) -> None:
    with pytest.raises(TokenRejected):
        require_both_names({**CLAIMS, **changes}, WANTED, "support", Carrier.API_TOKEN)


def test_a_token_without_an_agent_is_not_used() -> None:
    claims = {name: value for name, value in CLAIMS.items() if name != "act"}

    with pytest.raises(TokenRejected):
        require_both_names(claims, WANTED, "support", Carrier.ORGANIZATION_TOKEN)

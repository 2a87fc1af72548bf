"""Bearer tokens in which an agent acts for a member: genuine ones, forged claims, and what they are worth."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from quart import Quart

from saas_app.config import Settings
from saas_app.db.base import utc_now
from saas_app.identity.claims import decode_unverified
from saas_app.identity.former_members import note_end
from saas_app.identity.logto_messages import LogtoRefusal
from saas_app.identity.support_exchange import Impersonation
from saas_app.identity.token_forms import exchange_form
from saas_app.models import Ending, SupportAccess
from saas_app.rbac.permissions import Carrier, Permission
from saas_app.rbac.support import SUPPORT_WRITE
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenApp
from tests.integration.bearer import ApiClient, Mint
from tests.integration.records import actions_of, events_of
from tests.integration.support.conftest import Customer
from tests.integration.support.rows import act, allow_support

NOT_ALLOWED = "This token lets somebody act for another person"
Token = Callable[..., str]


@pytest.fixture
async def access(acme: Customer, desk: Browser, runtime: Runtime) -> UUID:
    """A live access of the agent for Carol in Acme, which allows only viewing."""
    await allow_support(runtime, acme.id)
    return await act(runtime, desk, acme.id, member_id=acme.carol.id, member_name="Carol")


@pytest.fixture
def token(mint: Mint, acme: Customer, sam: Person, settings: Settings) -> Token:
    """``token(act=…)``: a token like those of the support application, with other claims."""

    def make(organization_id: str = acme.id, **changes: Any) -> str:
        claims = {"sub": acme.carol.id, "client_id": settings.support_app_id, "act": {"sub": sam.id}}
        return mint(organization_id, **{**claims, **changes})

    return make


@pytest.fixture
def client(app: Quart, acme: Customer, token: Token) -> Callable[..., ApiClient]:
    """``client(act=…)``: a program with such a token."""

    def make(**changes: Any) -> ApiClient:
        return ApiClient(app, acme.id, token(**changes))

    return make


async def test_with_a_live_access_it_views_and_changes_nothing(
    client: Callable[..., ApiClient], access: UUID, acme: Customer, sam: Person, runtime: Runtime
) -> None:
    program = client()

    await program.json("GET", "/projects")
    denied = await program.json("POST", "/projects", 403, json={"name": "Rover"})

    assert denied["code"] == "support-denied"
    (event,) = await events_of(runtime, acme.id)
    assert (event.actor_id, event.behalf_id) == (sam.id, acme.carol.id)


async def test_it_grants_no_more_than_its_own_scopes(client: Callable[..., ApiClient], access: UUID) -> None:
    await client(scope="").call("GET", "/projects", 403)


async def test_it_grants_no_more_than_the_access(
    client: Callable[..., ApiClient], access: UUID, runtime: Runtime, acme: Customer
) -> None:
    row = SupportAccess.id == access
    async with runtime.jobs.writing() as db:
        await db.execute(sa.update(SupportAccess).where(row).values(scopes_api=""))

    await client().call("GET", "/projects", 403)


async def test_each_kind_of_token_counts_for_its_own_permissions(
    client: Callable[..., ApiClient], access: UUID, acme: Customer
) -> None:
    everything = " ".join(permission.value for permission in Permission)
    of_api = client(scope=everything)
    of_organization = client(scope=everything, aud=f"urn:logto:organization:{acme.id}", organization_id=None)

    await of_api.call("GET", "/members", 403)
    await of_organization.call("GET", "/members")
    await of_organization.call("GET", "/projects", 403)


@pytest.mark.parametrize("path", ["/access", "/api-clients", "/invitations"])
async def test_it_reaches_no_route_that_is_not_for_support(
    client: Callable[..., ApiClient], access: UUID, path: str
) -> None:
    assert (await client().json("GET", path, 403))["code"] == "support-denied"


async def test_without_an_access_it_is_rejected(client: Callable[..., ApiClient], acme: Customer) -> None:
    problem = await client().json("GET", "/projects", 401)

    assert problem["code"] == "invalid-token"
    assert NOT_ALLOWED in problem["detail"]


async def test_after_the_end_it_is_rejected(
    client: Callable[..., ApiClient], access: UUID, acme: Customer
) -> None:
    program = client()
    await program.call("GET", "/projects")
    await acme.browser.post(f"{acme.support}/{access}/end")

    problem = await program.json("GET", "/projects", 401)

    assert NOT_ALLOWED in problem["detail"]


async def test_a_change_whose_body_arrives_after_the_end_is_rejected(
    app: Quart, acme: Customer, token: Token, access: UUID, runtime: Runtime
) -> None:
    async with runtime.jobs.writing() as db:
        await db.execute(sa.update(SupportAccess).where(SupportAccess.id == access).values(writes=True))
    await allow_support(runtime, acme.id, writes=True)
    path, client = f"/api/v1/organizations/{acme.id}/projects", app.test_client()
    headers = {"Authorization": f"Bearer {token()}", "Content-Type": "application/json"}

    async with client.request(path, method="POST", headers=headers) as slow:
        await slow.send(b'{"name": ')
        await acme.browser.post(f"{acme.support}/{access}/end")  # takes longer than to read the access
        await slow.send(b'"Rover"}')
        await slow.send_complete()

    assert slow.status_code == 401
    assert await actions_of(runtime, acme.id) == ["support.end"]


async def test_after_the_agent_signed_out_it_is_rejected(
    client: Callable[..., ApiClient], access: UUID, desk: Browser
) -> None:
    await desk.post("/sign-out")

    await client().call("GET", "/projects", 401)


async def test_in_another_organization_it_is_rejected(
    app: Quart, access: UUID, acme: Customer, token: Token, runtime: Runtime, open_office: Any
) -> None:
    """The agent acts for Carol in Acme. She belongs to Globex as well, which allows support access too."""
    globex = await open_office("Globex", admin="Gus")
    await globex.management.add_members(globex.id, [acme.carol.id])
    await allow_support(runtime, globex.id)

    await ApiClient(app, globex.id, token(globex.id)).call("GET", "/projects", 401)
    await ApiClient(app, globex.id, token(acme.id)).call("GET", "/projects", 404)


async def test_it_does_not_tell_which_organizations_the_member_has_left(
    app: Quart, access: UUID, acme: Customer, token: Token, runtime: Runtime
) -> None:
    async with runtime.work.writing("some-organization") as db:
        await note_end(db, "some-organization", "Globex", acme.carol.id, Ending.REMOVED)

    body = await ApiClient(app, "some-organization", token(acme.id)).json("GET", "/projects", 404)

    assert body["code"] == "not-found"
    assert "Globex" not in str(body)


@pytest.mark.parametrize(
    "changes",
    [
        {"act": {"sub": "another-agent"}},
        {"sub": "another-member"},
        {"act": None},
        {"act": None, "sub": "support"},
        {"act": {"sub": "sam", "act": {"sub": "ada"}}},
        {"act": {}},
        {"act": "sam"},
        {"act": [{"sub": "sam"}]},
        {"client_id": "another-application"},
        {"client_id": None},
    ],
    ids=str,
)
async def test_other_names_are_rejected(
    client: Callable[..., ApiClient], access: UUID, changes: dict[str, Any]
) -> None:
    await client(**changes).call("GET", "/projects", 401)


async def test_the_application_itself_is_rejected(
    client: Callable[..., ApiClient], access: UUID, settings: Settings
) -> None:
    await client(sub=settings.support_app_id, act=None).call("GET", "/projects", 401)


async def test_it_counts_only_for_an_organization(app: Quart, token: Token, access: UUID) -> None:
    for organization in ({}, {"organization_id": None}):
        bearer = {"Authorization": f"Bearer {token(**organization)}"}
        response = await app.test_client().get("/api/v1/me", headers=bearer)

        assert response.status_code == 401


async def test_one_from_before_the_access_is_rejected(client: Callable[..., ApiClient], access: UUID) -> None:
    old = int(time.time()) - 120

    await client(iat=old).call("GET", "/projects", 401)


async def test_one_of_an_ended_access_does_not_count_for_the_next(
    client: Callable[..., ApiClient], access: UUID, acme: Customer, desk: Browser, runtime: Runtime
) -> None:
    program = client(iat=int(time.time()) - 60)
    later = {"started_at": utc_now() + timedelta(seconds=1)}
    await acme.browser.post(f"{acme.support}/{access}/end")

    await act(runtime, desk, acme.id, member_id=acme.carol.id, **later)

    await program.call("GET", "/projects", 401)


async def test_without_a_support_team_every_token_with_two_names_is_rejected(
    open_app: OpenApp, acme: Customer, token: Token, access: UUID
) -> None:
    without = await open_app(support_organization_id="", support_app_id="")

    await ApiClient(without, acme.id, token()).call("GET", "/projects", 401)


# Genuine tokens


@pytest.fixture
async def exchange(
    acme: Customer, desk: Browser, sam: Person, runtime: Runtime
) -> Callable[..., Awaitable[str]]:
    """``await exchange()``: a token that Logto issues to the support application for Carol and the agent."""
    found = await runtime.sessions.find_access(desk.session_cookie, None)
    assert found is not None
    agent = found.principal
    made = runtime.support_desk
    assert made is not None

    async def issue(subject: str | None = None, **changes: Any) -> str:
        actor = await made.exchange.refresher.exchange(agent.session_id, None, None, patience=5)
        if subject is None:
            subject = await made.management.create_subject_token(acme.carol.id, context={})
        application = made.exchange.application
        form = exchange_form(
            application.id,
            application.secret.get_secret_value(),
            subject_token=subject,
            actor_token=actor.access_token,
            organization_id=acme.id,
            resource=application.api_resource,
            scopes=[one.value for one in SUPPORT_WRITE if one.carrier is Carrier.API_TOKEN],
        )
        core = await made.exchange.provider.core()
        return (await core.fetch_token({**form, **changes})).access_token

    return issue


async def test_logtos_own_token_counts_with_an_access_and_not_without(
    app: Quart,
    acme: Customer,
    desk: Browser,
    sam: Person,
    runtime: Runtime,
    exchange: Callable[..., Awaitable[str]],
) -> None:
    """One scenario: the same token, before and after the access begins."""
    program = ApiClient(app, acme.id, await exchange())
    claims = decode_unverified(program.token)
    assert (claims["sub"], claims["act"]) == (acme.carol.id, {"sub": sam.id})
    await program.call("GET", "/projects", 401)

    await allow_support(runtime, acme.id)
    await act(runtime, desk, acme.id, member_id=acme.carol.id)

    await program.call("GET", "/projects")
    await program.call("POST", "/projects", 403, json={"name": "Rover"})


async def test_a_token_without_an_actor_counts_for_nothing(
    app: Quart, acme: Customer, access: UUID, exchange: Callable[..., Awaitable[str]]
) -> None:
    """Nothing tells it from a token of the member but the application it was issued to (Logto 1.42)."""
    token = await exchange(actor_token="", actor_token_type="")
    assert "act" not in decode_unverified(token)

    await ApiClient(app, acme.id, token).call("GET", "/projects", 401)


async def test_a_subject_token_works_once(
    acme: Customer, runtime: Runtime, exchange: Callable[..., Awaitable[str]]
) -> None:
    made = runtime.support_desk
    assert made is not None
    subject = await made.management.create_subject_token(acme.carol.id, context={})
    await exchange(subject)

    with pytest.raises(LogtoRefusal, match="invalid_grant"):
        await exchange(subject)


async def test_the_members_id_token_exchanged_by_somebody_counts_for_nothing(
    app: Quart,
    acme: Customer,
    runtime: Runtime,
    exchange: Callable[..., Awaitable[str]],
    settings: Settings,
) -> None:
    """Logto 1.42 takes an ID token for its subject, so the application's secret must stay secret.

    The token has two names, and Acme has allowed nothing.
    """
    browser = acme.browsers["viewer"]
    found = await runtime.sessions.find_access(browser.session_cookie, None)
    assert found is not None
    id_token = await runtime.session_tokens.get_id_token(found.principal.session_id)
    of_type = "urn:ietf:params:oauth:token-type:access_token"

    token = await exchange(id_token, subject_token_type=of_type)

    await ApiClient(app, acme.id, token).call("GET", "/projects", 401)


async def test_the_main_application_may_not_exchange_tokens(
    settings: Settings, exchange: Callable[..., Awaitable[str]]
) -> None:
    own = {
        "client_id": settings.logto_app_id,
        "client_secret": settings.logto_app_secret.get_secret_value(),
    }

    with pytest.raises(LogtoRefusal, match="grant type is not allowed"):
        await exchange(**own)


async def test_starting_leaves_no_grant_and_no_token_behind(
    acme: Customer, desk: Browser, runtime: Runtime, settings: Settings
) -> None:
    made = runtime.support_desk
    found = await runtime.sessions.find_access(desk.session_cookie, None)
    assert made is not None
    assert found is not None
    wanted = Impersonation(found.principal, acme.carol.id, acme.id, "4711", SUPPORT_WRITE)

    scopes = await made.exchange.fetch_scopes(wanted)

    assert scopes[Carrier.API_TOKEN] == {"projects:read"}  # Carol is a viewer
    assert scopes[Carrier.ORGANIZATION_TOKEN] == {"members:read"}
    grants = await made.management.list_user_grants(acme.carol.id)
    assert settings.support_app_id not in {grant.client_id for grant in grants}

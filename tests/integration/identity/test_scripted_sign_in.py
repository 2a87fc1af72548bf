"""Signing people in by script, at a real provider."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from saas_app.config import Settings
from saas_app.errors import LogtoUnavailable
from saas_app.identity.logto_client import LogtoProvider
from saas_app.identity.logto_messages import GrantedTokens, LogtoRefusal, SignInOptions
from saas_app.identity.scripted_sign_in import (
    Obstacle,
    ScriptedSession,
    ScriptedSignInFailed,
    renew,
    sign_in,
)
from saas_app.logto import ManagementClient
from saas_app.rbac.permissions import Permission
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.factories import Factory
from tests.processes import free_port

PLAIN = SignInOptions()
FRESH = SignInOptions(prompt="login consent")


@dataclass(frozen=True, slots=True)
class Script:
    """The sign-ins of a test, at the application that the provider knows."""

    provider: LogtoProvider
    redirect_uri: str
    api_resource: str

    async def sign_in(self, person: Person, options: SignInOptions = PLAIN) -> ScriptedSession:
        return await sign_in(
            self.provider,
            redirect_uri=self.redirect_uri,
            username=person.username,
            password=person.password,
            options=options,
        )

    async def renew(self, cookies: dict[str, str]) -> ScriptedSession:
        return await renew(self.provider, redirect_uri=self.redirect_uri, cookies=cookies)

    async def api_scopes(self, session: ScriptedSession, organization_id: str) -> frozenset[str]:
        """Return what the session's token for our API grants in an organization."""
        granted = await self.refresh(session, organization_id=organization_id, resource=self.api_resource)
        return granted.scopes

    async def refresh(self, session: ScriptedSession, **target: str) -> GrantedTokens:
        client = await self.provider.client({"refreshToken": session.granted.refresh_token or ""})

        async def forget(_token: str) -> None:
            return None

        return await client.refresh(forget, **target)


@pytest.fixture
def script(runtime: Runtime, settings: Settings) -> Script:
    return Script(runtime.provider, settings.redirect_uri, settings.api_resource)


@pytest.fixture
async def change_sign_in(management: ManagementClient) -> AsyncIterator[Callable[..., Awaitable[None]]]:
    """``await change_sign_in(mfa={…})``: other settings of Logto's sign-in, until the test ends."""
    transport = management._transport
    before = (await transport.call("GET", "/sign-in-exp")).body

    async def change(**wanted: Any) -> None:
        await transport.call("PATCH", "/sign-in-exp", body=wanted)

    yield change
    await change(signIn=before["signIn"], signUp=before["signUp"], mfa=before["mfa"])


async def test_a_person_is_signed_in_with_tokens_that_were_verified(script: Script, pia: Person) -> None:
    session = await script.sign_in(pia)

    assert session.granted.id_claims is not None
    assert session.granted.id_claims["sub"] == pia.id
    assert session.granted.refresh_token


async def test_the_cookies_of_a_session_are_json_and_nothing_else_outlives_the_sign_in(
    script: Script, pia: Person
) -> None:
    session = await script.sign_in(pia)

    assert json.loads(json.dumps(session.cookies)) == session.cookies
    assert session.cookies.keys() == {"_session", "_session.sig"}


async def test_a_sign_in_does_not_show_its_cookies_or_its_password(script: Script, pia: Person) -> None:
    session = await script.sign_in(pia)

    assert not any(value in repr(session) for value in session.cookies.values())
    assert str(session.granted.refresh_token) not in repr(session)


async def test_a_fresh_sign_in_says_when_it_was_made(script: Script, pia: Person) -> None:
    session = await script.sign_in(pia, FRESH)

    assert session.granted.id_claims is not None
    assert session.granted.id_claims["auth_time"]


async def test_two_people_signed_in_at_the_same_time_get_their_own_tokens(
    script: Script, make: Factory
) -> None:
    people = [await make.person(name) for name in ("Ann", "Ben", "Cas")]

    sessions = await asyncio.gather(*(script.sign_in(person) for person in people))

    assert [(one.granted.id_claims or {})["sub"] for one in sessions] == [person.id for person in people]


async def test_a_renewal_adds_what_a_promotion_granted_to_the_token_for_the_api(
    script: Script, make: Factory
) -> None:
    organization_id = await make.organization()
    person = await make.member(organization_id, "Pia", "viewer")
    session = await script.sign_in(person)
    await make.give_roles(organization_id, person, "editor")
    assert Permission.PROJECTS_WRITE.value not in await script.api_scopes(session, organization_id)

    renewed = await script.renew(session.cookies)

    assert Permission.PROJECTS_WRITE.value in await script.api_scopes(renewed, organization_id)


async def test_the_grant_before_a_renewal_stays_as_it_was(script: Script, make: Factory) -> None:
    organization_id = await make.organization()
    person = await make.member(organization_id, "Pia", "viewer")
    session = await script.sign_in(person)
    await make.give_roles(organization_id, person, "editor")

    await script.renew(session.cookies)

    assert Permission.PROJECTS_WRITE.value not in await script.api_scopes(session, organization_id)


async def test_a_session_can_be_renewed_again_with_the_cookies_of_its_renewal(
    script: Script, pia: Person
) -> None:
    renewed = await script.renew((await script.sign_in(pia)).cookies)

    again = await script.renew(renewed.cookies)

    assert (again.granted.id_claims or {})["sub"] == pia.id


async def test_a_session_that_ended_at_logto_cannot_be_renewed(
    script: Script, pia: Person, management: ManagementClient
) -> None:
    session = await script.sign_in(pia)
    for at_logto in await management.list_user_sessions(pia.id):
        await management.end_user_session(pia.id, at_logto.uid)

    with pytest.raises(ScriptedSignInFailed, match="session at Logto has ended") as failed:
        await script.renew(session.cookies)

    assert failed.value.obstacle is Obstacle.SESSION_ENDED


async def test_cookies_that_logto_did_not_set_renew_nothing(script: Script) -> None:
    with pytest.raises(ScriptedSignInFailed) as failed:
        await script.renew({"_session": "made-up", "_session.sig": "made-up"})

    assert failed.value.obstacle is Obstacle.SESSION_ENDED


async def test_a_wrong_password_is_told_from_other_obstacles(script: Script, pia: Person) -> None:
    with pytest.raises(ScriptedSignInFailed, match="does not accept this username and password") as failed:
        await script.sign_in(Person(pia.id, pia.username, "not-the-password"))

    assert failed.value.obstacle is Obstacle.WRONG_PASSWORD


async def test_a_deleted_account_is_told_like_a_wrong_password(
    script: Script, pia: Person, management: ManagementClient
) -> None:
    await management._transport.call("DELETE", f"/users/{pia.id}")

    with pytest.raises(ScriptedSignInFailed) as failed:
        await script.sign_in(pia)

    assert failed.value.obstacle is Obstacle.WRONG_PASSWORD


async def test_a_suspended_account_is_told_so(
    script: Script, pia: Person, management: ManagementClient
) -> None:
    await management._transport.call("PATCH", f"/users/{pia.id}/is-suspended", body={"isSuspended": True})

    with pytest.raises(ScriptedSignInFailed, match="suspended") as failed:
        await script.sign_in(pia)

    assert failed.value.obstacle is Obstacle.SUSPENDED


async def test_passwords_that_logto_does_not_offer_are_told_to_the_operator(
    script: Script, pia: Person, change_sign_in: Callable[..., Awaitable[None]]
) -> None:
    by_email = {"identifier": "email", "password": True, "verificationCode": False, "isPasswordPrimary": True}
    await change_sign_in(signIn={"methods": [by_email]})

    with pytest.raises(ScriptedSignInFailed, match="sign-in experience") as failed:
        await script.sign_in(pia)

    assert failed.value.obstacle is Obstacle.METHOD_OFF


async def test_a_second_factor_stops_the_sign_in(
    script: Script, pia: Person, change_sign_in: Callable[..., Awaitable[None]]
) -> None:
    await change_sign_in(mfa={"factors": ["Totp"], "policy": "Mandatory"})

    with pytest.raises(ScriptedSignInFailed, match="second factor") as failed:
        await script.sign_in(pia)

    assert failed.value.obstacle is Obstacle.SECOND_FACTOR


async def test_an_account_without_an_email_address_is_told_if_sign_up_requires_one(
    script: Script,
    management: ManagementClient,
    change_sign_in: Callable[..., Awaitable[None]],
) -> None:
    user = await management.create_user(username="nomail", name="No Mail", password="Kestrel-4711-Moor")
    person = Person(user.id, "nomail", "Kestrel-4711-Moor")
    await change_sign_in(signUp={"identifiers": ["email"], "password": True, "verify": True})

    with pytest.raises(ScriptedSignInFailed) as failed:
        await script.sign_in(person)

    assert failed.value.obstacle is Obstacle.MISSING_PROFILE


async def test_a_member_of_an_organization_with_a_second_factor_signs_in_but_gets_no_token_for_it(
    script: Script, make: Factory, management: ManagementClient
) -> None:
    organization_id = await make.organization()
    person = await make.member(organization_id, "Pia", "viewer")
    await management._transport.call(
        "PATCH", f"/organizations/{organization_id}", body={"isMfaRequired": True}
    )

    session = await script.sign_in(person)

    with pytest.raises(LogtoRefusal, match="MFA"):
        await script.refresh(session, organization_id=organization_id)


async def test_a_logto_that_is_down_is_unavailable(settings: Settings, pia: Person) -> None:
    async with aiohttp.ClientSession() as http:
        nowhere = LogtoProvider(
            endpoint=f"http://localhost:{free_port()}",
            app_id=settings.logto_app_id,
            app_secret=SecretStr("secret"),
            api_resource=settings.api_resource,
            permission_scopes=(),
            http=http,
        )
        with pytest.raises(LogtoUnavailable):
            await Script(nowhere, settings.redirect_uri, settings.api_resource).sign_in(pia)

"""The PyPI package ``logto`` 0.2.1 against the server: what works, and its traps.

A client has to avoid the traps, and a server that behaved differently would hide them.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pydantic
import pytest
from logto import LogtoClient, LogtoConfig, LogtoException, Storage
from logto.models.oidc import UserInfoScope

from contract.client import LogtoBrowser
from contract.conftest import Server
from contract.management import Workshop
from contract.oidc import Oidc
from contract.people import AFTER_SIGN_OUT, CALLBACK, Person
from contract.world import ORGANIZATIONS_RESOURCE, ORGANIZATIONS_SCOPE, World


class OpenStorage(Storage):
    """A storage for the SDK that tests can inspect."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        return self.values.get(key)

    def set(self, key: str, value: str | None) -> None:
        if value is not None:
            self.values[key] = value

    def delete(self, key: str) -> None:
        self.values.pop(key, None)


@pytest.fixture
def shelf() -> OpenStorage:
    return OpenStorage()


def configured(server: Server, world: World, **changes: Any) -> LogtoConfig:
    values: dict[str, Any] = {
        "endpoint": server.endpoint,
        "appId": world.web.id,
        "appSecret": world.web.secret,
        "resources": [world.resource],
        "scopes": [
            UserInfoScope.organizations,
            UserInfoScope.organization_roles,
            UserInfoScope.email,
            *sorted(world.organization_scopes),
            world.read_reports,
        ],
    }
    return LogtoConfig(**{**values, **changes})


@pytest.fixture
def client(server: Server, world: World, shelf: OpenStorage) -> LogtoClient:
    return LogtoClient(configured(server, world), shelf)


async def sign_in(client: LogtoClient, browser: LogtoBrowser, person: Person) -> None:
    """Sign in a person whom the server does not know yet."""
    first = await browser.send("GET", await client.signIn(CALLBACK))
    assert urlsplit(first.location).path == "/sign-in"
    told = await browser.follow(await browser.prove_password(person), CALLBACK)
    await client.handleSignInCallback(f"{CALLBACK}?{urlencode(told)}")


@pytest.fixture
async def signed_in(client: LogtoClient, browser: LogtoBrowser, world: World) -> LogtoClient:
    await sign_in(client, browser, world.alice)
    return client


# --- what works


async def test_discovery_is_read(client: LogtoClient, oidc: Oidc) -> None:
    metadata = (await client.getOidcCore()).metadata
    assert metadata.issuer == oidc.issuer
    assert metadata.token_endpoint == f"{oidc.issuer}/token"


async def test_sign_in_url_asks_for_everything_configured(client: LogtoClient, world: World) -> None:
    query = parse_qs(urlsplit(await client.signIn(CALLBACK)).query)
    assert set(query["resource"]) == {world.resource, ORGANIZATIONS_RESOURCE}
    assert {"openid", "offline_access", "profile"} <= set(query["scope"][0].split())
    assert (query["prompt"], query["code_challenge_method"]) == (["consent"], ["S256"])


async def test_callback_signs_the_person_in(signed_in: LogtoClient, world: World) -> None:
    assert signed_in.isAuthenticated()
    claims = signed_in.getIdTokenClaims()
    assert claims.sub == world.alice.id
    assert set(claims.organizations or ()) == {world.acme, world.globex}


async def test_userinfo_is_fetched(signed_in: LogtoClient, world: World) -> None:
    information = await signed_in.fetchUserInfo()
    assert (information.sub, information.email) == (world.alice.id, world.alice.email)


async def test_organization_token_names_the_organization_and_its_scopes(
    signed_in: LogtoClient, world: World
) -> None:
    claims = await signed_in.getOrganizationTokenClaims(world.acme)
    assert claims.aud == f"urn:logto:organization:{world.acme}"
    assert set(claims.scope.split()) == world.organization_scopes


async def test_resource_token_names_the_resource_and_its_scope(signed_in: LogtoClient, world: World) -> None:
    claims = await signed_in.getAccessTokenClaims(world.resource)
    assert (claims.aud, claims.scope) == (world.resource, world.read_reports)


async def test_organization_token_is_cached(signed_in: LogtoClient, world: World) -> None:
    first = await signed_in.getOrganizationToken(world.acme)
    assert await signed_in.getOrganizationToken(world.acme) == first


async def test_sign_out_ends_the_sdks_session(signed_in: LogtoClient, browser: LogtoBrowser) -> None:
    page = await browser.send("GET", await signed_in.signOut(AFTER_SIGN_OUT))
    assert page.status == 200
    assert not signed_in.isAuthenticated()


# --- traps


async def test_signing_in_again_keeps_the_old_access_tokens(
    signed_in: LogtoClient, server: Server, world: World, shelf: OpenStorage, workshop: Workshop
) -> None:
    """Bob, who signs in with Alice's storage, gets Alice's organization token."""
    bob = await workshop.person("bob")
    alices = await signed_in.getOrganizationToken(world.acme)
    other = LogtoBrowser(server.endpoint)
    try:
        await sign_in(signed_in, other, bob)
    finally:
        await other.close()
    assert signed_in.getIdTokenClaims().sub == bob.id
    assert await signed_in.getOrganizationToken(world.acme) == alices


async def test_cached_organization_token_outlives_the_membership(
    client: LogtoClient, browser: LogtoBrowser, world: World, workshop: Workshop
) -> None:
    person, organization = await workshop.person(), await workshop.organization()
    await workshop.join(organization, person, world.admin)
    await sign_in(client, browser, person)
    cached = await client.getOrganizationToken(organization)
    await workshop.leave(organization, person)
    assert await client.getOrganizationToken(organization) == cached


async def test_denied_organization_is_an_exception_without_status_or_code(
    signed_in: LogtoClient, world: World
) -> None:
    with pytest.raises(LogtoException) as caught:
        await signed_in.getOrganizationToken(world.other)
    assert json.loads(str(caught.value))["error"] == "access_denied"
    assert not {"status", "code", "error"} & set(vars(caught.value))


async def test_claims_of_the_opaque_token_cannot_be_decoded(signed_in: LogtoClient) -> None:
    with pytest.raises(jwt.DecodeError):
        await signed_in.getAccessTokenClaims()


async def test_organizations_scope_as_a_plain_string_is_not_recognized(
    server: Server, world: World, browser: LogtoBrowser
) -> None:
    config = configured(server, world, scopes=[ORGANIZATIONS_SCOPE, world.read_members])
    client = LogtoClient(config, OpenStorage())
    query = parse_qs(urlsplit(await client.signIn(CALLBACK)).query)
    assert query["resource"] == [world.resource]
    await sign_in(client, browser, world.alice)
    with pytest.raises(LogtoException, match=r"UserInfoScope\.organizations"):
        await client.getOrganizationToken(world.acme)


async def test_endpoint_with_a_trailing_slash_breaks_discovery(server: Server, world: World) -> None:
    client = LogtoClient(configured(server, world, endpoint=f"{server.endpoint}/"), OpenStorage())
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the type depends on how parsing fails
        await client.getOidcCore()
    assert not isinstance(caught.value, AssertionError)


async def test_userinfo_lacks_the_names_of_organizations(signed_in: LogtoClient) -> None:
    assert not hasattr(await signed_in.fetchUserInfo(), "organization_data")


async def test_issuer_of_the_callback_is_not_checked(
    client: LogtoClient, browser: LogtoBrowser, world: World
) -> None:
    await browser.send("GET", await client.signIn(CALLBACK))
    told = await browser.follow(await browser.prove_password(world.alice), CALLBACK)
    forged = urlencode({**told, "iss": "https://evil.test/oidc"})
    await client.handleSignInCallback(f"{CALLBACK}?{forged}")
    assert client.isAuthenticated()


async def test_wrong_state_is_refused(client: LogtoClient, browser: LogtoBrowser, world: World) -> None:
    await browser.send("GET", await client.signIn(CALLBACK))
    told = await browser.follow(await browser.prove_password(world.alice), CALLBACK)
    with pytest.raises(LogtoException, match="Invalid state"):
        await client.handleSignInCallback(f"{CALLBACK}?{urlencode({**told, 'state': 'wrong'})}")


async def test_second_sign_in_with_the_same_storage_breaks_the_first(
    client: LogtoClient, browser: LogtoBrowser, world: World
) -> None:
    first = await client.signIn(CALLBACK)
    await client.signIn(CALLBACK)
    await browser.send("GET", first)
    told = await browser.follow(await browser.prove_password(world.alice), CALLBACK)
    with pytest.raises(LogtoException, match="Invalid state"):
        await client.handleSignInCallback(f"{CALLBACK}?{urlencode(told)}")


async def test_error_of_the_callback_lacks_its_description(client: LogtoClient) -> None:
    await client.signIn(CALLBACK)
    told = urlencode({"error": "access_denied", "error_description": "somebody said no"})
    with pytest.raises(LogtoException) as caught:
        await client.handleSignInCallback(f"{CALLBACK}?{told}")
    assert str(caught.value) == "access_denied"


async def test_sign_out_revokes_nothing(
    signed_in: LogtoClient, oidc: Oidc, world: World, shelf: OpenStorage
) -> None:
    refresh_token = shelf.values["refreshToken"]
    await signed_in.signOut(AFTER_SIGN_OUT)
    assert (await oidc.refresh(world.web, refresh_token)).status == 200


async def test_only_two_prompts_can_be_configured(server: Server, world: World) -> None:
    with pytest.raises(pydantic.ValidationError):
        configured(server, world, prompt="login consent")

"""Logto's SDK behind our client, at a real provider: rotation, order of saving, errors, separate users."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from saas_app.config import Settings
from saas_app.errors import LogtoUnavailable
from saas_app.identity.logto_client import LogtoCore, LogtoProvider, ScopedTokenResponse
from saas_app.identity.logto_messages import LogtoRefusal, SignInOptions
from saas_app.identity.token_verifier import TokenRejected
from saas_app.logto import ManagementClient
from tests.clients import LogtoVisit, Person
from tests.conftest import API_RESOURCE
from tests.factories import Factory
from tests.processes import Provider, free_port
from tests.served import APP_URL

REDIRECT_URI = f"{APP_URL}/callback"
REFRESH_TOKEN_LIFETIME = 2  # seconds: past 70 % of it a confidential client's token rotates


@dataclass(frozen=True, slots=True)
class ShortLived:
    """An application whose refresh tokens expire after seconds."""

    provider: LogtoProvider

    async def sign_in(self, person: Person) -> str:
        """Sign a person in and return the refresh token."""
        client = await self.provider.client()
        started = await client.start_sign_in(REDIRECT_URI, SignInOptions())
        visit = LogtoVisit()
        callback = await visit.authorize(started.url, person, REDIRECT_URI)
        await visit.close()
        finishing = await self.provider.client({"signInSession": started.sdk_session})
        granted = await finishing.finish_sign_in(callback, started.nonce)
        assert granted.refresh_token
        return granted.refresh_token


@pytest.fixture
async def short_lived(
    provider: Provider, management: ManagementClient, settings: Settings
) -> AsyncIterator[ShortLived]:
    assert settings.api_resource == API_RESOURCE  # provisioned, so that a sign-in may ask for it
    application = await management.create_traditional_application(
        "Short-lived",
        "refresh tokens live for seconds",
        oidc_metadata={"redirectUris": [REDIRECT_URI], "postLogoutRedirectUris": []},
        custom={"refreshTokenTtl": REFRESH_TOKEN_LIFETIME},
    )
    (secret,) = await management.list_secrets(application.id)
    async with aiohttp.ClientSession() as http:
        yield ShortLived(provider_for(provider.endpoint + "/", application.id, secret.value, http))


def provider_for(endpoint: str, app_id: str, secret: str, http: aiohttp.ClientSession) -> LogtoProvider:
    return LogtoProvider(
        endpoint=endpoint,
        app_id=app_id,
        app_secret=SecretStr(secret),
        api_resource=API_RESOURCE,
        permission_scopes=(),
        http=http,
    )


async def test_after_seventy_percent_of_its_lifetime_a_refresh_token_rotates(
    short_lived: ShortLived, make: Factory
) -> None:
    before = await short_lived.sign_in(await make.person())
    saved: list[str] = []

    async def save(token: str) -> None:
        saved.append(token)

    await (await short_lived.provider.client({"refreshToken": before})).refresh(save)
    assert saved == [before]
    await asyncio.sleep(REFRESH_TOKEN_LIFETIME * 0.75)  # the provider's clock cannot be moved
    await (await short_lived.provider.client({"refreshToken": before})).refresh(save)
    assert saved[1] != before
    await (await short_lived.provider.client({"refreshToken": saved[1]})).refresh(save)


async def test_a_new_refresh_token_is_saved_before_the_response_is_verified(
    short_lived: ShortLived, make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await short_lived.sign_in(await make.person())
    fetch = LogtoCore.fetch_token

    async def spoiled(self: LogtoCore, form: dict[str, str]) -> ScopedTokenResponse:
        response = await fetch(self, form)
        return response.model_copy(update={"refresh_token": "rotated", "id_token": "not.a.token"})

    monkeypatch.setattr(LogtoCore, "fetch_token", spoiled)
    saved: list[str] = []

    async def save(given: str) -> None:
        saved.append(given)

    with pytest.raises(TokenRejected):
        await (await short_lived.provider.client({"refreshToken": token})).refresh(save)
    assert saved == ["rotated"]


async def test_a_nonce_of_another_sign_in_is_rejected(short_lived: ShortLived, make: Factory) -> None:
    client = await short_lived.provider.client()
    started = await client.start_sign_in(REDIRECT_URI, SignInOptions())
    visit = LogtoVisit()
    callback = await visit.authorize(started.url, await make.person(), REDIRECT_URI)
    await visit.close()

    finishing = await short_lived.provider.client({"signInSession": started.sdk_session})
    with pytest.raises(TokenRejected, match="nonce"):
        await finishing.finish_sign_in(callback, "another nonce")


async def test_a_refusal_has_status_error_and_description(short_lived: ShortLived) -> None:
    async def save(_token: str) -> None:
        raise AssertionError("nothing to save")

    client = await short_lived.provider.client({"refreshToken": "garbage"})
    with pytest.raises(LogtoRefusal) as refused:
        await client.refresh(save)

    assert (refused.value.status, refused.value.error) == (400, "invalid_grant")
    assert refused.value.description == "grant request is invalid"


async def test_an_unreachable_logto_is_unavailable_until_it_responds(provider: Provider) -> None:
    async with aiohttp.ClientSession() as http:
        nowhere = provider_for(f"http://localhost:{free_port()}", "app", "secret", http)
        with pytest.raises(LogtoUnavailable):
            await nowhere.core()
        nowhere._config = provider_for(provider.endpoint, "app", "secret", http)._config
        assert (await nowhere.core()).metadata.issuer == f"{provider.endpoint}/oidc"


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b"{}", b"\xff\xfe"])
async def test_an_answer_that_is_not_a_discovery_document_is_unavailable(
    answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(answer))
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, aiohttp.ClientSession() as http:
        with pytest.raises(LogtoUnavailable):
            await provider_for(f"http://127.0.0.1:{port}", "app", "secret", http).core()


async def test_two_requests_share_no_tokens(short_lived: ShortLived, make: Factory) -> None:
    alice = await short_lived.sign_in(await make.person("Alice"))
    hers = await short_lived.provider.client({"refreshToken": alice})
    other: Any = await short_lived.provider.client()

    assert hers.getRefreshToken() == alice  # type: ignore[attr-defined]
    assert other.getRefreshToken() is None
    assert not other.isAuthenticated()

"""``maxAllowedGrants``: a sign-in beyond the limit signs out the device that has been signed in longest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from contract.conftest import Server
from contract.fixtures import NewBrowser
from contract.listener import Listener
from contract.management import Workshop
from contract.oidc import Oidc, Tokens
from contract.people import App, Person

Devices = Callable[[], Awaitable[list[Tokens]]]
SCOPE = "openid profile offline_access"
SECOND = 1.1  # Logto does not order grants of the same second


@pytest.fixture
async def app(workshop: Workshop) -> App:
    return await workshop.application(customClientMetadata={"maxAllowedGrants": 2})


@pytest.fixture
async def devices(server: Server, oidc: Oidc, new_browser: NewBrowser, app: App, nina: Person) -> Devices:
    """A function that signs Nina in on three devices, one after the other."""

    async def sign_in() -> list[Tokens]:
        tokens = []
        for _ in range(3):
            tokens.append(await oidc.sign_in(new_browser(), app, nina, scope=SCOPE))
            await asyncio.sleep(0 if server.is_ours else SECOND)
        return tokens

    return sign_in


async def is_signed_in(oidc: Oidc, tokens: Tokens) -> bool:
    return (await oidc.renew(tokens)).status == 200


async def test_oldest_device_is_signed_out(
    oidc: Oidc, new_browser: NewBrowser, app: App, workshop: Workshop, nina: Person, devices: Devices
) -> None:
    elsewhere = await oidc.sign_in(new_browser(), await workshop.application(), nina, scope=SCOPE)
    somebody = await oidc.sign_in(new_browser(), app, await workshop.person(), scope=SCOPE)
    assert [await is_signed_in(oidc, tokens) for tokens in await devices()] == [False, True, True]
    assert [await is_signed_in(oidc, tokens) for tokens in (elsewhere, somebody)] == [True, True]


async def test_webhook_names_the_grant_that_ended(
    app: App, workshop: Workshop, nina: Person, listener: Listener, devices: Devices
) -> None:
    await workshop.hook(events=["Grant.LimitExceeded"], config={"url": f"{listener.address}/hook"})
    await devices()
    told = (await listener.next_delivery()).json
    assert (told["event"], told["userId"], told["applicationId"]) == ("Grant.LimitExceeded", nina.id, app.id)
    assert (told["maxAllowedGrants"], told["preRevocationActiveGrantCount"]) == (2, 3)
    assert len(told["revokedGrantIds"]) == 1
    assert told["application"]["id"] == app.id

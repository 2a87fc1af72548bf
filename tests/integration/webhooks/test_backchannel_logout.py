"""Genuine logout tokens of the provider: what they end, and that each works once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from contract.listener import Listener, listening
from quart import Quart
from quart.wrappers import Response

from saas_app.config import Settings
from saas_app.logto import ManagementClient
from tests.clients import Browser
from tests.conftest import OpenBrowser
from tests.factories import Factory


@pytest.fixture
async def listener(management: ManagementClient, settings: Settings) -> AsyncIterator[Listener]:
    """A server to which the provider sends logout tokens during the test."""
    application = await management.find_application(settings.logto_app_id)
    assert application is not None
    oidc, custom = application.oidc_metadata, application.custom_metadata
    async with listening(must_be_heard=True) as listener:
        await management.replace_application_metadata(
            application.id, oidc_metadata={**oidc, "backchannelLogoutUri": listener.address}, custom=custom
        )
        yield listener
    await management.replace_application_metadata(application.id, oidc_metadata=oidc, custom=custom)


async def send(app: Quart, logout_token: str) -> Response:
    response = await app.test_client().post("/backchannel-logout", form={"logout_token": logout_token})
    assert isinstance(response, Response)
    return response


@pytest.fixture
async def desk(make: Factory, open_browser: OpenBrowser) -> Browser:
    """A browser with a person signed in."""
    return await open_browser(await make.person())


@pytest.fixture
async def logout_token(desk: Browser, settings: Settings, listener: Listener) -> str:
    """A token that the provider sent when ``desk`` signed out there. The application has not seen it."""
    await desk.logto.sign_out(settings.logto_endpoint, settings.logto_app_id)
    token = (await listener.next_delivery()).form["logout_token"]
    await desk.get("/account")
    return token


async def test_a_logout_token_ends_the_session_of_its_browser_and_no_other(
    app: Quart, make: Factory, open_browser: OpenBrowser, settings: Settings, listener: Listener
) -> None:
    person = await make.person()
    desk, phone = await open_browser(person), await open_browser(person)
    await desk.logto.sign_out(settings.logto_endpoint, settings.logto_app_id)
    token = (await listener.next_delivery()).form["logout_token"]

    accepted = await send(app, token)

    assert accepted.status_code == 200
    assert accepted.headers["Cache-Control"] == "no-store"
    await desk.get("/account", 303)
    await phone.get("/account")


async def test_a_logout_token_is_accepted_once(app: Quart, logout_token: str) -> None:
    assert (await send(app, logout_token)).status_code == 200

    replayed = await send(app, logout_token)

    assert replayed.status_code == 400
    assert "received before" in (await replayed.get_json())["error_description"]


async def test_a_logout_token_with_another_signature_ends_nothing(
    app: Quart, desk: Browser, logout_token: str
) -> None:
    header, claims, signature = logout_token.split(".")
    forged = f"{header}.{claims}.{signature[:-6]}{'A' * 6 if signature[-6:] != 'A' * 6 else 'B' * 6}"

    assert (await send(app, forged)).status_code == 400

    await desk.get("/account")

"""A real logout token of the provider's: what it ends, and that it works once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from contract.listener import Listener, listening
from quart import Quart
from quart.wrappers import Response

from saas_app.config import Settings
from saas_app.logto import ManagementClient
from tests.conftest import OpenBrowser
from tests.factories import Factory


@pytest.fixture
async def listener(management: ManagementClient, settings: Settings) -> AsyncIterator[Listener]:
    """Stands where the provider sends logout tokens to, for the time of a test."""
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


async def test_a_logout_token_ends_its_browsers_session_once(
    app: Quart, make: Factory, open_browser: OpenBrowser, settings: Settings, listener: Listener
) -> None:
    person = await make.person()
    desk, phone = await open_browser(person), await open_browser(person)
    await desk.logto.sign_out(settings.logto_endpoint, settings.logto_app_id)
    logout_token = (await listener.next_delivery()).form["logout_token"]
    await desk.get("/account")

    accepted = await send(app, logout_token)

    assert accepted.status_code == 200
    assert accepted.headers["Cache-Control"] == "no-store"
    await desk.get("/account", 303)
    await phone.get("/account")

    replayed = await send(app, logout_token)
    assert replayed.status_code == 400
    assert "received before" in (await replayed.get_json())["error_description"]


async def test_a_logout_token_with_another_signature_ends_nothing(
    app: Quart, make: Factory, open_browser: OpenBrowser, settings: Settings, listener: Listener
) -> None:
    person = await make.person()
    desk = await open_browser(person)
    await desk.logto.sign_out(settings.logto_endpoint, settings.logto_app_id)
    header, claims, signature = (await listener.next_delivery()).form["logout_token"].split(".")
    forged = f"{header}.{claims}.{signature[:-6]}{'A' * 6 if signature[-6:] != 'A' * 6 else 'B' * 6}"

    assert (await send(app, forged)).status_code == 400

    await desk.get("/account")

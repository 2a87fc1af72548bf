"""The lifetime of a device's code, and the page on which a person types it."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from quart import Response

from local_logto import maintenance
from local_logto.oidc.device import codes
from local_logto.oidc.tables import device_codes
from local_logto.store import now_ms
from unit.management_app import ManagementApp

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
MINUTE = 60


async def new_device(api: ManagementApp) -> dict[str, Any]:
    """Request a code for a new device. Returns the response with its ``client_id``."""
    metadata = {"isDeviceFlow": True}
    app = await api.made("/applications", name="TV", type="Native", customClientMetadata=metadata)
    form = {"client_id": app["id"], "scope": "openid"}
    given: dict[str, Any] = await (await api.client.post("/oidc/device/auth", form=form)).get_json()
    return {**given, "client_id": app["id"]}


async def asked(api: ManagementApp, device: dict[str, Any]) -> dict[str, Any]:
    form = {"grant_type": GRANT, "client_id": device["client_id"], "device_code": device["device_code"]}
    body: dict[str, Any] = await (await api.client.post("/oidc/token", form=form)).get_json()
    return body


async def sent(api: ManagementApp, **fields: str) -> Response:
    """Submit the form with the secret of this browser."""
    await api.client.get("/oidc/device")
    xsrf = next(cookie.value for cookie in api.client.cookie_jar if cookie.name == "_logto_device_flow_xsrf")
    return await api.client.post("/oidc/device", form={"xsrf": xsrf or "", **fields})


async def test_code_is_valid_for_ten_minutes(api: ManagementApp) -> None:
    device = await new_device(api)
    assert device["expires_in"] == 10 * MINUTE
    with time_machine.travel(now_ms() / 1000 + 10 * MINUTE - 5):
        assert (await asked(api, device))["error"] == "authorization_pending"
    with time_machine.travel(now_ms() / 1000 + 10 * MINUTE + 5):
        answer = await asked(api, device)
        page = await sent(api, user_code=device["user_code"], confirm="yes")
    assert (answer["error"], answer["error_description"]) == ("expired_token", "device code is expired")
    assert page.headers["Location"] == f"/device?input_code={device['user_code']}&error=ExpiredError"


async def test_expired_code_is_stored_for_another_hour(api: ManagementApp) -> None:
    await new_device(api)
    kept = sa.select(sa.func.count()).select_from(device_codes)
    for minutes, number in ((69, 1), (71, 0)):
        with time_machine.travel(now_ms() / 1000 + minutes * MINUTE):
            maintenance.purge(api.store)
        with api.store.begin() as connection:
            assert connection.execute(kept).scalar_one() == number


async def test_code_is_claimed_ended_and_consumed_once(api: ManagementApp) -> None:
    device = await new_device(api)
    with api.store.begin() as connection:
        code = codes.find_by_user_code(connection, device["user_code"])
        assert code is not None
        assert [codes.take(connection, code) for _ in range(2)] == [True, False]
        ended = [codes.end(connection, code.value_hash, {"error": "x"}) for _ in range(2)]
        assert ended == [True, False]
        assert [codes.consume(connection, code) for _ in range(2)] == [True, False]


async def test_code_is_deleted_with_its_application(api: ManagementApp) -> None:
    device = await new_device(api)
    await api.call("DELETE", f"/applications/{device['client_id']}")
    page = await sent(api, user_code=device["user_code"], confirm="yes")
    assert page.headers["Location"].endswith("error=NotFoundError")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "Enter the code that your device shows."),
        ("?user_code=BCDF-GHJK", "BCDF-GHJK"),
        ("?input_code=%3Cb%3E&error=NotFoundError", "&lt;b&gt;"),
        ("?error=AlreadyUsedError", "The code has already been used."),
        ("?error=Whatever", "Something went wrong."),
    ],
)
async def test_page_says_what_to_do(api: ManagementApp, query: str, says: str) -> None:
    await api.client.get("/oidc/device")
    response = await api.client.get(f"/device{query}")
    page = await response.get_data(as_text=True)
    assert (response.status_code, says in page) == (200, True)
    assert "<b>" not in page
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]


async def test_secret_of_the_device_form_cannot_sign_out(api: ManagementApp) -> None:
    """The secret of one form is worthless in the other."""
    await api.client.get("/oidc/device")
    xsrf = next(cookie.value for cookie in api.client.cookie_jar if cookie.name == "_logto_device_flow_xsrf")
    response = await api.client.post("/oidc/session/end/confirm", form={"xsrf": xsrf or "", "logout": "yes"})
    assert response.status_code == 400


async def test_secret_in_non_ascii_letters_is_refused(api: ManagementApp) -> None:
    await api.client.get("/oidc/session/end")
    response = await api.client.post("/oidc/session/end/confirm", form={"xsrf": "é", "logout": "yes"})
    assert response.status_code == 400

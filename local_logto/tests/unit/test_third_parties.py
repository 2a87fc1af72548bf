"""Third-party applications: they can be registered, but without a consent page they are granted nothing."""

from __future__ import annotations

import json

import sqlalchemy as sa
from quart import Response

from local_logto.crypto.signed_cookies import INTERACTION, write_cookie
from local_logto.oidc.session.interactions import create_interaction
from local_logto.oidc.tables import grants
from unit.management_app import ManagementApp


async def at_consent(api: ManagementApp, *, is_third_party: bool) -> int:
    """Return the status of ``/consent`` for a browser that an application's request redirected there."""
    client = (await api.made("/applications", name="app", type="SPA", isThirdParty=is_third_party))["id"]
    user = (await api.made("/users", username="ada"))["id"]
    carrier = Response("")
    details = {"grant_id": None, "missing_oidc": ["openid"], "missing_on": {}, "result": {}}
    async with api.app.app_context():
        interaction = create_interaction(
            {"client_id": client, "scope": "openid"},
            "consent",
            session_uid=None,
            account_id=user,
            details=details,
        )
        write_cookie(carrier, INTERACTION, json.dumps({client: interaction.uid, "_legacy": interaction.uid}))
    for header in carrier.headers.getlist("Set-Cookie"):
        name, _, rest = header.partition("=")
        api.client.set_cookie("localhost", name, rest.split("; ")[0])
    return (await api.client.get("/consent")).status_code


def number_of_grants(api: ManagementApp) -> int:
    with api.store.begin() as connection:
        count = sa.select(sa.func.count()).select_from(grants)
        return int(connection.execute(count).scalar_one())


async def test_third_party_application_is_granted_nothing(api: ManagementApp) -> None:
    assert await at_consent(api, is_third_party=True) == 501
    assert number_of_grants(api) == 0


async def test_first_party_application_is_granted_what_it_requests(api: ManagementApp) -> None:
    assert await at_consent(api, is_third_party=False) == 302
    assert number_of_grants(api) == 1

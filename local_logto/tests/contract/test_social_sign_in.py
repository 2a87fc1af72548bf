"""Sign-ins through Naver, in a provider that is set up through its Management API.

A real Logto can use only the real Naver, so these tests start a separate ``local_logto``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from contract.client import AuthorizationRequest, Callback, LogtoBrowser, authorization_request
from contract.management import ManagementApi, ManagementCredentials, Workshop, management_token
from contract.oidc import Oidc
from contract.people import App
from local_logto.fakes.naver import CLIENT_ID, CLIENT_SECRET, FakeNaver, NaverAccount, fake_naver
from local_logto.testing import running_provider

CONNECTOR = "naver0000001"
SUJIN = NaverAccount("naver-sujin", "sujin@naver.example", "Sujin")


@dataclass(frozen=True)
class Site:
    """A provider that offers Naver, and the fake Naver."""

    endpoint: str
    workshop: Workshop
    oidc: Oidc
    naver: FakeNaver

    def leaving(self, app: App) -> AuthorizationRequest:
        """Build a request that goes directly to Naver and asks for the identities."""
        asked = {"direct_sign_in": "social:naver", "scope": "openid profile email identities"}
        return authorization_request(self.endpoint, app, asked)

    async def who_is(self, callback: Callback) -> dict[str, object]:
        tokens = (await self.oidc.exchange(callback)).expect(200).body
        claims: dict[str, object] = (await self.oidc.userinfo(tokens["access_token"])).expect(200).body
        return claims


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory, http: aiohttp.ClientSession) -> AsyncIterator[Site]:
    async with fake_naver(auto_agree=True) as naver:
        naver.account = SUJIN
        places = dict.fromkeys(
            ("LOCAL_LOGTO_NAVER_BASE_URL", "LOCAL_LOGTO_NAVER_API_BASE_URL"), naver.base_url
        )
        with running_provider(tmp_path_factory.mktemp("social"), **places) as provider:
            credentials = ManagementCredentials(
                f"{provider.endpoint}/oidc/token", provider.management_app_id, provider.management_app_secret
            )
            api = ManagementApi(http, provider.endpoint, await management_token(http, credentials))
            config = {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET}
            connector = {"id": CONNECTOR, "connectorId": "naver-universal", "config": config}
            (await api.post("/connectors", connector)).expect(200)
            sign_up = {"identifiers": [], "password": False, "verify": False}
            changes = {"socialSignInConnectorTargets": ["naver"], "signUp": sign_up}
            (await api.patch("/sign-in-exp", changes)).expect(200)
            yield Site(provider.endpoint, Workshop(api), Oidc(http, provider.endpoint), naver)


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[LogtoBrowser]:
    browser = LogtoBrowser(site.endpoint)
    yield browser
    await browser.close()


async def test_application_gets_the_identity(site: Site, browser: LogtoBrowser) -> None:
    app = await site.workshop.application()
    request = site.leaving(app)
    told = await browser.follow(request.url, app.redirect_uri)
    claims = await site.who_is(Callback(request, told, ()))
    assert (claims["email"], claims["email_verified"], claims["name"]) == (SUJIN.email, True, "Sujin")
    identities = claims["identities"]
    assert isinstance(identities, dict)
    assert identities["naver"]["userId"] == "naver-sujin"
    account = (await site.workshop.api.get(f"/users/{claims['sub']}")).expect(200).body
    assert account["identities"] == identities
    assert account["hasPassword"] is False


async def test_return_belongs_to_the_application_that_began_it(site: Site, browser: LogtoBrowser) -> None:
    """With two applications in two tabs, the first one's return does not sign in to the second one."""
    first, second = await site.workshop.application(), await site.workshop.application()
    request = site.leaving(first)
    location = request.url
    while not location.startswith(site.naver.base_url):
        location = await browser.step(location)
    later = await browser.authorize(second)
    await browser.send("GET", later.location)
    told = await browser.follow(location, first.redirect_uri)
    assert (await site.who_is(Callback(request, told, ())))["email"] == SUJIN.email

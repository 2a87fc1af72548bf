"""The sign-in pages with a Naver connector, and a fake Naver for the browser to visit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
from quart import Response

from local_logto.connectors.registry import connectors
from local_logto.fakes.naver import CLIENT_ID, CLIENT_SECRET, FakeNaver, NaverAccount, fake_naver
from local_logto.store import now_ms
from unit.experience_app import ExperienceApp, experience_app
from unit.page_reading import leads_to, moves_on_to, text_of

CONNECTOR = "naver0000001"
CALLBACK = f"http://localhost/callback/{CONNECTOR}"
OFFERED: dict[str, object] = {"socialSignInConnectorTargets": ["naver"]}
SUJIN = NaverAccount("naver-sujin", "sujin@naver.example", "Sujin", "https://images.example/sujin.png")
BY_EMAIL: dict[str, object] = {
    "signUp": {"identifiers": ["email"], "password": False, "verify": True},
    "signIn": {
        "methods": [
            {"identifier": "email", "password": False, "verificationCode": True, "isPasswordPrimary": False}
        ]
    },
    **OFFERED,
}
NO_REQUIREMENT: dict[str, object] = {"signUp": {"identifiers": [], "password": False, "verify": False}}
PATIENCE = 1.0  # seconds that Naver may take


@dataclass
class SocialApp:
    """An open sign-in (``logto``), and the provider that it can go through (``naver``)."""

    logto: ExperienceApp
    naver: FakeNaver

    async def leave(self, path: str = "/direct/social/naver?app_id=client") -> str:
        """Press the button. Returns the URL to which the browser is redirected."""
        response = await self.logto.post(path, {})
        assert response.status_code == 303
        return str(response.headers["Location"])

    async def agree(self, authorization_uri: str, decision: str = "agree") -> str:
        """Decide on Naver's page. Returns the path and query with which the browser comes back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(authorization_uri).query).items()}
        url = f"{self.naver.base_url}/oauth2.0/authorize"
        async with (
            aiohttp.ClientSession() as browser,
            browser.post(url, data={**asked, "decision": decision}, allow_redirects=False) as answer,
        ):
            back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"

    async def come_back(self, path: str) -> Response:
        """Open the callback, and the page that it moves on to, which knows the application."""
        return await come_back(self.logto, path)

    async def round_trip(self, decision: str = "agree") -> Response:
        """Press the button, decide at Naver and come back. Returns this server's last reply."""
        return await self.come_back(await self.agree(await self.leave(), decision))

    async def prove(self, event: str = "SignIn") -> str:
        """Verify a Naver identity through the Experience API. Returns the verification id."""
        await self.logto.call("PUT", "", {"interactionEvent": event})
        status, departure = await self.call("authorization-uri", state="s", redirectUri=CALLBACK)
        assert status == 200
        code = parse_qs(urlsplit(await self.agree(departure["authorizationUri"])).query)["code"][0]
        data = {"code": code, "redirectUri": CALLBACK}
        verification_id = departure["verificationId"]
        status, _ = await self.call("verify", connectorData=data, verificationId=verification_id)
        assert status == 200
        return str(verification_id)

    async def call(self, action: str, connector_id: str = CONNECTOR, **body: object) -> tuple[int, Any]:
        return await self.logto.call("POST", f"/verification/social/{connector_id}/{action}", body)

    async def identify(self, verification_id: str, **more: object) -> tuple[int, Any]:
        body = {"verificationId": verification_id, **more}
        return await self.logto.call("POST", "/identification", body)

    async def signed_in(self) -> Mapping[str, Any]:
        """Return the account with which the authorization request continues."""
        user_id = await self.logto.signed_in_user()
        assert user_id is not None
        return await self.logto.user(user_id)


async def come_back(logto: ExperienceApp, path: str) -> Response:
    """Open a callback as a browser that was at another site, and the page that it moves on to."""
    response = await logto.browser.get(path, headers={"Sec-Fetch-Site": "cross-site"})
    is_moving = response.status_code == 200 and "http-equiv" in await text_of(response)
    return await logto.browser.get(await moves_on_to(response)) if is_moving else response


def is_signed_in(response: Response) -> bool:
    return "/oidc/auth/" in leads_to(response)


@asynccontextmanager
async def social_app(data_dir: Path, *, sync_profile: bool = False) -> AsyncIterator[SocialApp]:
    """Serve the sign-in pages with Naver, where the browser is Sujin's."""
    async with fake_naver(callbacks=frozenset({CALLBACK})) as naver:
        naver.account = SUJIN
        places = {"naver_base_url": naver.base_url, "naver_api_base_url": naver.base_url}
        async with experience_app(data_dir, connector_timeout=PATIENCE, **places) as logto:
            values = {
                "id": CONNECTOR,
                "connector_id": "naver-universal",
                "type": "Social",
                "target": "naver",
                "config": {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET},
                "sync_profile": sync_profile,
                "created_at": now_ms(),
            }
            with logto.store.begin() as connection:
                connection.execute(connectors.insert().values(**values))
            await logto.configure(**OFFERED)
            yield SocialApp(logto, naver)

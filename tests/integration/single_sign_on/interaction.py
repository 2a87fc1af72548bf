"""A sign-in at Logto by somebody who calls its Experience API step by step, in place of its pages."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qs, urljoin, urlsplit

from tests.clients import Browser, way_on_from


@dataclass
class Interaction:
    """A sign-in at Logto that has begun in a browser, without its pages."""

    browser: Browser
    page: str

    @classmethod
    async def begin(cls, browser: Browser) -> Self:
        """Start a sign-in at the application."""
        url = (await browser.get("/sign-in?prompt=login", 303)).headers["Location"]
        async with browser.logto._http.get(url, allow_redirects=False) as response:
            found = cls(browser, urljoin(url, response.headers["Location"]))
        await found.call("PUT", "", {"interactionEvent": "SignIn"}, 204)
        return found

    async def call(self, method: str, path: str, body: Any, status: int = 200) -> Any:
        """Call the Experience API. Fail on any status but ``status``."""
        return await self.browser.logto._call(method, self._url(f"/api/experience{path}"), body, status)

    async def answer(self, method: str, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        """Call the Experience API, and return the status and what it answers, if it refuses the call."""
        url = self._url(f"/api/experience{path}")
        async with self.browser.logto._http.request(method, url, json=body) as response:
            return response.status, await response.json() if response.status >= 400 else {}

    async def depart(self, connector_id: str) -> dict[str, Any]:
        """Begin the way to a company's provider. Returns what the way back needs."""
        back = {"state": secrets.token_hex(8), "redirectUri": self._url(f"/callback/{connector_id}")}
        gone = await self.call("POST", f"/verification/sso/{connector_id}/authorization-uri", back)
        return {**back, **gone}

    async def pass_through(self, way: dict[str, Any]) -> str:
        """Go through Workroom and the provider. Returns where that ends: at Logto, or a page of Workroom."""
        url, home = str(way["authorizationUri"]), urlsplit(self._url("/")).netloc
        while True:
            parts = urlsplit(url)
            if parts.netloc == home:
                return url
            if url.startswith(self.browser._origin):
                response = await self.browser.app.get(f"{parts.path}?{parts.query}")
                location = await way_on_from(response)
            else:
                async with self.browser.logto._http.get(url, allow_redirects=False) as answered:
                    location = answered.headers.get("Location")
            if location is None:
                return url
            url = urljoin(url, location)

    async def prove(self, connector_id: str) -> str:
        """Go to a company's provider and back. Returns the ID of the proof."""
        way = await self.depart(connector_id)
        code = parse_qs(urlsplit(await self.pass_through(way)).query)["code"][0]
        return str((await self.verify(connector_id, way, code))["verificationId"])

    async def verify(self, connector_id: str, way: dict[str, Any], code: str, status: int = 200) -> Any:
        """Let Logto redeem a code."""
        data = {"code": code, "state": way["state"], "redirectUri": way["redirectUri"]}
        body = {"verificationId": way["verificationId"], "connectorData": data}
        return await self.call("POST", f"/verification/sso/{connector_id}/verify", body, status)

    async def identify(self, proof: str) -> None:
        """Sign in to the account that a proof leads to."""
        await self.call("POST", "/identification", {"verificationId": proof}, 204)

    async def submit(self) -> str:
        """End the sign-in at Logto. Returns the callback without opening it."""
        way_on = str((await self.call("POST", "/submit", None))["redirectTo"])
        return await self.browser.callback_of(way_on, None)

    def _url(self, path: str) -> str:
        return urljoin(self.page, path)

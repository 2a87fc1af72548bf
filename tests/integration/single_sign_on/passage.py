"""The way from Logto through Workroom to a company's provider and back, one request after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from quart.wrappers import Response

from tests.clients import Browser, text_of, way_on_from
from tests.integration.single_sign_on.company import Company

STATE: Final = "logtos-state"
NONCE: Final = "logtos-nonce"


@dataclass
class Passage:
    """A browser on its way, without Logto: the test sends what Logto's page and server would send.

    So it can send something else, as whoever controls the browser can.
    """

    company: Company
    browser: Browser
    connector_id: str
    logto_callback: str

    @classmethod
    async def begin(cls, company: Company, browser: Browser) -> Passage:
        """Return the way of a browser through the company's connection."""
        connector_id = (await company.connection()).connector_id
        callback = company.runtime.registration.logto_callback(connector_id)
        return cls(company, browser, connector_id, callback)

    @property
    def path(self) -> str:
        """The path below which Workroom is the provider of this connector."""
        return f"/sso/{self.connector_id}"

    def asked(self, **changes: str | None) -> str:
        """Return Logto's authorization request, with other parameters. None leaves one out."""
        asked: dict[str, str | None] = {
            "client_id": self.connector_id,
            "redirect_uri": self.logto_callback,
            "response_type": "code",
            "scope": "openid profile email",
            "state": STATE,
            "nonce": NONCE,
            **changes,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        return f"{self.path}/authorize?{urlencode(given)}"

    async def leave(self, **changes: str | None) -> str:
        """Let the browser leave for the provider. Returns the address there."""
        response = await self.browser.get(self.asked(**changes), 303)
        return str(response.headers["Location"])

    async def visit(self, address: str) -> str:
        """Let the browser pass the provider. Returns the path with which that sends it back."""
        async with self.browser.logto._http.get(address, allow_redirects=False) as response:
            back = urlsplit(response.headers["Location"])
        return f"{back.path}?{back.query}"

    async def depart(self, **changes: str | None) -> str:
        """Let the browser go to the provider, and return the way back without opening it."""
        return await self.visit(await self.leave(**changes))

    async def refusal(self, way_back: str, expect: int = 400) -> str:
        """Open the way back, be refused, and return the page."""
        page = await self.browser.get(way_back, expect)
        assert await way_on_from(page) is None
        return await text_of(page)

    async def come_back(self, way_back: str) -> str:
        """Open the way back. Returns the address at Logto to which it leads."""
        location = await way_on_from(await self.browser.get(way_back))
        assert location is not None
        assert location.startswith(f"{self.logto_callback}?")
        return location

    async def code(self, way_back: str | None = None) -> str:
        """Complete the way, and return the code that Logto gets."""
        return query_of(await self.come_back(way_back or await self.depart()))["code"]

    async def redeem(
        self, code: str, *, client: str = "", secret: str | None = None, **form: str
    ) -> Response:
        """Redeem a code as Logto would. ``client`` and ``secret`` are those of this connector by default."""
        known = self.company.runtime.registration.secret(self.connector_id)
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.logto_callback,
            **form,
        }
        credentials = (client or self.connector_id, known if secret is None else secret)
        response: Response = await self.browser.app.post(f"{self.path}/token", form=sent, auth=credentials)
        return response

    async def claims(self, code: str | None = None) -> dict[str, Any]:
        """Complete the way, and return what Logto reads in the ID token, verified with the published keys."""
        answer = await self.redeem(code or await self.code())
        assert answer.status_code == 200, await answer.get_data(as_text=True)
        return await self.read((await answer.get_json())["id_token"])

    async def read(self, id_token: str) -> dict[str, Any]:
        """Return the claims of an ID token, verified as a client does."""
        published = await (await self.browser.get("/sso/keys")).get_json()
        keys = jwt.PyJWKSet.from_dict(published)
        key = keys[jwt.get_unverified_header(id_token)["kid"]]
        issuer = self.company.runtime.registration.issuer(self.connector_id)
        claims: dict[str, Any] = jwt.decode(
            id_token, key, algorithms=["ES256"], audience=self.connector_id, issuer=issuer
        )
        return claims


def query_of(address: str) -> dict[str, str]:
    """Return the parameters of an address, each of which comes once."""
    found = parse_qs(urlsplit(address).query, strict_parsing=True)
    assert all(len(values) == 1 for values in found.values())
    return {name: values[0] for name, values in found.items()}

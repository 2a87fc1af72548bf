"""A sign-in at a company's provider, from the departure of the browser to what is said about the person."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
from local_logto.fakes.openid import FakeOpenId, OpenIdPerson
from local_logto.fakes.server import Received

from saas_app.single_sign_on.broker.provider_sign_in import (
    Departure,
    ProviderClient,
    ProviderRefused,
    ProviderSignIn,
    Redemption,
)
from saas_app.single_sign_on.visits import ProviderVisits

REDIRECT_URI = "https://app.example.com/sso/connector/callback"
MARIA = OpenIdPerson("maria", {"email": "maria@corp.example", "email_verified": True, "name": "Maria"})


@dataclass
class Journey:
    """A browser that goes to the provider and comes back. ``answer`` is the query with which it does."""

    provider: FakeOpenId
    sign_in: ProviderSignIn
    client: ProviderClient
    departure: Departure | None = None
    answer: dict[str, str] = field(default_factory=dict)

    @property
    def paths(self) -> list[str]:
        """The paths that were requested at the provider."""
        return [request.path for request in self.provider.received]

    def requests(self, path: str) -> list[Received]:
        """Return the requests for a path."""
        return [request for request in self.provider.received if request.path == path]

    async def go(self) -> Redemption:
        """Go to the provider, and return what came back."""
        self.departure = await self.sign_in.depart(self.client, redirect_uri=REDIRECT_URI, state="st a&te")
        async with (
            aiohttp.ClientSession() as http,
            http.get(self.departure.url, allow_redirects=False) as answered,
        ):
            self.answer = dict(parse_qsl(urlsplit(answered.headers["Location"]).query))
        return Redemption(
            code=self.answer["code"],
            issuer=self.answer["iss"],
            redirect_uri=REDIRECT_URI,
            nonce=self.departure.nonce,
            code_verifier=self.departure.code_verifier,
        )

    async def finish(self, **changes: Any) -> dict[str, Any]:
        """Go to the provider and come back, with changes in what came back."""
        return await self.sign_in.come_back(self.client, replace(await self.go(), **changes))

    async def refuse(self, **changes: Any) -> ProviderRefused:
        """Go to the provider and come back, which must be refused. Returns the refusal."""
        returned = replace(await self.go(), **changes)
        with pytest.raises(ProviderRefused) as refused:
            await self.sign_in.come_back(self.client, returned)
        return refused.value


@pytest.fixture
def journey(company_provider: FakeOpenId) -> Journey:
    """Maria's sign-in."""
    company_provider.person = MARIA
    client = ProviderClient(
        issuer=company_provider.issuer,
        client_id=company_provider.client_id,
        client_secret=company_provider.client_secret,
        scopes="openid profile email",
    )
    return Journey(company_provider, ProviderSignIn(ProviderVisits(allows_private=True)), client)

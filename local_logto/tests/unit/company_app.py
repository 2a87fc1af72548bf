"""The sign-in pages with a company's connector, and a fake provider for the browser to visit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import sqlalchemy as sa
from quart import Response

from local_logto.connectors.enterprise import sso_connectors, user_sso_identities
from local_logto.fakes.openid import FakeOpenId, OpenIdPerson, fake_openid
from local_logto.store import now_ms
from unit.experience_app import ExperienceApp, experience_app
from unit.page_reading import moves_on_to
from unit.social_app import come_back

CONNECTOR = "corp00000001"
DOMAIN = "corp.example"
CALLBACK = f"http://localhost/callback/{CONNECTOR}"
SSO: dict[str, object] = {"singleSignOnEnabled": True}
MARIA = OpenIdPerson("maria", {"email": f"maria@{DOMAIN}", "email_verified": True, "name": "Maria"})
PATIENCE = 1.0  # seconds that the provider may take


@dataclass
class CompanyApp:
    """An open sign-in (``logto``), and the company's provider."""

    logto: ExperienceApp
    provider: FakeOpenId

    async def add_connector(self, connector_id: str, **columns: object) -> str:
        """Create another connector for the provider."""
        values = {
            "id": connector_id,
            "provider_name": "OIDC",
            "connector_name": connector_id,
            "config": self.provider.config,
            "domains": [DOMAIN],
            "branding": {"displayName": "Corp"},
            "created_at": now_ms(),
        }
        with self.logto.store.begin() as connection:
            connection.execute(sso_connectors.insert().values(**{**values, **columns}))
        return connector_id

    def change_connector(self, **columns: object) -> None:
        with self.logto.store.begin() as connection:
            connection.execute(sso_connectors.update().values(**columns))

    async def leave(self, connector_id: str = CONNECTOR) -> str:
        """Follow the link to the provider. Returns the provider's URL."""
        page = await self.logto.browser.get(f"/direct/sso/{connector_id}?app_id=client")
        return await moves_on_to(page)

    async def visit(self, authorization_uri: str) -> str:
        """Sign in at the provider. Returns the path and query with which the browser comes back."""
        async with (
            aiohttp.ClientSession() as browser,
            browser.get(authorization_uri, allow_redirects=False) as answer,
        ):
            assert answer.status == 302, await answer.text()
            back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"

    async def come_back(self, path: str) -> Response:
        return await come_back(self.logto, path)

    async def round_trip(self) -> Response:
        """Go to the provider, sign in and come back. Returns this server's last reply."""
        return await self.come_back(await self.visit(await self.leave()))

    async def call(self, action: str, connector_id: str = CONNECTOR, **body: object) -> tuple[int, Any]:
        return await self.logto.call("POST", f"/verification/sso/{connector_id}/{action}", body)

    async def depart(self, event: str = "SignIn", connector_id: str = CONNECTOR) -> tuple[str, str]:
        """Begin a sign-in by the API, and sign in at the provider. Returns verification id and code."""
        await self.logto.call("PUT", "", {"interactionEvent": event})
        address = CALLBACK.replace(CONNECTOR, connector_id)
        status, departure = await self.call("authorization-uri", connector_id, state="s", redirectUri=address)
        assert status == 200, departure
        back = await self.visit(departure["authorizationUri"])
        return departure["verificationId"], parse_qs(urlsplit(back).query)["code"][0]

    async def verify(self, verification_id: str, code: str, connector_id: str = CONNECTOR) -> tuple[int, Any]:
        body = {"verificationId": verification_id, "connectorData": {"code": code}}
        return await self.call("verify", connector_id, **body)

    async def prove(self, event: str = "SignIn", connector_id: str = CONNECTOR) -> str:
        """Verify an identity by the API. Returns the verification id."""
        verification_id, code = await self.depart(event, connector_id)
        status, answer = await self.verify(verification_id, code, connector_id)
        assert status == 200, answer
        return verification_id

    async def identify(self, verification_id: str) -> tuple[int, Any]:
        return await self.logto.call("POST", "/identification", {"verificationId": verification_id})

    async def sign_in(self, event: str = "SignIn", connector_id: str = CONNECTOR) -> tuple[int, Any]:
        """Prove an identity by the API, and identify with it."""
        return await self.identify(await self.prove(event, connector_id))

    def link(self, user_id: str, person: OpenIdPerson, issuer: str = "") -> None:
        """Give an account the identity of a person at the provider."""
        values = {
            "id": f"identity-of-{user_id}",
            "user_id": user_id,
            "issuer": issuer or self.provider.issuer,
            "identity_id": person.id,
            "detail": {"id": person.id},
            "created_at": now_ms(),
            "updated_at": now_ms(),
            "sso_connector_id": CONNECTOR,
        }
        with self.logto.store.begin() as connection:
            connection.execute(user_sso_identities.insert().values(**values))

    def identities(self) -> list[tuple[str, str, str]]:
        """Return account, issuer and id of every identity."""
        c = user_sso_identities.c
        query = sa.select(c.user_id, c.issuer, c.identity_id).order_by(c.created_at, c.id)
        with self.logto.store.begin() as connection:
            return [tuple(row) for row in connection.execute(query)]  # type: ignore[misc]

    async def signed_in(self) -> Mapping[str, Any]:
        """Return the account with which the authorization request continues."""
        user_id = await self.logto.signed_in_user()
        assert user_id is not None
        return await self.logto.user(user_id)


@asynccontextmanager
async def company_app(data_dir: Path) -> AsyncIterator[CompanyApp]:
    """Serve the sign-in pages with a company's connector. At the provider the browser is Maria's."""
    async with fake_openid() as provider, experience_app(data_dir, connector_timeout=PATIENCE) as logto:
        provider.person = MARIA
        app = CompanyApp(logto, provider)
        await app.add_connector(CONNECTOR)
        await logto.configure(**SSO)
        yield app

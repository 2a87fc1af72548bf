"""The whole provider in this process, called as an application with access to the Management API."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quart import Quart
from quart.typing import TestClientProtocol
from werkzeug.datastructures import Headers

from local_logto.app import create_app
from local_logto.settings import Settings
from local_logto.store import Store
from unit.databases import create_database

MANAGEMENT_SECRET = "the-management-secret"


@dataclass(frozen=True)
class Answer:
    """One reply. ``body`` is decoded JSON, text, or None when it is empty."""

    status: int
    headers: Headers
    body: Any

    @property
    def code(self) -> str:
        """Logto's error code, on which clients branch."""
        return str(self.body["code"])

    @property
    def refusal(self) -> tuple[int, str]:
        """The status and Logto's error code."""
        return self.status, self.code


@dataclass
class ManagementApp:
    """The running provider, and a client with a token for its Management API."""

    app: Quart
    client: TestClientProtocol
    token: str

    @property
    def store(self) -> Store:
        store: Store = self.app.extensions["store"]
        return store

    async def call(
        self, method: str, path: str, body: object = None, *, token: str | None = None, **query: str
    ) -> Answer:
        """Call the Management API, below ``/api``. ``token=""`` sends no token."""
        bearer = self.token if token is None else token
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        given: dict[str, Any] = {} if body is None else {"json": body}
        response = await self.client.open(
            f"/api{path}", method=method, headers=headers, query_string=query, **given
        )
        text = (await response.get_data(as_text=True)) or ""
        is_json = "json" in (response.content_type or "")
        return Answer(response.status_code, response.headers, json.loads(text) if is_json else text or None)

    async def get(self, path: str, **query: str) -> Answer:
        return await self.call("GET", path, **query)

    async def made(self, path: str, **body: object) -> dict[str, Any]:
        """Create something by POST and return it."""
        answer = await self.call("POST", path, body)
        assert answer.status in (200, 201), answer.body
        created: dict[str, Any] = answer.body
        return created

    async def new_token(self, resource: str = "https://default.logto.app/api") -> str:
        """Request a token with the scope ``all``, valid from the present moment of a test's clock."""
        form = {
            "grant_type": "client_credentials",
            "resource": resource,
            "scope": "all",
            "client_id": "m-default",
            "client_secret": MANAGEMENT_SECRET,
        }
        response = await self.client.post("/oidc/token", form=form)
        token: str = (await response.get_json())["access_token"]
        return token


_IDLE: list[Quart] = []


@asynccontextmanager
async def provider(settings: Settings) -> AsyncIterator[Quart]:
    """Serve the provider with a new database.

    Providers that are no longer needed serve again, because compiling their routes takes a tenth of a second.
    """
    app = _IDLE.pop() if _IDLE else create_app(settings)
    create_database(settings.database)
    app.extensions |= {"settings": settings, "store": Store(settings.database)}
    async with app.test_app():
        yield app
    _IDLE.append(app)


@asynccontextmanager
async def management_app(data_dir: Path, **settings: Any) -> AsyncIterator[ManagementApp]:
    """Serve the provider, and request a token for its Management API."""
    configured = Settings(data_dir=data_dir, management_app_secret=MANAGEMENT_SECRET, **settings)
    async with provider(configured) as app:
        api = ManagementApp(app, app.test_client(), "")
        api.token = await api.new_token()
        yield api

"""The provider in this process, called as the Management API's application calls it."""

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

MANAGEMENT_SECRET = "the-management-secret"


@dataclass(frozen=True)
class Answer:
    """One reply; ``body`` is decoded JSON, text, or None when there was nothing."""

    status: int
    headers: Headers
    body: Any

    @property
    def code(self) -> str:
        """The code that clients branch on."""
        return str(self.body["code"])


@dataclass
class ManagementApp:
    """The running application, its store, and a bearer of a Management API token."""

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
        """One call below ``/api``; ``token=""`` sends none."""
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
        """What a POST created."""
        answer = await self.call("POST", path, body)
        assert answer.status in (200, 201), answer.body
        created: dict[str, Any] = answer.body
        return created


@asynccontextmanager
async def management_app(data_dir: Path, **set_otherwise: Any) -> AsyncIterator[ManagementApp]:
    """A provider of its own with an empty database, and a token for it."""
    settings = Settings(data_dir=data_dir, management_app_secret=MANAGEMENT_SECRET, **set_otherwise)
    app = create_app(settings)
    async with app.test_app() as serving:
        client = serving.test_client()
        form = {
            "grant_type": "client_credentials",
            "resource": "https://default.logto.app/api",
            "scope": "all",
            "client_id": settings.management_app_id,
            "client_secret": MANAGEMENT_SECRET,
        }
        response = await client.post("/oidc/token", form=form)
        token = (await response.get_json())["access_token"]
        yield ManagementApp(app, client, token)

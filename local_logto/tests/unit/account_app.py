"""The whole provider in this process, with a browser for the account page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from quart import Quart, Response

from local_logto.crypto.passwords import hash_password
from local_logto.messages import list_messages
from local_logto.settings import Settings
from local_logto.settings_rows import SIGN_IN_EXP, read_setting, write_setting
from local_logto.store import Store, new_id, now_ms
from local_logto.tables import users
from unit.experience_app import PASSWORD
from unit.management_app import provider
from unit.page_reading import leads_to, text_of

ALICE = {"username": "alice", "name": "Alice", "primary_email": "alice@example.test"}


@dataclass
class Browser:
    """A browser that returns cookies unchanged. The test client's own jar drops raw JSON in them."""

    app: Quart
    cookies: dict[str, str] = field(default_factory=dict)

    async def open(self, method: str, path: str, form: Mapping[str, str] | None, site: str) -> Response:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        client = self.app.test_client(use_cookies=False)
        headers = {"Cookie": cookies, "Sec-Fetch-Site": site}
        response = await client.open(path, method=method, headers=headers, form=dict(form) if form else None)
        self.remember(response)
        return response

    def remember(self, response: Response) -> None:
        """Store the response's cookies."""
        for line in response.headers.getlist("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "expires=Thu, 01 Jan 1970" in line:
                del self.cookies[name]


@dataclass
class Site:
    """The running provider, and one browser."""

    app: Quart
    browser: Browser

    @property
    def store(self) -> Store:
        store: Store = self.app.extensions["store"]
        return store

    async def add_user(self, **columns: object) -> str:
        """Create an account, Alice's unless the columns say otherwise, and return its id."""
        row = {"id": new_id(12), "password_hash": await hash_password(PASSWORD), **ALICE, **columns}
        with self.store.begin() as connection:
            connection.execute(users.insert().values(**row, created_at=now_ms(), updated_at=now_ms()))
        return str(row["id"])

    async def user(self, user_id: str) -> Mapping[str, Any]:
        with self.store.begin() as connection:
            row = connection.execute(sa.select(users).where(users.c.id == user_id))
            return row.one()._mapping

    async def change_user(self, user_id: str, **values: object) -> None:
        with self.store.begin() as connection:
            connection.execute(users.update().where(users.c.id == user_id).values(**values))

    async def configure(self, **values: object) -> None:
        settings = read_setting(self.store, SIGN_IN_EXP)
        write_setting(self.store, SIGN_IN_EXP, settings | values)

    async def get(self, path: str) -> Response:
        return await self.browser.open("GET", path, None, "none")

    async def page(self, path: str) -> str:
        response = await self.get(path)
        assert response.status_code == 200, response.headers.get("Location")
        return await text_of(response)

    async def post(self, path: str, /, **form: str) -> Response:
        return await self.browser.open("POST", path, form, "same-origin")

    def in_another_browser(self) -> Site:
        return Site(self.app, Browser(self.app))

    async def sign_in(self, identifier: str = "alice") -> Response:
        """Sign in by way of the account page, and return the last reply."""
        first = leads_to(await self.get("/account"))
        resume = leads_to(await self.post(first, identifier=identifier, password=PASSWORD))
        return await self.get(urlsplit(resume).path)

    async def prove(self) -> None:
        """Prove the owner's identity by password."""
        await self.get("/account/verify")
        assert (await self.post("/account/verify/password", password=PASSWORD)).status_code == 303

    async def newest_message(self) -> tuple[str, str, str]:
        message = list_messages(self.store)[0]
        return message.recipient, message.usage, str(message.code)


@asynccontextmanager
async def account_site(data_dir: Path, **settings: Any) -> AsyncIterator[Site]:
    async with provider(Settings(data_dir=data_dir, **settings)) as app:
        site = Site(app, Browser(app))
        await site.configure(mfa={"factors": ["Totp", "BackupCode"], "policy": "NoPrompt"})
        yield site

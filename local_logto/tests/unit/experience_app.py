"""The Experience API and the sign-in pages without the rest of the provider, with a browser that signs in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from quart import Quart, Response
from quart.typing import TestClientProtocol

from local_logto.crypto.passwords import hash_password
from local_logto.crypto.signed_cookies import INTERACTION, CookieSigner, write_cookie
from local_logto.errors import RequestError, render_request_error
from local_logto.experience import blueprint
from local_logto.messages import Message, list_messages
from local_logto.oidc.session.interactions import Interaction, create_interaction, find_interaction_by_uid
from local_logto.settings import Settings
from local_logto.settings_rows import write_setting
from local_logto.store import Store, new_id, now_ms
from local_logto.tables import users
from local_logto.translation import install
from unit.databases import create_database

PASSWORD = "Correct-horse-9"
CALLBACK = "http://localhost:3000/callback"

_CODE = {"password": True, "verificationCode": True, "isPasswordPrimary": False}
_BY_USERNAME = {**_CODE, "identifier": "username", "verificationCode": False, "isPasswordPrimary": True}
_BY_EMAIL = {**_CODE, "identifier": "email"}
_BY_PHONE = {**_CODE, "identifier": "phone", "password": False}

USERNAME_AND_PASSWORD: dict[str, object] = {
    "signUp": {"identifiers": ["username"], "password": True, "verify": False},
    "signIn": {"methods": [{"identifier": "username", "password": True, "verificationCode": False}]},
}

CODES_AND_PASSWORDS: dict[str, object] = {
    "signUp": {
        "identifiers": ["username"],
        "password": True,
        "verify": True,
        "secondaryIdentifiers": [{"identifier": "email", "verify": True}],
    },
    "signIn": {"methods": [_BY_USERNAME, _BY_EMAIL]},
    "forgotPasswordMethods": ["EmailVerificationCode"],
}

CODES_BY_EMAIL_AND_PHONE: dict[str, object] = {
    "signUp": {"identifiers": ["email", "phone"], "password": False, "verify": True},
    "signIn": {"methods": [_BY_USERNAME, _BY_EMAIL, _BY_PHONE]},
    "forgotPasswordMethods": ["EmailVerificationCode", "PhoneVerificationCode"],
}


@dataclass
class ExperienceApp:
    """The application, its store, and a browser with an open interaction."""

    app: Quart
    store: Store
    browser: TestClientProtocol
    interaction: Interaction

    async def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Call the Experience API. Returns the status and the decoded body, None when it is empty."""
        keywords = {} if body is None else {"json": body}
        response = await self.browser.open(f"/api/experience{path}", method=method, **keywords)
        data = await response.get_data()
        is_json = response.content_type == "application/json; charset=utf-8"
        return response.status_code, json.loads(data) if is_json else data.decode() or None

    async def post(self, path: str, form: Mapping[str, str], **headers: str) -> Response:
        """Post a form as a page of this server does, unless the headers say otherwise."""
        headers = headers or {"Sec-Fetch-Site": "same-origin"}
        return await self.browser.post(path, form=dict(form), headers=headers)

    async def add_user(self, username: str, **columns: object) -> str:
        """Create an account with ``PASSWORD`` and return its id."""
        values = {"id": new_id(12), "username": username, "password_hash": await hash_password(PASSWORD)}
        values |= {"created_at": now_ms(), "updated_at": now_ms()} | columns
        with self.store.begin() as connection:
            connection.execute(users.insert().values(**values))
        return str(values["id"])

    async def user(self, user_id: str) -> Mapping[str, Any]:
        with self.store.begin() as connection:
            row = connection.execute(sa.select(users).where(users.c.id == user_id))
            return row.one()._mapping

    async def configure(self, **sign_in_experience: object) -> None:
        """Set the sign-in experience to username and password with these changes."""
        write_setting(self.store, "sign-in-exp", USERNAME_AND_PASSWORD | sign_in_experience)

    async def messages(self) -> list[Message]:
        return list_messages(self.store)

    async def signed_in_user(self) -> str | None:
        """Return the id of the user with whom the authorization request continues, or None."""
        async with self.app.app_context():
            interaction = find_interaction_by_uid(self.interaction.uid)
        assert interaction is not None
        return interaction.result["login"]["accountId"] if interaction.result else None


_IDLE: list[Quart] = []


def _sign_in_pages() -> Quart:
    """Return the sign-in pages without a store, one that an earlier test served if there is one."""
    if _IDLE:
        return _IDLE.pop()
    app = Quart("local_logto", static_folder=None)
    app.register_blueprint(blueprint)
    install(app.jinja_env)
    app.register_error_handler(RequestError, render_request_error)
    return app


@asynccontextmanager
async def experience_app(data_dir: Path, **changes: Any) -> AsyncIterator[ExperienceApp]:
    settings = Settings(data_dir=data_dir, demo_people=data_dir / "people.json", **changes)
    app = _sign_in_pages()
    create_database(settings.database)
    store = Store(settings.database)
    app.extensions |= {"settings": settings, "store": store, "cookie_signer": CookieSigner(b"test")}
    store.open()
    try:
        async with app.app_context():
            interaction = create_interaction(
                {"client_id": "client", "redirect_uri": CALLBACK, "scope": "openid"}, "login"
            )
        logto = ExperienceApp(app, store, await _browser_in(app, interaction), interaction)
        await logto.configure()
        yield logto
    finally:
        store.close()
    _IDLE.append(app)


async def _browser_in(app: Quart, interaction: Interaction) -> TestClientProtocol:
    """Return a browser with the signed cookie of the interaction."""
    carrier = Response("")
    async with app.app_context():
        uids = json.dumps({"client": interaction.uid, "_legacy": interaction.uid}, separators=(",", ":"))
        write_cookie(carrier, INTERACTION, uids)
    browser = app.test_client()
    for header in carrier.headers.getlist("Set-Cookie"):
        name, _, rest = header.partition("=")
        browser.set_cookie("localhost", name, rest.split("; ")[0])
    return browser

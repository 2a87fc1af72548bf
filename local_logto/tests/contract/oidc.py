"""The OIDC endpoints as an application calls them, without a browser's cookies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
from yarl import URL

from contract.client import Callback, LogtoBrowser, Reply, decode, read_reply
from contract.people import App, Person

Authentication = Literal["basic", "post", "none"]
Form = dict[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The token response of a sign-in, and its application."""

    app: App
    callback: Callback
    reply: Reply

    @property
    def refresh_token(self) -> str:
        token: str = self.reply.body["refresh_token"]
        return token

    @property
    def access_token(self) -> str:
        token: str = self.reply.body["access_token"]
        return token

    @property
    def id_token_claims(self) -> dict[str, Any]:
        return decode(self.reply.body["id_token"]).claims


class Oidc:
    """Calls to ``/oidc/*``. Nothing is retried and nothing is checked."""

    def __init__(self, http: aiohttp.ClientSession, endpoint: str) -> None:
        self._http = http
        self.endpoint = endpoint

    @property
    def issuer(self) -> str:
        return f"{self.endpoint}/oidc"

    async def send(self, method: str, path: str, **options: Any) -> Reply:
        url = URL(f"{self.endpoint}{path}", encoded=True)
        async with self._http.request(method, url, allow_redirects=False, **options) as response:
            return await read_reply(response)

    async def post(
        self, path: str, form: Form, app: App | None = None, authentication: Authentication = "basic"
    ) -> Reply:
        """Post a form. ``authentication`` says where the application's credentials go."""
        body: list[tuple[str, str]] = []
        for name, value in form.items():
            body += [(name, item) for item in ([value] if isinstance(value, str) else value)]
        headers = {}
        if app is not None and app.secret is None:
            body.append(("client_id", app.id))
        elif app is not None and app.secret is not None and authentication == "basic":
            headers["Authorization"] = aiohttp.encode_basic_auth(app.id, app.secret)
        elif app is not None and app.secret is not None and authentication == "post":
            body += [("client_id", app.id), ("client_secret", app.secret)]
        return await self.send("POST", path, data=aiohttp.FormData(body), headers=headers)

    async def token(
        self, app: App | None, authentication: Authentication = "basic", /, **form: str | Sequence[str]
    ) -> Reply:
        return await self.post("/oidc/token", form, app, authentication)

    async def refresh(self, app: App, refresh_token: str, **form: str | Sequence[str]) -> Reply:
        return await self.token(app, grant_type="refresh_token", refresh_token=refresh_token, **form)

    async def renew(self, tokens: Tokens, **form: str | Sequence[str]) -> Reply:
        """Use the refresh token of a sign-in."""
        return await self.refresh(tokens.app, tokens.refresh_token, **form)

    async def exchange(
        self,
        callback: Callback,
        authentication: Authentication = "basic",
        /,
        app: App | None = None,
        **form: str | Sequence[str] | None,
    ) -> Reply:
        """Exchange the callback's code as its application would.

        ``app`` exchanges it instead. ``form`` overrides parameters; ``None`` as a value omits one.
        """
        app = app or callback.request.app
        everything: dict[str, str | Sequence[str] | None] = {
            "grant_type": "authorization_code",
            "code": callback.code,
            "redirect_uri": app.redirect_uri,
            "code_verifier": callback.request.code_verifier,
            **form,
        }
        sent = {name: value for name, value in everything.items() if value is not None}
        return await self.token(app, authentication, **sent)

    async def sign_in(
        self,
        browser: LogtoBrowser,
        app: App,
        person: Person,
        **parameters: str | Sequence[str] | None,
    ) -> Tokens:
        """Sign in and exchange the code."""
        callback = await browser.sign_in(app, person, **parameters)
        return Tokens(app, callback, (await self.exchange(callback)).expect(200))

    async def authorize_again(
        self, browser: LogtoBrowser, app: App, **parameters: str | Sequence[str] | None
    ) -> Tokens:
        """Send another authorization request in a live session, and exchange its code."""
        callback = await browser.authorize_silently(app, **parameters)
        return Tokens(app, callback, (await self.exchange(callback)).expect(200))

    async def userinfo(self, access_token: str | None) -> Reply:
        headers = {} if access_token is None else {"Authorization": f"Bearer {access_token}"}
        return await self.send("GET", "/oidc/me", headers=headers)

    async def revoke(self, app: App, token: str) -> Reply:
        return await self.post("/oidc/token/revocation", {"token": token}, app)

    async def introspect(self, app: App, token: str) -> Reply:
        return await self.post("/oidc/token/introspection", {"token": token}, app)

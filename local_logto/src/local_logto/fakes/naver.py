"""Naver Login as Naver documents it: the authorize page, the token and the profile.

* Authorize and token: https://developers.naver.com/docs/login/api/api.md – ``GET /oauth2.0/authorize``
  redirects to the callback URL with ``code`` and ``state``, or with ``error``, ``error_description``
  and ``state``; ``/oauth2.0/token`` takes GET and POST, ``expires_in`` is a string, and an error is
  ``error`` with ``error_description`` **with status 200**.
* Profile: https://developers.naver.com/docs/login/profile/profile.md – ``resultcode`` ``00`` with
  ``response``; 401 with ``024`` (invalid token) or ``028`` (no header).
* Consent: https://developers.naver.com/docs/login/devguide/devguide.md – people who agreed before are not
  asked again; the application's settings select the facts it gets, and ``id`` is always included.

The documentation gives no status for the page that rejects an unknown application or callback URL.
Here it is 400, and as at Naver the browser stays on it.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode

from aiohttp import web

from local_logto.fakes.server import RECEIVED, FakeProvider, serving

CLIENT_ID = "naver-test-client"
CLIENT_SECRET = "naver-test-secret"
ASKED = ("client_id", "redirect_uri", "state")


@dataclass(frozen=True, slots=True)
class NaverAccount:
    """A person at Naver. Facts without consent are None and missing in the profile."""

    id: str
    email: str | None = None
    nickname: str | None = None
    profile_image: str | None = None

    @property
    def profile(self) -> dict[str, str]:
        facts = {name: getattr(self, name) for name in ("id", "nickname", "profile_image", "email")}
        return {name: value for name, value in facts.items() if value is not None}


class FakeNaver(FakeProvider):
    """Naver with one application. ``account`` is the person at the browser.

    ``callbacks`` are the registered callback URLs (None: any). With ``auto_agree`` nobody sees the consent
    page; otherwise each account sees it until they agree once.
    """

    def __init__(self, *, callbacks: frozenset[str] | None = None, auto_agree: bool = False) -> None:
        super().__init__()
        self.client_id = CLIENT_ID
        self.client_secret = CLIENT_SECRET
        self.callbacks = callbacks
        self.auto_agree = auto_agree
        self.account = NaverAccount("naver-somebody", "somebody@naver.example", "Somebody")
        self._agreed: set[str] = set()
        self._codes: dict[str, NaverAccount] = {}
        self._tokens: dict[str, NaverAccount] = {}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/oauth2.0/authorize", self._ask)
        router.add_post("/oauth2.0/authorize", self._decide)
        router.add_get("/oauth2.0/token", self._token)
        router.add_post("/oauth2.0/token", self._token)
        router.add_get("/v1/nid/me", self._profile)
        router.add_post("/v1/nid/me", self._profile)

    def expire(self) -> None:
        """Expire every code and token issued so far."""
        self._codes.clear()
        self._tokens.clear()

    # --- the page

    async def _ask(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        if not self._is_known(asked) or asked.get("response_type") != "code":
            return _page("<h1>This service cannot sign in with Naver</h1>", status=400)
        if self.auto_agree or self.account.id in self._agreed:
            return self._give_code(asked)
        fields = "".join(
            f'<input type="hidden" name="{name}" value="{escape(asked.get(name, ""))}">' for name in ASKED
        )
        name = escape(self.account.nickname or self.account.id)
        return _page(
            f"<h1>Agree to give your information?</h1><p>Signed in at Naver as {name}.</p>"
            f'<form method="post">{fields}<button name="decision" value="agree">Agree</button> '
            '<button name="decision" value="cancel">Cancel</button></form>'
        )

    async def _decide(self, request: web.Request) -> web.Response:
        asked = {name: str(value) for name, value in (await request.post()).items()}
        if not self._is_known(asked):
            return _page("<h1>This service cannot sign in with Naver</h1>", status=400)
        if asked.get("decision") == "agree":
            self._agreed.add(self.account.id)
            return self._give_code(asked)
        refusal = {"error": "access_denied", "error_description": "Canceled By User"}
        return _back(asked, refusal)

    def _is_known(self, asked: dict[str, str]) -> bool:
        callback = asked.get("redirect_uri", "")
        registered = callback in self.callbacks if self.callbacks is not None else bool(callback)
        return asked.get("client_id") == self.client_id and registered

    def _give_code(self, asked: dict[str, str]) -> web.Response:
        code = secrets.token_urlsafe(16)
        self._codes[code] = self.account
        return _back(asked, {"code": code})

    # --- the two requests of the server

    async def _token(self, request: web.Request) -> web.Response:
        received = request[RECEIVED]
        asked = {**received.query, **(received.form if received.method == "POST" else {})}
        if asked.get("grant_type") != "authorization_code":
            return _token_error("unsupported_grant_type", "unsupported grant_type")
        if (asked.get("client_id"), asked.get("client_secret")) != (self.client_id, self.client_secret):
            return _token_error("invalid_request", "wrong client id / client secret pair")
        account = self._codes.pop(asked.get("code", ""), None)
        if account is None:
            return _token_error("invalid_request", "no valid data in session")
        access_token = secrets.token_urlsafe(24)
        self._tokens[access_token] = account
        return web.json_response(
            {
                "access_token": access_token,
                "refresh_token": secrets.token_urlsafe(24),
                "token_type": "bearer",
                "expires_in": "3600",
            }
        )

    async def _profile(self, request: web.Request) -> web.Response:
        header = request[RECEIVED].header("authorization")
        if not header:
            refusal = {"resultcode": "028", "message": "Authentication header not exists"}
            return web.json_response(refusal, status=401)
        scheme, _, token = header.partition(" ")
        account = self._tokens.get(token) if scheme.lower() == "bearer" else None
        if account is None:
            return web.json_response({"resultcode": "024", "message": "Authentication failed"}, status=401)
        return web.json_response({"resultcode": "00", "message": "success", "response": account.profile})


def _page(body: str, status: int = 200) -> web.Response:
    head = '<!doctype html><html lang="en"><head><title>NAVER</title><link rel="icon" href="data:,"></head>'
    return web.Response(
        text=f"{head}<body><main>{body}</main></body></html>", content_type="text/html", status=status
    )


def _back(asked: dict[str, str], answer: dict[str, str]) -> web.Response:
    """Redirect to the callback URL, with ``state`` if it was sent."""
    query = {**answer, **({"state": asked["state"]} if asked.get("state") else {})}
    return web.Response(status=302, headers={"location": f"{asked['redirect_uri']}?{urlencode(query)}"})


def _token_error(error: str, description: str) -> web.Response:
    return web.json_response({"error": error, "error_description": description})


@asynccontextmanager
async def fake_naver(
    *, callbacks: frozenset[str] | None = None, auto_agree: bool = False
) -> AsyncIterator[FakeNaver]:
    """Run Naver. Its sign-in and its API have the same ``base_url``."""
    async with serving(FakeNaver(callbacks=callbacks, auto_agree=auto_agree)) as naver:
        yield naver

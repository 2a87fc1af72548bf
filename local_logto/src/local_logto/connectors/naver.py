"""Naver: where people sign in, and what is requested when they come back.

The requests are those of Logto 1.42's connector ``naver-universal``; only the two base URLs can be set. The
services of the sign-in pages decide what an identity means for an account.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlencode

from local_logto.connectors.factories import NAVER
from local_logto.connectors.fetching import is_success
from local_logto.connectors.posting import general, post
from local_logto.connectors.registry import Connector
from local_logto.faults import Issue
from local_logto.refusals import refusal
from local_logto.settings import Settings
from local_logto.values import Shape, Text

_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_CALLBACK: Final = Shape({"code": Text(), "redirectUri": Text()})
_TOKEN: Final = Shape({"access_token": Text(), "token_type": Text()}, {"scope": Text()})
_FACTS: Final = Shape({"id": Text()}, {name: Text() for name in ("email", "nickname", "profile_image")})
_PROFILE: Final = Shape({"resultcode": Text(), "message": Text(), "response": _FACTS})


@dataclass(frozen=True)
class SocialUser:
    """A person at a social provider. ``raw`` is the whole response. What was not shared is None."""

    id: str
    email: str | None
    name: str | None
    avatar: str | None
    raw: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return the ``details`` of an identity as Logto stores them: only known members."""
        members = {"id": self.id, "avatar": self.avatar, "email": self.email, "name": self.name}
        return {name: value for name, value in members.items() if value} | {"rawData": self.raw}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SocialUser:
        email, name, avatar = (value.get(name) for name in ("email", "name", "avatar"))
        return cls(value["id"], email, name, avatar, value.get("rawData", {}))


def authorization_uri(settings: Settings, connector: Connector, *, state: str, redirect_uri: str) -> str:
    """Return where to send the browser. There is no ``scope``: Naver takes it from its own console.

    Raises 400 ``connector.invalid_config``.
    """
    NAVER.check(connector.config)
    query = {
        "client_id": str(connector.config["clientId"]),
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "state": state,
    }
    return f"{settings.naver_base_url}/oauth2.0/authorize?{urlencode(query)}"


async def read_social_user(
    settings: Settings, connector: Connector, data: Mapping[str, object]
) -> SocialUser:
    """Return the person who came back with ``data``: the ``code``, and the ``redirectUri`` that it was issued
    for.

    Both requests together take at most ``settings.connector_timeout`` seconds. Raises 400
    ``connector.general`` without a code (the person declined at Naver), and if Naver rejects the request or
    doesn't answer, where Logto sometimes fails with an unhelpful 500. Raises 400
    ``connector.invalid_response``, also for errors that Naver sends with status 200, and 401
    ``connector.social_auth_code_invalid`` or ``connector.social_invalid_access_token``.
    """
    issues: list[Issue] = []
    callback = _CALLBACK.check(data, (), issues)
    if issues:
        raise general({"message": json.dumps(data, ensure_ascii=False, separators=(",", ":"))})
    NAVER.check(connector.config)
    try:
        async with asyncio.timeout(settings.connector_timeout):
            token = await _fetch_token(settings, connector, callback)
            return await _fetch_user(settings, token)
    except TimeoutError as error:
        raise general({"name": "TimeoutError", "code": "ETIMEDOUT"}) from error


async def _fetch_token(settings: Settings, connector: Connector, callback: Mapping[str, str]) -> str:
    form = {
        "code": unquote(callback["code"]),
        "client_id": connector.config["clientId"],
        "client_secret": connector.config["clientSecret"],
        "redirect_uri": callback["redirectUri"],
        "grant_type": "authorization_code",
    }
    url = f"{settings.naver_base_url}/oauth2.0/token"
    status, text = await post(
        url, urlencode(form).encode(), _FORM, timeout_seconds=settings.connector_timeout
    )
    if not is_success(status):
        raise general({"statusCode": status, "body": text})
    token: str = _read(_TOKEN, text)["access_token"]
    if not token:
        raise refusal("connector.social_auth_code_invalid")
    return token


async def _fetch_user(settings: Settings, token: str) -> SocialUser:
    url, bearer = f"{settings.naver_api_base_url}/v1/nid/me", {"Authorization": f"Bearer {token}"}
    status, text = await post(url, b"", bearer, timeout_seconds=settings.connector_timeout)
    if status == 401:
        raise refusal("connector.social_invalid_access_token")
    if not is_success(status):
        raise general({"statusCode": status, "body": text})
    facts = _read(_PROFILE, text)["response"]
    return SocialUser(
        facts["id"],
        email=facts.get("email") or None,
        name=facts.get("nickname") or None,
        avatar=facts.get("profile_image") or None,
        raw=json.loads(text),
    )


def _read(shape: Shape, text: str) -> Any:
    """Parse a response. Faults are named without their values, which may contain a token."""
    issues: list[Issue] = []
    try:
        known = shape.check(json.loads(text), (), issues)
    except ValueError as error:
        raise refusal("connector.invalid_response") from error
    if issues:
        raise refusal("connector.invalid_response", data={"issues": issues, "name": "ZodError"})
    return known

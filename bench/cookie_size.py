"""Measures how large a session would be in a cookie, with real tokens of people with 1 to 200 organizations.

Run it with ``python -m bench.cookie_size``. It starts the provider, signs people in through the application,
opens the projects of all their organizations, and packs the tokens like Flask and Quart pack a session into a
signed cookie (JSON, zlib, base64, signature). ``docs/sessions.md`` shows the table that it prints.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from quart import Quart
from quart.sessions import SecureCookieSessionInterface

from bench.site import running_site
from saas_app.app import create_app
from saas_app.config import ManagementSettings, load_settings
from saas_app.identity.logto_client import LogtoCore, ScopedTokenResponse
from saas_app.logto import connect
from saas_app.rbac.permissions import Role
from tests.clients import Browser
from tests.factories import Factory

ORGANIZATIONS = (1, 10, 50, 200)
COOKIE_LIMIT = 4096  # bytes per cookie that browsers must support (RFC 6265 §6.1); most allow no more
HEADER_LIMIT = 8192  # bytes of one header line that nginx accepts by default; Apache accepts 8190
HEADINGS = (
    "organizations",
    "ID token",
    "refresh token",
    "access tokens",
    "cookie at sign-in",
    "after visits",
    "uncompressed",
)


@dataclass(slots=True)
class SessionTokens:
    """The tokens that Logto issued to one session."""

    id_token: str = ""
    refresh_token: str = ""
    access_tokens: list[str] = field(default_factory=list)

    def add(self, answer: ScopedTokenResponse) -> None:
        if answer.id_token:
            self.id_token = answer.id_token
        if answer.refresh_token:
            self.refresh_token = answer.refresh_token
        self.access_tokens.append(answer.access_token)

    def as_session(self, access_tokens: int | None = None) -> dict[str, object]:
        """Return the session as Logto's SDK stores it, with that many access tokens. None means all."""
        tokens = {str(at): token for at, token in enumerate(self.access_tokens[:access_tokens])}
        return {"idToken": self.id_token, "refreshToken": self.refresh_token, "accessTokenMap": tokens}


def signed(session: dict[str, object]) -> int:
    """Return the bytes of the session in a cookie of Flask or Quart, which compress it."""
    app = Quart("cookie")
    app.secret_key = "not a secret: only the length counts"
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    return len(serializer.dumps(session))


def plain(session: dict[str, object]) -> int:
    """Return the bytes of the session in base64, for frameworks that do not compress it."""
    return len(base64.b64encode(json.dumps(session).encode()))


async def collect_tokens(factory: Factory, organization_ids: Sequence[str]) -> SessionTokens:
    """Sign in a member of these organizations, open each, and return the tokens."""
    settings, tokens, fetch = load_settings(), SessionTokens(), LogtoCore.fetch_token

    async def listening(self: LogtoCore, form: dict[str, str]) -> ScopedTokenResponse:
        answer = await fetch(self, form)
        tokens.add(answer)
        return answer

    person = await factory.person("Cookie")
    for organization_id in organization_ids:
        await factory.join(organization_id, person, Role.EDITOR)
    LogtoCore.fetch_token = listening  # type: ignore[method-assign, assignment]
    try:
        app = create_app(settings)
        async with app.test_app(), Browser(app, settings.redirect_uri) as browser:
            await browser.sign_in(person)
            for organization_id in organization_ids:
                await browser.get(f"/o/{organization_id}/projects")
    finally:
        LogtoCore.fetch_token = fetch  # type: ignore[method-assign]
    return tokens


def verdict(size: int) -> str:
    """Return the size, and the limit that it exceeds."""
    if size > HEADER_LIMIT:
        return f"{size:,} (over {HEADER_LIMIT:,})"
    return f"{size:,} (over {COOKIE_LIMIT:,})" if size > COOKIE_LIMIT else f"{size:,}"


async def measure(management: ManagementSettings) -> None:
    """Print the table, as Markdown."""
    async with connect(management) as client:
        factory = Factory(client)
        every = [await factory.organization("Cookie") for _ in range(max(ORGANIZATIONS))]
        print(f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}")  # noqa: T201
        for count in ORGANIZATIONS:
            tokens = await collect_tokens(factory, every[:count])
            row = (
                str(count),
                f"{len(tokens.id_token):,}",
                f"{len(tokens.refresh_token):,}",
                f"{len(tokens.access_tokens)}, together {sum(map(len, tokens.access_tokens)):,}",
                verdict(signed(tokens.as_session(access_tokens=1))),
                verdict(signed(tokens.as_session())),
                verdict(plain(tokens.as_session())),
            )
            print(f"| {' | '.join(row)} |")  # noqa: T201


def main() -> None:
    """Start everything, measure, stop everything."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with running_site() as site:
        os.environ.update(site.environment)
        asyncio.run(measure(site.management))


if __name__ == "__main__":
    main()

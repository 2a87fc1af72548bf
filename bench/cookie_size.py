"""How heavy a session would be in a cookie: real tokens of people with 1 to 200 organizations.

Run it with ``python -m bench.cookie_size``. It starts the provider by itself, signs people in through the
application, lets each open the projects of every organization, and packs what Logto answered the way a
framework packs a session into a signed cookie (Flask's and Quart's: JSON, zlib, base64, signature).
``docs/sessions.md`` shows the table it prints.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
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
COOKIE_LIMIT = 4096  # bytes a browser has to keep of one cookie, RFC 6265 §6.1; the usual ones keep no more
HEADER_LIMIT = 8192  # bytes nginx takes in one header line unless it is told otherwise; Apache takes 8190
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
class Weighed:
    """What Logto has given to one session."""

    id_token: str = ""
    refresh_token: str = ""
    access_tokens: list[str] = field(default_factory=list)

    def take(self, answer: ScopedTokenResponse) -> None:
        if answer.id_token:
            self.id_token = answer.id_token
        if answer.refresh_token:
            self.refresh_token = answer.refresh_token
        self.access_tokens.append(answer.access_token)

    def as_session(self, access_tokens: int | None = None) -> dict[str, object]:
        """What the SDK keeps, with the first so many access tokens or with all."""
        tokens = {str(at): token for at, token in enumerate(self.access_tokens[:access_tokens])}
        return {"idToken": self.id_token, "refreshToken": self.refresh_token, "accessTokenMap": tokens}


def signed(session: dict[str, object]) -> int:
    """Bytes of the session in a cookie of Flask or Quart, which compress."""
    app = Quart("cookie")
    app.secret_key = "not a secret: only the length counts"
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    return len(serializer.dumps(session))


def plain(session: dict[str, object]) -> int:
    """Bytes of the session in base64 alone, as cookie stores that do not compress keep it."""
    return len(base64.b64encode(json.dumps(session).encode()))


async def weigh(factory: Factory, organization_ids: Sequence[str]) -> Weighed:
    """Sign a member of these organizations in, and let them look into each."""
    settings, weighed, fetch = load_settings(), Weighed(), LogtoCore.fetch_token

    async def listening(self: LogtoCore, form: dict[str, str]) -> ScopedTokenResponse:
        answer = await fetch(self, form)
        weighed.take(answer)
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
    return weighed


def verdict(size: int) -> str:
    """The size, and which limit it breaks."""
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
            weighed = await weigh(factory, every[:count])
            row = (
                str(count),
                f"{len(weighed.id_token):,}",
                f"{len(weighed.refresh_token):,}",
                f"{len(weighed.access_tokens)}, together {sum(map(len, weighed.access_tokens)):,}",
                verdict(signed(weighed.as_session(access_tokens=1))),
                verdict(signed(weighed.as_session())),
                verdict(plain(weighed.as_session())),
            )
            print(f"| {' | '.join(row)} |")  # noqa: T201


def main() -> None:
    """Start everything, measure, stop everything."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with running_site() as site:
        asyncio.run(measure(site.management))


if __name__ == "__main__":
    main()

"""A visitor in her browser, and the demo people whose pages she can see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from quart import Quart

from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import runtime_of
from tests.factories import Factory

OWN_COOKIE = "workroom_own_session"
AS, BACK = "/lab/as", "/lab/as/back"
WritePeople = Callable[..., Path]


@dataclass(frozen=True)
class Scene:
    """Ada, an admin, in her browser, with the demo people Vic (viewer), Ed (editor) and Ada herself."""

    app: Quart
    organization_id: str
    ada: Person
    vic: Person
    ed: Person
    browser: Browser
    make: Factory

    @property
    def root(self) -> str:
        return f"/o/{self.organization_id}"

    @property
    def runtime(self) -> Runtime:
        return runtime_of(self.app)

    async def play(self, person: Person, next_path: str = "/o") -> str:
        """See the application as a person, and return where that leads."""
        response = await self.browser.post(AS, {"username": person.username, "next": next_path})
        return str(response.headers["Location"])

    async def back(self, next_path: str = "/o") -> str:
        response = await self.browser.post(BACK, {"next": next_path})
        return str(response.headers["Location"])

    async def who(self, browser: Browser | None = None) -> str:
        """Return the subject of the session that the browser has."""
        answer = await (browser or self.browser).get("/api/v1/me")
        return str((await answer.get_json())["subject"])

    async def is_live(self, session_cookie: str) -> bool:
        return await self.runtime.sessions.find_access(session_cookie, None) is not None

    def cookie(self, name: str) -> str | None:
        jar = self.browser.app.cookie_jar or ()
        return next((cookie.value for cookie in jar if cookie.name == name), None)

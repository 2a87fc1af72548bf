"""Fixtures of the lab: a learner with practice organizations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from quart import Quart

from saas_app.lab import service
from saas_app.lab.changes import grounds
from saas_app.lab.changes.runs import open_stage
from saas_app.lab.lesson import Lesson
from saas_app.lab.service import Progress
from saas_app.lab.stage import Body, Stage
from saas_app.lab.systems import LabSystems
from saas_app.lab.values import Ground, Run
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory


@dataclass(frozen=True, slots=True)
class LearnerInLab:
    """A learner: their browser, and shortcuts for what the lab has stored."""

    person: Person
    browser: Browser
    runtime: Runtime

    @property
    def lab(self) -> LabSystems:
        assert self.runtime.lab is not None
        return self.runtime.lab

    async def set_up(self) -> None:
        """Make the practice organizations, and renew access as the page does."""
        response = await self.browser.post("/lab/ground")
        await self.browser.follow(response.headers["Location"])

    async def ground(self) -> Ground:
        return await grounds.get_ground(self.lab, self.person.id)

    async def progress(self) -> Progress:
        return await service.find_progress(self.runtime.work, self.person.id)

    async def predict(self, lesson: Lesson, answer: str, expect: int = 303) -> str:
        return await self.browser.submit(f"{path_of(lesson)}/prediction", {"answer": answer}, expect)

    async def act(self, lesson: Lesson, expect: int = 303) -> str:
        return await self.browser.submit(f"{path_of(lesson)}/act", None, expect)

    @asynccontextmanager
    async def on_stage(self, app: Quart) -> AsyncIterator[Stage]:
        """Open the stage of a lesson. Its requests to our API go to ``app``."""

        async def read(path: str, token: str, body: Body = None) -> tuple[int, Any]:
            headers = {"Authorization": f"Bearer {token}"}
            client = app.test_client(use_cookies=False)
            method = "GET" if body is None else "POST"
            response = await client.open(path, method=method, headers=headers, json=body)
            return response.status_code, await response.get_json()

        caller = await self.runtime.browser_sessions.prove(self.browser.session_cookie)
        async with open_stage(self.lab, caller.principal, read) as stage:
            yield stage

    async def run_of(self, lesson: Lesson) -> Run:
        progress = await self.progress()
        view = await service.view_lesson(self.runtime.work, self.person.id, lesson, progress)
        return view.run


def path_of(lesson: Lesson) -> str:
    return f"/lab/lessons/{lesson.slug}"


NewLearner = Callable[..., Awaitable[LearnerInLab]]


@pytest.fixture
def new_learner(make: Factory, open_browser: OpenBrowser, runtime: Runtime) -> NewLearner:
    """``await new_learner()``: a person in the lab, with practice organizations."""

    async def make_one(name: str = "Lena", *, is_set_up: bool = True, **at: Any) -> LearnerInLab:
        person = await make.person(name)
        found = LearnerInLab(person, await open_browser(person, **at), runtime)
        if is_set_up:
            await found.set_up()
        return found

    return make_one


@pytest.fixture
async def learner(new_learner: NewLearner) -> LearnerInLab:
    """A learner with practice organizations."""
    return await new_learner()

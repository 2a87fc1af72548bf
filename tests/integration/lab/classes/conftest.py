"""A class with its teacher, for the tests of classes."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from saas_app.db import keys
from saas_app.db.base import utc_now
from saas_app.lab.classes.codes import read_code
from saas_app.lab.classes.lessons import lesson_infos
from saas_app.lab.classes.service import class_of
from saas_app.models import LabClassMember, LabRun
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import PASSWORD, Factory

ROOT = "/lab/class"
LESSON = lesson_infos()[0]
FIRST, SECOND = list(LESSON.answers)[:2]


@dataclass(frozen=True, slots=True)
class Room:
    """A class, with the browser of its teacher."""

    code: str
    teacher: Person
    browser: Browser

    @property
    def path(self) -> str:
        """The path of its page."""
        return f"{ROOT}/{self.code}"


@dataclass(frozen=True, slots=True)
class Learner:
    """A person with a browser."""

    person: Person
    browser: Browser


OpenRoom = Callable[..., Awaitable[Room]]
Come = Callable[..., Awaitable[Learner]]
Predict = Callable[..., Awaitable[None]]


async def start(browser: Browser, title: str = "RBAC in an hour") -> str:
    """Start a class, and return its code as it is stored."""
    location = (await browser.post(f"{ROOT}/start", {"title": title})).headers["Location"]
    code = read_code(location.rpartition("/")[2])
    assert code is not None
    return code


@pytest.fixture
def open_room(make: Factory, open_browser: OpenBrowser) -> OpenRoom:
    """``await open_room("Title", teacher="Tess")``: a class with a new teacher."""

    async def open_one(title: str = "RBAC in an hour", *, teacher: str = "Tess") -> Room:
        person = await make.person(teacher)
        browser = await open_browser(person)
        return Room(await start(browser, title), person, browser)

    return open_one


@pytest.fixture
async def room(open_room: OpenRoom) -> Room:
    """A class."""
    return await open_room()


@pytest.fixture
def come(make: Factory, open_browser: OpenBrowser) -> Come:
    """``await come(room, "Lena", shows_name=True)``: a new person who joins the class, if one is given."""

    async def come_one(room: Room | None = None, name: str = "Lena", *, shows_name: bool = False) -> Learner:
        username = f"learner_{secrets.token_hex(5)}"
        user = await make.management.create_user(
            username=username, email=f"{username}@example.test", name=name, password=PASSWORD
        )
        person = Person(user.id, username, PASSWORD)
        learner = Learner(person, await open_browser(person))
        if room is not None:
            await learner.browser.post(f"{ROOT}/join", {"code": room.code})
        if room is not None and shows_name:
            await learner.browser.post(f"{room.path}/name", {"show": "yes"})
        return learner

    return come_one


@pytest.fixture
def predict(runtime: Runtime) -> Predict:
    """``await predict(learner.person.id, FIRST, answer=FIRST)``: a prediction, as a lesson stores it."""

    async def store(
        subject: str, choice: str, *, lesson: str = LESSON.slug, answer: str | None = None
    ) -> None:
        now, code = utc_now(), await class_of(runtime.work, subject)
        async with runtime.work.writing(key=keys.of_person(subject)) as db:
            done_at = now if answer else None
            db.add(run_of(subject, lesson, choice, code, now, answer, done_at))

    return store


def run_of(
    subject: str,
    lesson: str,
    choice: str,
    code: str | None,
    predicted_at: datetime,
    answer: str | None = None,
    done_at: datetime | None = None,
) -> LabRun:
    return LabRun(
        subject=subject,
        lesson=lesson,
        prediction=choice,
        predicted_at=predicted_at,
        class_code=code,
        answer=answer,
        done_at=done_at,
    )


async def fill(runtime: Runtime, code: str, learners: int, *, lessons: int = 0) -> list[str]:
    """Put people into a class who have no account, each with predictions in some lessons."""
    begun = utc_now() - timedelta(minutes=30)
    subjects = [f"{code[:6]}-{number}".lower() for number in range(learners)]
    for subject in subjects:
        async with runtime.work.writing(key=keys.of_person(subject)) as db:
            db.add(LabClassMember(code=code, subject=subject, joined_at=begun, name=None))
            db.add_all(
                run_of(subject, f"lesson-{number}", "a", code, begun, "b", begun) for number in range(lessons)
            )
    return subjects


def bars_on(page: str) -> dict[str, int]:
    """Return the bars that a page shows: how many predicted each answer."""
    found = re.findall(r'<th scope="row">([^<]+?)\s*(?:<span.*?)?</th>\s*<td>.*?spread-count">(\d+)', page)
    return {label: int(count) for label, count in found}

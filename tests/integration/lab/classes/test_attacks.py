"""What learners and strangers cannot do in a class, and what one person's answer cannot be read from."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from saas_app.db import keys
from saas_app.lab.classes import changes, service
from saas_app.lab.classes.codes import new_code
from saas_app.lab.classes.service import is_revealed
from saas_app.lab.classes.values import NoSuchClass, Prediction
from saas_app.models import LabClass, LabClassMember, LabRun
from saas_app.runtime import Runtime
from tests.clients import Browser
from tests.databases import Database
from tests.integration.lab.classes.conftest import (
    FIRST,
    LESSON,
    SECOND,
    Come,
    OpenRoom,
    Predict,
    Room,
    bars_on,
)
from tests.integration.lab.classes.test_teaching import rows_of

FOR_TEACHERS = [
    ("GET", "/progress"),
    ("GET", "/export.csv"),
    ("POST", "/reveal"),
    ("POST", "/close"),
]
FOR_LEARNERS = [("GET", ""), ("POST", "/leave"), ("POST", "/name")]
FORM = {"lesson": LESSON.slug, "show": "yes"}


async def ask(browser: Browser, method: str, path: str) -> tuple[int, str]:
    """Send a request, and return the status and the page, without the path that was asked for."""
    if method == "GET":
        answer = await browser.get(path, expect=404)
    else:
        answer = await browser.post(path, FORM, expect=404)
    page = await answer.get_data(as_text=True)
    return answer.status_code, re.sub(r'value="[^"]*"', "", page)


@pytest.mark.parametrize(("method", "what"), FOR_TEACHERS)
async def test_a_learner_cannot_do_what_the_teacher_does(
    room: Room, come: Come, runtime: Runtime, method: str, what: str
) -> None:
    learner = await come(room)

    await ask(learner.browser, method, f"{room.path}{what}")

    seat = await service.get_seat(runtime.work, room.code, room.teacher.id)
    assert seat.of.is_open
    assert not await is_revealed(runtime.work, room.code, LESSON.slug)


@pytest.mark.parametrize(("method", "what"), [*FOR_TEACHERS, *FOR_LEARNERS])
async def test_a_stranger_cannot_tell_a_class_from_one_that_does_not_exist(
    room: Room, open_room: OpenRoom, method: str, what: str
) -> None:
    stranger = (await open_room("Their own")).browser

    foreign = await ask(stranger, method, f"{room.path}{what}")
    unknown = await ask(stranger, method, f"/lab/class/{new_code()}{what}")
    no_code = await ask(stranger, method, f"/lab/class/what-ever{what}")

    assert foreign == unknown == no_code


async def test_changes_refuse_others_than_the_teacher_whatever_a_page_has_checked(
    room: Room, come: Come, runtime: Runtime
) -> None:
    learner = await come(room)

    with pytest.raises(NoSuchClass):
        await changes.reveal(runtime.work, learner.person.id, room.code, LESSON.slug)
    with pytest.raises(NoSuchClass):
        await changes.close_class(runtime.work, learner.person.id, room.code)


async def test_a_learner_reads_no_spread_before_it_is_revealed(
    room: Room, come: Come, predict: Predict
) -> None:
    learners = [await come(room) for _ in range(3)]
    for learner in learners:
        await predict(learner.person.id, FIRST)

    page = await learners[0].browser.text(room.path)

    assert bars_on(page) == {}
    assert LESSON.title not in page


async def test_revealing_one_lesson_shows_no_other(room: Room, come: Come, predict: Predict) -> None:
    learners = [await come(room) for _ in range(3)]
    for learner in learners:
        await predict(learner.person.id, FIRST)
        await predict(learner.person.id, "secret-choice", lesson="later")

    await room.browser.post(f"{room.path}/reveal", {"lesson": LESSON.slug})

    page = await learners[0].browser.text(room.path)
    assert bars_on(page)[LESSON.answers[FIRST]] == 3
    assert "secret-choice" not in page


async def test_a_learner_sees_no_names_and_no_number_of_others(
    room: Room, come: Come, predict: Predict
) -> None:
    named, other = await come(room, "Zephyrine", shows_name=True), await come(room)
    await predict(named.person.id, FIRST)

    await room.browser.post(f"{room.path}/reveal", {"lesson": LESSON.slug})

    page = await other.browser.text(room.path)
    assert "Zephyrine" not in page
    assert bars_on(page) == {}


async def test_neither_the_page_nor_the_export_says_who_an_unnamed_learner_is(
    room: Room, come: Come, predict: Predict
) -> None:
    learners = [await come(room, "Zephyrine") for _ in range(3)]
    for learner in learners:
        await predict(learner.person.id, FIRST)

    texts = [await room.browser.text(f"{room.path}{what}") for what in ("", "/progress", "/export.csv")]

    for learner in learners:
        assert not [text for text in texts if learner.person.id in text or learner.person.username in text]
    assert not [text for text in texts if "Zephyrine" in text]


async def test_numbers_of_an_export_say_neither_who_came_first_nor_who_predicted_twice(
    room: Room, come: Come, predict: Predict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A teacher may know who came first, or who alone has come that far."""
    for choice in (FIRST, SECOND, SECOND):
        learner = await come(room)
        await predict(learner.person.id, choice)
        await predict(learner.person.id, choice, lesson="later")
    drawn: list[list[str]] = []

    class Reversing:
        def shuffle(self, predictions: list[Prediction]) -> None:
            drawn.append([one.lesson for one in predictions])
            predictions.sort(key=lambda one: one.predicted_at, reverse=len(drawn) == 1)

    monkeypatch.setattr("saas_app.lab.classes.export._DRAWING", Reversing())
    rows = rows_of(await room.browser.text(f"{room.path}/export.csv"))

    assert [lessons for lessons in drawn if lessons] == [[LESSON.slug] * 3, ["later"] * 3]
    numbered = [f"{row['Learner']} {row['Prediction']}" for row in rows]
    first, second = LESSON.answers[FIRST], LESSON.answers[SECOND]
    assert numbered[:3] == [f"1 {second}", f"2 {second}", f"3 {first}"]
    assert numbered[3:] == [f"1 {FIRST}", f"2 {SECOND}", f"3 {SECOND}"]


async def test_a_prediction_cannot_be_put_into_a_class_of_others(
    room: Room, come: Come, predict: Predict
) -> None:
    stranger = await come()

    await predict(stranger.person.id, FIRST)

    assert "1 predicted" not in await room.browser.text(room.path)


@pytest.mark.parametrize("model", [LabClass, LabClassMember, LabRun])
async def test_the_database_hides_a_class_from_transactions_for_others(
    room: Room, come: Come, predict: Predict, runtime: Runtime, database: Database, model: Any
) -> None:
    if not database.url.startswith("postgresql"):
        pytest.skip("SQLite has no row-level security")
    learner, stranger = await come(room), await come()
    await predict(learner.person.id, FIRST)

    async def visible(key: keys.Key) -> int:
        async with runtime.work.reading(key=key) as db:
            code = model.class_code if model is LabRun else model.code
            counted = sa.select(sa.func.count()).select_from(model).where(code == room.code)
            return int(await db.scalar(counted))

    assert await visible(keys.of_class(room.code)) == 1
    assert await visible(keys.of_person(stranger.person.id)) == 0
    assert await visible(keys.of_class(new_code())) == 0
    teacher_sees = await visible(keys.of_person(room.teacher.id))
    assert teacher_sees == (1 if model is LabClass else 0)


async def test_a_person_cannot_be_put_into_a_class_by_others(
    room: Room, come: Come, runtime: Runtime, database: Database
) -> None:
    """A transaction for one person inserts no membership of another."""
    if not database.url.startswith("postgresql"):
        pytest.skip("SQLite has no row-level security")
    stranger, victim = await come(), await come()

    async def insert() -> None:
        async with runtime.work.writing(key=keys.of_person(stranger.person.id)) as db:
            joined_at = (await service.get_seat(runtime.work, room.code, room.teacher.id)).of.created_at
            db.add(LabClassMember(code=room.code, subject=victim.person.id, joined_at=joined_at, name="x"))

    await _refused_by_the_database(insert)


async def _refused_by_the_database(insert: Callable[[], Any]) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="row-level security"):
        await insert()

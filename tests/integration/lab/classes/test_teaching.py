"""What the teacher of a class sees and does."""

from __future__ import annotations

import csv
import io
import re

from saas_app.lab.classes import service
from saas_app.lab.classes.service import class_of, is_revealed
from saas_app.runtime import Runtime
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

HELD_BACK = "Held back, because there are too few predictions"


def rows_of(content: str) -> list[dict[str, str]]:
    """Return the rows of an exported file."""
    return list(csv.DictReader(io.StringIO(content.lstrip("\ufeff"))))


async def exported(room: Room) -> list[dict[str, str]]:
    return rows_of(await (await room.browser.get(f"{room.path}/export.csv")).get_data(as_text=True))


async def test_the_teacher_sees_how_many_learners_are_at_which_lesson(
    room: Room, come: Come, predict: Predict
) -> None:
    learners = [await come(room, name) for name in ("Lena", "Omar", "Ines")]
    await predict(learners[0].person.id, FIRST, answer=SECOND)
    await predict(learners[1].person.id, FIRST)

    page = await room.browser.text(room.path)

    assert re.search(r"Learners</dt><dd>3<", page)
    assert re.search(r"Not started</dt><dd>1<", page)
    assert "2 learners are here" in page
    assert "2 predicted, 1 done" in page


async def test_bars_show_how_three_predictions_were_spread(room: Room, come: Come, predict: Predict) -> None:
    for choice in (FIRST, FIRST, SECOND):
        await predict((await come(room)).person.id, choice, answer=SECOND)

    page = await room.browser.text(room.path)

    bars = bars_on(page)
    assert bars[LESSON.answers[FIRST]] == 2
    assert bars[LESSON.answers[SECOND]] == 1
    assert set(bars) == set(LESSON.answers.values())
    assert page.count("What happened") == 1


async def test_with_two_predictions_the_bars_are_held_back(room: Room, come: Come, predict: Predict) -> None:
    for choice in (FIRST, SECOND):
        await predict((await come(room)).person.id, choice)

    page = await room.browser.text(room.path)

    assert bars_on(page) == {}
    assert HELD_BACK in page


async def test_bars_are_held_back_if_known_answers_would_leave_that_of_one_person(
    room: Room, come: Come, predict: Predict
) -> None:
    """The teacher knows what named learners predicted, and could subtract it."""
    named = [await come(room, name, shows_name=True) for name in ("Lena", "Omar")]
    for learner in (*named, await come(room, "Secret")):
        await predict(learner.person.id, FIRST)

    page = await room.browser.text(room.path)

    assert bars_on(page) == {}
    assert HELD_BACK in page


async def test_only_learners_who_agree_are_named_until_they_take_it_back(room: Room, come: Come) -> None:
    lena, omar = await come(room, "Lena", shows_name=True), await come(room, "Omar")

    named = await room.browser.text(room.path)
    await lena.browser.post(f"{room.path}/name", {"show": "no"})
    after = await room.browser.text(room.path)

    assert "Lena" in named
    assert "Omar" not in named
    assert "Lena" not in after
    assert omar.person.id not in named


async def test_a_name_with_markup_or_another_direction_is_only_a_name(room: Room, come: Come) -> None:
    await come(room, "<i>לנה</i>", shows_name=True)

    page = await (await room.browser.get(room.path)).get_data(as_text=True)

    assert "<bdi>&lt;i&gt;לנה&lt;/i&gt;</bdi>" in page
    assert "<i>" not in page


async def test_revealing_shows_the_bars_to_every_learner(
    room: Room, come: Come, predict: Predict, runtime: Runtime
) -> None:
    learners = [await come(room) for _ in range(3)]
    for learner in learners:
        await predict(learner.person.id, FIRST)

    answer = await room.browser.post(f"{room.path}/reveal", {"lesson": LESSON.slug})

    assert answer.headers["Location"].endswith(f"#{LESSON.slug}")
    assert "Revealed" in await room.browser.text(room.path)
    assert bars_on(await learners[0].browser.text(room.path))[LESSON.answers[FIRST]] == 3
    assert await is_revealed(runtime.work, room.code, LESSON.slug)
    assert not await is_revealed(runtime.work, room.code, "another-lesson")


async def test_revealing_again_changes_nothing(room: Room, runtime: Runtime) -> None:
    for _ in range(2):
        await room.browser.post(f"{room.path}/reveal", {"lesson": LESSON.slug})

    assert await is_revealed(runtime.work, room.code, LESSON.slug)


async def test_only_lessons_can_be_revealed(room: Room) -> None:
    page = await room.browser.submit(f"{room.path}/reveal", {"lesson": "nothing"}, expect=400)

    assert "does not say which lesson" in page


async def test_a_closed_class_counts_no_later_predictions_and_keeps_earlier_ones(
    room: Room, come: Come, predict: Predict, runtime: Runtime
) -> None:
    """One learner predicted before the class was closed, and another predicts after it."""
    early, late = await come(room), await come(room)
    await predict(early.person.id, FIRST)

    await room.browser.post(f"{room.path}/close")
    await predict(late.person.id, SECOND)

    assert await class_of(runtime.work, late.person.id) is None
    page = await room.browser.text(room.path)
    assert "1 predicted" in page
    assert "Close class" not in page
    assert "Your teacher has closed this class." in await late.browser.text(room.path)


async def test_closing_again_keeps_the_time_of_the_first(room: Room, runtime: Runtime) -> None:
    await room.browser.post(f"{room.path}/close")
    before = await service.get_seat(runtime.work, room.code, room.teacher.id)

    await room.browser.post(f"{room.path}/close")

    assert before.of.closed_at is not None
    assert await service.get_seat(runtime.work, room.code, room.teacher.id) == before


async def test_predictions_of_learners_who_left_stay_without_a_name(
    room: Room, come: Come, predict: Predict
) -> None:
    learner = await come(room, "Lena", shows_name=True)
    await predict(learner.person.id, FIRST)

    await learner.browser.post(f"{room.path}/leave")

    assert "1 predicted" in await room.browser.text(room.path)
    (row,) = await exported(room)
    assert row["Name"] == ""
    assert row["Prediction"] == "held back"


async def test_the_export_has_a_row_for_each_learner_and_lesson(
    room: Room, come: Come, predict: Predict
) -> None:
    named = await come(room, "Lena", shows_name=True)
    await predict(named.person.id, FIRST, answer=FIRST)
    for choice in (FIRST, FIRST, SECOND):
        learner = await come(room, "Secret")
        await predict(learner.person.id, choice, answer=FIRST)

    rows = await exported(room)

    assert sorted(row["Learner"] for row in rows) == ["1", "2", "3", "4"]
    assert sorted(row["Name"] for row in rows) == ["", "", "", "Lena"]
    assert {row["Lesson"] for row in rows} == {LESSON.title}
    assert sorted(row["Result"] for row in rows) == ["right", "right", "right", "wrong"]
    assert {row["Predicted (UTC)"][-3:] for row in rows} == {":00"}


async def test_the_export_holds_back_what_would_show_one_persons_prediction(
    room: Room, come: Come, predict: Predict
) -> None:
    await predict((await come(room, "Lena", shows_name=True)).person.id, FIRST, answer=FIRST)
    await predict((await come(room, "Secret")).person.id, SECOND, answer=FIRST)

    rows = {row["Name"]: (row["Prediction"], row["Result"]) for row in await exported(room)}

    assert rows == {"Lena": (LESSON.answers[FIRST], "right"), "": ("held back", "held back")}


async def test_the_export_runs_no_formula(open_room: OpenRoom, come: Come, predict: Predict) -> None:
    room = await open_room("=1+1")
    await predict((await come(room, "=cmd|'/c calc'!A1", shows_name=True)).person.id, FIRST)

    answer = await room.browser.get(f"{room.path}/export.csv")

    assert "\"'=cmd|" in await answer.get_data(as_text=True)
    assert re.search(r'filename="1-1-class-[\d-]+\.csv"', answer.headers["Content-Disposition"])


async def test_a_class_without_predictions_exports_only_the_columns(room: Room, come: Come) -> None:
    await come(room)

    assert await exported(room) == []


async def test_the_part_that_a_script_fetches_again_is_no_whole_page(room: Room) -> None:
    fragment = await room.browser.text(f"{room.path}/progress")

    assert "<html" not in fragment
    assert fragment.strip() in await room.browser.text(room.path)

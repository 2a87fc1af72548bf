"""Predictions that learners make on the pages of lessons count in their class."""

from __future__ import annotations

from typing import Any

import pytest

from saas_app.lab.changes import runs
from saas_app.lab.classes.changes import close_class
from saas_app.lab.classes.codes import shown_code
from saas_app.lab.cleanup import LabCleaner
from saas_app.lab.lessons import LESSONS
from saas_app.runtime import Runtime
from tests.integration.lab.classes.conftest import ROOT, Come, Predict, Room, bars_on
from tests.integration.lab.classes.test_endings import age
from tests.integration.lab.conftest import LearnerInLab, path_of
from tests.integration.lab.tasks import play

LESSON = LESSONS[0]
ANSWER = LESSON.answers[0]


async def test_a_prediction_in_a_lesson_counts_in_the_class(
    room: Room, come: Come, predict: Predict, learner: LearnerInLab
) -> None:
    await learner.browser.post(f"{ROOT}/join", {"code": room.code})
    for _ in range(2):
        await predict((await come(room)).person.id, ANSWER.key, lesson=LESSON.slug)

    await learner.predict(LESSON, ANSWER.key)

    assert bars_on(await room.browser.text(room.path))[ANSWER.text] == 3


async def test_a_prediction_outside_a_class_counts_in_none(room: Room, learner: LearnerInLab) -> None:
    await learner.predict(LESSON, ANSWER.key)
    await learner.browser.post(f"{ROOT}/join", {"code": room.code})

    assert "1 predicted" not in await room.browser.text(room.path)


async def test_a_class_that_is_closed_while_somebody_predicts_loses_nothing(
    room: Room, learner: LearnerInLab, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prediction began while the class was open, so it counts."""
    await learner.browser.post(f"{ROOT}/join", {"code": room.code})
    store = runs.queries.add_prediction

    async def store_late(*arguments: Any) -> None:
        await close_class(runtime.work, room.teacher.id, room.code)
        await store(*arguments)

    monkeypatch.setattr(runs.queries, "add_prediction", store_late)
    await learner.predict(LESSON, ANSWER.key)

    assert (await learner.run_of(LESSON)).class_code == room.code
    assert "1 predicted" in await room.browser.text(room.path)


async def test_the_worker_of_the_lab_deletes_old_classes(room: Room, runtime: Runtime) -> None:
    assert runtime.lab is not None
    await age(runtime, room.code, 91)

    await LabCleaner(runtime.lab, runtime.jobs).clean()

    await room.browser.get(room.path, expect=404)


async def test_the_result_of_a_lesson_leads_to_the_class_while_the_learner_is_in_it(
    room: Room, learner: LearnerInLab
) -> None:
    await learner.browser.post(f"{ROOT}/join", {"code": room.code})
    await play(learner, LESSON, ANSWER.key)

    inside = await learner.browser.text(path_of(LESSON))
    await learner.browser.post(f"{room.path}/leave")
    outside = await learner.browser.text(path_of(LESSON))

    assert f'href="/lab/class/{shown_code(room.code)}#{LESSON.slug}"' in inside
    assert "How your class predicted" not in outside

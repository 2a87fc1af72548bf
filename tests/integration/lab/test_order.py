"""Steps out of order, in two tabs, or in a bad moment: nothing is lost, and the page says why."""

from __future__ import annotations

import asyncio

from saas_app.coordination.leases import lease
from saas_app.db import keys
from saas_app.lab import queries
from saas_app.lab.lessons import LESSONS
from tests.integration.lab.conftest import LearnerInLab, NewLearner, path_of
from tests.integration.lab.tasks import ANSWERS, do_tasks, play, wrong_answer

FIRST = LESSONS[0]
RIGHT = ANSWERS[FIRST.slug]


async def test_a_prediction_stays_as_it_was(learner: LearnerInLab) -> None:
    await learner.predict(FIRST, wrong_answer(FIRST))

    page = await learner.predict(FIRST, RIGHT, expect=409)

    assert "Your prediction stays as it was" in page
    assert (await learner.run_of(FIRST)).prediction == wrong_answer(FIRST)


async def test_looking_before_predicting_asks_for_a_prediction(learner: LearnerInLab) -> None:
    page = await learner.act(FIRST, expect=409)

    assert "Predict first" in page


async def test_an_answer_that_is_none_is_rejected_and_can_be_chosen_again(learner: LearnerInLab) -> None:
    page = await learner.predict(FIRST, "other", expect=422)

    assert "Choose one of the answers" in page
    await learner.predict(FIRST, RIGHT)


async def test_a_second_tab_sees_the_same_result(learner: LearnerInLab) -> None:
    await play(learner, FIRST, RIGHT)
    before = await learner.run_of(FIRST)

    await learner.act(FIRST)

    assert await learner.run_of(FIRST) == before


async def test_two_tabs_that_look_at_once_store_one_result(learner: LearnerInLab) -> None:
    await learner.predict(FIRST, RIGHT)
    await do_tasks(learner, FIRST)

    await asyncio.gather(learner.act(FIRST), learner.act(FIRST))

    assert (await learner.run_of(FIRST)).was_right


async def test_without_practice_organizations_a_lesson_offers_to_set_them_up(new_learner: NewLearner) -> None:
    learner = await new_learner(is_set_up=False)

    page = await learner.predict(FIRST, RIGHT, expect=409)

    assert "Set up my practice organizations" in page


async def test_a_reset_and_a_lesson_at_once_come_one_after_the_other(learner: LearnerInLab) -> None:
    """Whichever comes first, the other one gets its answer, and nothing is left of the ground."""
    await learner.predict(FIRST, RIGHT)
    async with lease(learner.runtime.work, f"lab:{learner.person.id}", seconds=1):
        both = asyncio.gather(
            learner.browser.post(f"{path_of(FIRST)}/act", expect=None),
            learner.browser.post("/lab/reset", expect=None),
        )
        await asyncio.wait({both}, timeout=0)
    played, reset = await both

    assert played.status_code in (303, 409)
    assert reset.status_code == 303
    progress = await learner.progress()
    assert (progress.ground, dict(progress.runs)) == (None, {})


async def test_an_unknown_lesson_is_not_found(learner: LearnerInLab) -> None:
    await learner.browser.get("/lab/lessons/unknown", 404)


async def test_a_visitor_is_asked_to_sign_in(new_learner: NewLearner) -> None:
    learner = await new_learner(is_set_up=False)
    await learner.browser.post("/sign-out", expect=None)

    response = await learner.browser.get(path_of(FIRST), 303)

    assert response.headers["Location"].startswith("/sign-in")


async def test_a_lesson_can_be_played_again_with_the_first_prediction(learner: LearnerInLab) -> None:
    await play(learner, FIRST, wrong_answer(FIRST))

    await learner.browser.post(f"{path_of(FIRST)}/again")

    again = await learner.run_of(FIRST)
    assert (again.prediction, again.evidence, again.is_done) == (wrong_answer(FIRST), None, False)
    await do_tasks(learner, FIRST)
    await learner.act(FIRST)
    assert (await learner.run_of(FIRST)).answer == RIGHT


async def test_playing_again_before_the_end_changes_nothing(learner: LearnerInLab) -> None:
    await learner.predict(FIRST, RIGHT)
    before = await learner.run_of(FIRST)

    await learner.browser.post(f"{path_of(FIRST)}/again")

    assert await learner.run_of(FIRST) == before


async def test_the_address_of_a_form_that_was_not_accepted_leads_back_to_the_lesson(
    learner: LearnerInLab,
) -> None:
    for step in ("prediction", "act", "again"):
        response = await learner.browser.get(f"{path_of(FIRST)}/{step}", 303)
        assert response.headers["Location"] == path_of(FIRST)


async def test_a_result_that_another_version_stored_in_another_form_can_be_played_again(
    learner: LearnerInLab,
) -> None:
    await play(learner, FIRST, RIGHT)
    async with learner.runtime.work.writing(key=keys.of_person(learner.person.id)) as db:
        await queries.save_evidence(db, learner.person.id, FIRST.slug, {"answer": RIGHT}, RIGHT)

    assert "2. Act" in await learner.browser.text(path_of(FIRST))

    await learner.act(FIRST)
    assert (await learner.run_of(FIRST)).was_right

"""Logto fails in the middle of a lesson: nothing is half done, and the lesson can be repeated."""

from __future__ import annotations

import pytest
from quart import Quart

from saas_app.errors import LogtoUnavailable
from saas_app.lab.lesson import Lesson
from saas_app.lab.lessons import find_lesson, second_factor
from saas_app.lab.values import SAM
from saas_app.logto import ManagementClient
from tests.integration.faulty_logto import DOWN, EVERY_CHANGE, Fault, Gate
from tests.integration.lab.conftest import LearnerInLab, NewLearner
from tests.integration.lab.tasks import ANSWERS, do_tasks


def lesson_of(slug: str) -> Lesson:
    found = find_lesson(slug)
    assert found
    return found


FACTOR, FIRST = lesson_of("second-factor"), lesson_of("two-organizations")
ARRANGED = [lesson_of(slug) for slug in ("two-speeds", "issued-tokens-live", "ended-role", "removal")]


@pytest.fixture
async def learner(new_learner: NewLearner, faulty_app: Quart) -> LearnerInLab:
    """A learner at a worker that reaches the Management API through the gate."""
    return await new_learner(at=faulty_app)


async def fail_to_read_sams_roles(learner: LearnerInLab, gate: Gate) -> None:
    """Let a call fail that each of these lessons makes in its middle."""
    sam = (await learner.ground()).players[SAM]
    gate.fail(Fault("GET", f"/users/{sam.user_id}/roles$", **DOWN))


async def requires_factor(learner: LearnerInLab, management: ManagementClient) -> bool:
    studio = (await learner.ground()).studio
    return (await management.get_organization(studio.id)).is_mfa_required


@pytest.mark.parametrize("lesson", ARRANGED, ids=lambda lesson: lesson.slug)
async def test_a_prediction_is_not_stored_if_the_ground_cannot_be_prepared(
    learner: LearnerInLab, gate: Gate, lesson: Lesson
) -> None:
    await fail_to_read_sams_roles(learner, gate)
    await learner.predict(lesson, ANSWERS[lesson.slug], expect=503)
    assert not (await learner.run_of(lesson)).is_predicted

    gate.fail()
    await learner.predict(lesson, ANSWERS[lesson.slug])

    assert (await learner.run_of(lesson)).is_predicted


@pytest.mark.parametrize("lesson", ARRANGED, ids=lambda lesson: lesson.slug)
async def test_a_look_while_logto_is_down_can_be_repeated(
    learner: LearnerInLab, gate: Gate, lesson: Lesson
) -> None:
    await learner.predict(lesson, ANSWERS[lesson.slug])
    await do_tasks(learner, lesson)
    await fail_to_read_sams_roles(learner, gate)
    await learner.act(lesson, expect=503)

    gate.fail()
    await learner.act(lesson)

    assert (await learner.run_of(lesson)).was_right


async def test_the_second_factor_is_switched_off_if_the_lesson_fails(
    learner: LearnerInLab, management: ManagementClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    async def fail(*_arguments: object) -> None:
        seen.append(await requires_factor(learner, management))
        raise LogtoUnavailable

    await learner.predict(FACTOR, ANSWERS[FACTOR.slug])
    monkeypatch.setattr(second_factor, "decide_by_token_alone", fail)

    await learner.act(FACTOR, expect=503)

    assert seen == [True]
    assert not await requires_factor(learner, management)


@pytest.mark.parametrize("following", [FACTOR, FIRST], ids=lambda lesson: lesson.slug)
async def test_a_second_factor_that_an_outage_left_on_is_switched_off_by_the_next_lesson(
    learner: LearnerInLab, gate: Gate, management: ManagementClient, following: Lesson
) -> None:
    await learner.predict(FACTOR, ANSWERS[FACTOR.slug])
    patches = 0

    async def fail_after_the_first_change(path: str) -> None:
        nonlocal patches
        patches += gate.calls[-1].startswith("PATCH /api/organizations/")
        if patches == 2:
            gate.fail(EVERY_CHANGE)

    gate.before = fail_after_the_first_change
    await learner.act(FACTOR, expect=503)
    assert await requires_factor(learner, management)

    gate.before = None
    gate.fail()
    if following is not FACTOR:
        await learner.predict(following, ANSWERS[following.slug])
    await learner.act(following)

    assert not await requires_factor(learner, management)
    assert (await learner.run_of(following)).was_right

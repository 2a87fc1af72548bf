"""Tasks that are not done, done otherwise, or undone by another lesson: the lesson says what to do."""

from __future__ import annotations

import time

import pytest
from quart import Quart

from saas_app.lab.lesson import Lesson
from saas_app.lab.lessons import find_lesson
from saas_app.lab.values import KIM, SAM
from saas_app.logto import ManagementClient
from saas_app.rbac.permissions import Role
from tests.conftest import OpenBrowser
from tests.integration.bearer import Mint
from tests.integration.lab.conftest import LearnerInLab, NewLearner, path_of
from tests.integration.lab.tasks import ANSWERS, demote_sam, do_tasks, give_sam, play, promote_sam, remove_sam


def lesson_of(slug: str) -> Lesson:
    found = find_lesson(slug)
    assert found
    return found


TWO_SPEEDS, LIVE, ENDED = map(lesson_of, ("two-speeds", "issued-tokens-live", "ended-role"))
REMOVAL = lesson_of("removal")
MACHINE, FACTOR, AUDIENCE = map(lesson_of, ("machine-without-scope", "second-factor", "audience-first"))
TWO_ORGANIZATIONS, NO_ORGANIZATION = map(lesson_of, ("two-organizations", "no-organization"))


async def predict(learner: LearnerInLab, lesson: Lesson) -> None:
    await learner.predict(lesson, ANSWERS[lesson.slug])


async def roles_of_sam(learner: LearnerInLab) -> frozenset[str] | None:
    ground = await learner.ground()
    return await learner.lab.management.find_member_roles(ground.workshop.id, ground.players[SAM].user_id)


@pytest.mark.parametrize(
    ("lesson", "says"),
    [
        (TWO_SPEEDS, "Sam is not an admin of your workshop yet"),
        (LIVE, "still allow writing"),
        (ENDED, "Sam is not an editor of your workshop"),
        (REMOVAL, "Sam is still a member of your workshop"),
    ],
    ids=lambda value: getattr(value, "slug", ""),
)
async def test_a_task_that_is_not_done_is_named(learner: LearnerInLab, lesson: Lesson, says: str) -> None:
    await predict(learner, lesson)

    assert says in await learner.act(lesson, expect=409)

    assert not (await learner.run_of(lesson)).is_done


async def test_a_promotion_to_less_than_asked_is_not_enough_but_more_roles_are(learner: LearnerInLab) -> None:
    await predict(learner, TWO_SPEEDS)
    await give_sam(learner, "editor")
    assert "Sam is not an admin" in await learner.act(TWO_SPEEDS, expect=409)

    await give_sam(learner, "admin", "viewer")
    await learner.act(TWO_SPEEDS)

    assert (await learner.run_of(TWO_SPEEDS)).was_right


async def test_a_demotion_to_no_role_at_all_is_accepted(
    learner: LearnerInLab, management: ManagementClient
) -> None:
    await predict(learner, LIVE)
    await give_sam(learner)

    await learner.act(LIVE)

    assert (await learner.run_of(LIVE)).was_right


@pytest.mark.parametrize(
    ("lesson", "prepared"),
    [(TWO_SPEEDS, "viewer"), (LIVE, "editor"), (ENDED, "viewer")],
    ids=lambda value: getattr(value, "slug", ""),
)
async def test_a_lesson_starts_over_if_sam_was_removed(
    learner: LearnerInLab, lesson: Lesson, prepared: str
) -> None:
    await predict(learner, lesson)
    await remove_sam(learner)

    assert "Sam was no longer a member" in await learner.act(lesson, expect=409)

    assert await roles_of_sam(learner) == {prepared}
    await do_tasks(learner, lesson)
    await learner.act(lesson)
    assert (await learner.run_of(lesson)).was_right


async def test_a_lesson_notices_that_another_one_signed_sam_in(learner: LearnerInLab) -> None:
    await predict(learner, TWO_SPEEDS)
    await predict(learner, LIVE)
    await promote_sam(learner)

    assert "signed in again after your prediction" in await learner.act(TWO_SPEEDS, expect=409)

    assert await roles_of_sam(learner) == {"viewer"}
    await promote_sam(learner)
    await learner.act(TWO_SPEEDS)
    assert (await learner.run_of(TWO_SPEEDS)).was_right


async def test_a_kept_token_that_has_expired_is_replaced(
    learner: LearnerInLab, app: Quart, mint: Mint
) -> None:
    await predict(learner, LIVE)
    async with learner.on_stage(app) as stage:
        await stage.sam.keep(LIVE.slug, mint(stage.workshop.id, exp=int(time.time()) - 60))
    await demote_sam(learner)

    assert "has expired" in await learner.act(LIVE, expect=409)

    await demote_sam(learner)
    await learner.act(LIVE)
    assert (await learner.run_of(LIVE)).was_right


async def test_lessons_in_a_row_leave_each_other_what_they_need(learner: LearnerInLab) -> None:
    for lesson in (REMOVAL, TWO_SPEEDS, ENDED, LIVE, FACTOR, MACHINE):
        await play(learner, lesson, ANSWERS[lesson.slug])

        assert (await learner.run_of(lesson)).was_right


async def robots_of(learner: LearnerInLab) -> list[str]:
    ground = await learner.ground()
    page = await learner.lab.management.list_machines_page(ground.workshop.id, page=1, page_size=20)
    return [machine.id for machine in page.items]


async def test_a_robot_that_was_revoked_is_added_again(learner: LearnerInLab) -> None:
    await predict(learner, MACHINE)
    (robot,) = await robots_of(learner)
    ground = await learner.ground()
    await learner.browser.post(f"/o/{ground.workshop.id}/api-clients/{robot}/revoke")

    assert "no longer in your workshop" in await learner.act(MACHINE, expect=409)
    await learner.act(MACHINE)

    assert (await learner.run_of(MACHINE)).was_right


async def test_the_robot_is_deleted_when_its_lesson_ends(
    learner: LearnerInLab, management: ManagementClient
) -> None:
    await predict(learner, MACHINE)
    (robot,) = await robots_of(learner)

    await learner.act(MACHINE)

    assert await management.find_application(robot) is None


async def test_a_reset_deletes_the_robot(learner: LearnerInLab, management: ManagementClient) -> None:
    await predict(learner, MACHINE)
    (robot,) = await robots_of(learner)

    await learner.browser.post("/lab/reset")

    assert await management.find_application(robot) is None


async def test_a_machine_with_the_robots_name_but_not_our_mark_stays(
    learner: LearnerInLab, management: ManagementClient
) -> None:
    other = await management.create_machine(f"Lab robot {learner.person.id}", "", custom_data={})
    await play(learner, MACHINE, ANSWERS[MACHINE.slug])

    await learner.browser.post("/lab/reset")

    assert await management.find_application(other.id) is not None


async def test_kim_is_added_again_if_they_left_the_studio(
    learner: LearnerInLab, management: ManagementClient
) -> None:
    await predict(learner, FACTOR)
    ground = await learner.ground()
    await management.remove_member(ground.studio.id, ground.players[KIM].user_id)

    assert "Kim was no longer" in await learner.act(FACTOR, expect=409)
    await learner.act(FACTOR)

    assert (await learner.run_of(FACTOR)).was_right


async def test_a_workshop_that_was_deleted_needs_a_reset(
    learner: LearnerInLab, management: ManagementClient
) -> None:
    await predict(learner, AUDIENCE)
    await management.delete_organization((await learner.ground()).workshop.id)

    page = await learner.act(AUDIENCE, expect=409)

    assert "Reset the lab" in page
    assert "Open the lab" in page
    await learner.browser.post("/lab/reset")
    await learner.set_up()
    await play(learner, AUDIENCE, ANSWERS[AUDIENCE.slug])


async def test_a_learner_who_left_the_studio_needs_a_reset(learner: LearnerInLab) -> None:
    ground = await learner.ground()
    await learner.browser.post(f"/o/{ground.studio.id}/leave", {"confirm": "yes"})

    page = await learner.predict(AUDIENCE, ANSWERS[AUDIENCE.slug], expect=409)

    assert "which you are no longer" in page


async def test_a_learner_who_gave_up_the_workshop_needs_a_reset(
    learner: LearnerInLab, management: ManagementClient
) -> None:
    ground = await learner.ground()
    await management.replace_roles(ground.workshop.id, learner.person.id, [Role.VIEWER.value])

    page = await learner.predict(AUDIENCE, ANSWERS[AUDIENCE.slug], expect=409)

    assert "which you are no longer" in page


async def test_a_workshop_with_another_name_is_as_good(
    learner: LearnerInLab, management: ManagementClient
) -> None:
    ground = await learner.ground()
    await management.update_organization(ground.workshop.id, name="My own")

    await play(learner, AUDIENCE, ANSWERS[AUDIENCE.slug])

    assert (await learner.run_of(AUDIENCE)).was_right


async def test_a_role_play_account_that_was_deleted_needs_a_reset(
    learner: LearnerInLab, management: ManagementClient
) -> None:
    ground = await learner.ground()
    await management.delete_user(ground.players[SAM].user_id)

    page = await learner.predict(TWO_SPEEDS, ANSWERS[TWO_SPEEDS.slug], expect=409)

    assert "no longer exists at Logto" in page


@pytest.mark.parametrize("lesson", [TWO_ORGANIZATIONS, AUDIENCE], ids=lambda lesson: lesson.slug)
async def test_a_session_from_before_the_ground_is_told_how_to_catch_up(
    new_learner: NewLearner, open_browser: OpenBrowser, lesson: Lesson
) -> None:
    learner = await new_learner(is_set_up=False)
    other = await open_browser(learner.person)  # a second device
    await learner.set_up()
    await predict(learner, lesson)
    act = f"{path_of(lesson)}/act"

    assert "before your practice organizations" in await other.submit(act, expect=409)

    await other.follow(f"/o/{(await learner.ground()).workshop.id}/projects")
    await other.post(act)
    assert (await learner.run_of(lesson)).was_right


async def test_a_change_of_ones_own_tokens_since_the_prediction_is_said(
    learner: LearnerInLab, management: ManagementClient
) -> None:
    await predict(learner, NO_ORGANIZATION)
    ground = await learner.ground()
    await management.assign_roles(ground.studio.id, learner.person.id, [Role.EDITOR.value])
    await learner.browser.follow("/sign-in/renew?next=/lab")  # another tab

    await learner.act(NO_ORGANIZATION)

    page = await learner.browser.text(path_of(NO_ORGANIZATION))
    assert "Your permissions changed between your prediction and this look" in page

"""Logto fails while the lab uses it: the page says so, nothing is lost, and it goes on later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from quart import Quart

from saas_app.db import keys
from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.lab import queries
from saas_app.lab.changes.grounds import USERNAME_PREFIX
from saas_app.lab.cleanup import UNUSED, LabCleaner
from saas_app.lab.lessons import LESSONS
from saas_app.logto import ManagementClient
from saas_app.models import GroundState
from saas_app.rbac.permissions import Role
from tests.conftest import OpenApp, OpenBrowser
from tests.integration.faulty_logto import DOWN, LOST, Fault, Gate
from tests.integration.lab.conftest import LearnerInLab, NewLearner, path_of
from tests.integration.lab.tasks import ANSWERS, do_tasks, play

FIRST = LESSONS[0]
RIGHT = ANSWERS[FIRST.slug]
CHANGES_OF_SETTING_UP = 13  # three accounts, and two organizations with members and three roles each
CHANGES_OF_RESET = 5  # two organizations and three accounts


def cut_off_after(gate: Gate, changes: int, how: dict[str, Any]) -> None:
    """Let this many changes succeed. The next one fails as ``how`` says, and then everything does."""
    left = changes

    async def count(path: str) -> None:
        nonlocal left
        if not path.startswith("/api/"):
            return
        if left < 0:
            gate.fail(Fault(".*", "^/api/", **DOWN))
        elif not gate.calls[-1].startswith("GET"):
            left -= 1
            gate.fail(*[Fault(".*", "^/api/", **how)] * (left < 0))

    gate.before = count


def recover(gate: Gate) -> None:
    gate.before = None
    gate.fail()


@pytest.fixture
async def newcomer(new_learner: NewLearner) -> LearnerInLab:
    return await new_learner(is_set_up=False)


Roles = Callable[[LearnerInLab], Awaitable[list[frozenset[str] | None]]]


@pytest.fixture
def roles_in_ground(management: ManagementClient) -> Roles:
    """The roles of the learner and the role-play members in both organizations, as Logto knows them."""

    async def find(learner: LearnerInLab) -> list[frozenset[str] | None]:
        ground = await learner.ground()
        people = [learner.person.id, *(ground.players[key].user_id for key in ("rosa", "sam", "kim"))]
        return [
            await management.find_member_roles(place.id, person)
            for place in (ground.workshop, ground.studio)
            for person in people
        ]

    return find


COMPLETE = [
    *({Role.ADMIN.value}, None, {Role.VIEWER.value}, {Role.EDITOR.value}),
    *({Role.VIEWER.value}, {Role.ADMIN.value}, None, {Role.VIEWER.value}),
]


@pytest.mark.parametrize("how", [DOWN, LOST], ids=["refused", "response-lost"])
@pytest.mark.parametrize("changes", range(CHANGES_OF_SETTING_UP))
async def test_setting_up_that_is_cut_off_is_continued(
    newcomer: LearnerInLab,
    faulty_app: Quart,
    gate: Gate,
    roles_in_ground: Roles,
    management: ManagementClient,
    changes: int,
    how: dict[str, Any],
) -> None:
    cut_off_after(gate, changes, how)
    response = await newcomer.browser.at(faulty_app).post("/lab/ground", expect=503)
    assert 'role="alert"' in await response.get_data(as_text=True)
    assert not (await newcomer.progress()).is_ready
    recover(gate)

    await newcomer.set_up()

    assert await roles_in_ground(newcomer) == COMPLETE
    assert len(await management.list_user_organizations(newcomer.person.id)) == 2


async def test_setting_up_makes_as_many_changes_as_are_cut_off_above(
    newcomer: LearnerInLab, faulty_app: Quart, gate: Gate
) -> None:
    await newcomer.browser.at(faulty_app).post("/lab/ground")

    changes = [call for call in gate.calls if not call.startswith("GET") and " /api/" in call]
    assert len(changes) == CHANGES_OF_SETTING_UP


@pytest.mark.parametrize("how", [DOWN, LOST], ids=["refused", "response-lost"])
@pytest.mark.parametrize("changes", range(CHANGES_OF_RESET))
async def test_a_reset_that_is_cut_off_is_finished_later(
    learner: LearnerInLab,
    faulty_app: Quart,
    gate: Gate,
    management: ManagementClient,
    changes: int,
    how: dict[str, Any],
) -> None:
    ground = await learner.ground()
    cut_off_after(gate, changes, how)
    await learner.browser.at(faulty_app).post("/lab/reset", expect=503)
    recover(gate)
    assert "The reset did not finish" in await learner.browser.text("/lab")

    await learner.browser.post("/lab/reset")

    assert (await learner.progress()).ground is None
    assert await management.list_user_organizations(learner.person.id) == []
    assert [await management.find_user(player.user_id) for player in ground.players.values()] == [None] * 3


@pytest.mark.parametrize("changes", [0, 2, 4])
async def test_after_a_reset_that_was_cut_off_setting_up_begins_with_a_new_ground(
    learner: LearnerInLab, faulty_app: Quart, gate: Gate, roles_in_ground: Roles, changes: int
) -> None:
    before = await learner.ground()
    cut_off_after(gate, changes, DOWN)
    await learner.browser.at(faulty_app).post("/lab/reset", expect=503)
    recover(gate)

    await learner.set_up()

    after = await learner.ground()
    assert await roles_in_ground(learner) == COMPLETE
    assert {after.workshop.id, after.studio.id}.isdisjoint({before.workshop.id, before.studio.id})


async def test_an_account_whose_creation_was_not_confirmed_is_deleted_by_a_reset(
    newcomer: LearnerInLab, faulty_app: Quart, gate: Gate, management: ManagementClient
) -> None:
    cut_off_after(gate, 0, LOST)
    await newcomer.browser.at(faulty_app).post("/lab/ground", expect=503)
    recover(gate)
    async with newcomer.runtime.work.reading(key=keys.of_person(newcomer.person.id)) as db:
        (player,) = (await queries.list_players(db, newcomer.lab.vault, newcomer.person.id)).values()
    assert player.username.startswith(USERNAME_PREFIX)
    assert await management.find_user_by_username(player.username) is not None

    await newcomer.browser.post("/lab/reset")

    assert await management.find_user_by_username(player.username) is None


@pytest.mark.parametrize("step", ["prediction", "act"])
async def test_while_the_management_api_fails_a_lesson_says_so_and_goes_on_later(
    learner: LearnerInLab, faulty_app: Quart, gate: Gate, step: str
) -> None:
    if step == "act":
        await learner.predict(FIRST, RIGHT)
        await do_tasks(learner, FIRST)
    gate.fail(Fault(".*", "^/api/", **DOWN))

    there = learner.browser.at(faulty_app)
    page = await there.submit(f"{path_of(FIRST)}/{step}", {"answer": RIGHT}, 503)

    assert 'role="alert"' in page
    assert (await learner.run_of(FIRST)).is_predicted is (step == "act")
    await (learner.act(FIRST) if step == "act" else play(learner, FIRST, RIGHT))
    assert (await learner.run_of(FIRST)).was_right


@pytest.mark.parametrize("step", ["prediction", "act"])
async def test_while_the_token_endpoint_does_not_answer_a_lesson_says_so_and_goes_on_later(
    learner: LearnerInLab, open_app: OpenApp, step: str
) -> None:
    if step == "act":
        await learner.predict(FIRST, RIGHT)
        await do_tasks(learner, FIRST)
    without_logto = await open_app(logto_endpoint="http://127.0.0.1:9", logto_timeout=0.5)

    there = learner.browser.at(without_logto)
    response = await there.post(f"{path_of(FIRST)}/{step}", {"answer": RIGHT}, 503)

    assert 'role="alert"' in await response.get_data(as_text=True)
    await (learner.act(FIRST) if step == "act" else play(learner, FIRST, RIGHT))
    assert (await learner.run_of(FIRST)).was_right


async def test_pages_are_shown_while_logto_does_not_answer(learner: LearnerInLab, open_app: OpenApp) -> None:
    await play(learner, FIRST, RIGHT)
    there = learner.browser.at(await open_app(logto_endpoint="http://127.0.0.1:9", logto_timeout=0.5))

    assert "You predicted correctly" in await there.text(path_of(FIRST))
    assert FIRST.title in await there.text("/lab")


async def test_two_browsers_of_one_account_make_one_ground(
    newcomer: LearnerInLab, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    other = await open_browser(newcomer.person)

    await asyncio.gather(newcomer.browser.post("/lab/ground"), other.post("/lab/ground"))

    assert len(await management.list_user_organizations(newcomer.person.id)) == 2


async def test_two_browsers_of_one_account_predict_once_and_see_one_result(
    learner: LearnerInLab, open_browser: OpenBrowser
) -> None:
    other = await open_browser(learner.person)
    answers = [answer.key for answer in FIRST.answers[:2]]

    both = await asyncio.gather(
        *(
            browser.post(f"{path_of(FIRST)}/prediction", {"answer": answer}, None)
            for browser, answer in zip((learner.browser, other), answers, strict=True)
        )
    )

    assert sorted(response.status_code for response in both) == [303, 409]
    (first,) = [answer for answer, response in zip(answers, both, strict=True) if response.status_code == 303]
    assert (await learner.run_of(FIRST)).prediction == first
    await other.post(f"{path_of(FIRST)}/act")
    shown = "You predicted correctly" if first == RIGHT else "Not what you predicted"
    assert shown in await learner.browser.text(path_of(FIRST))


async def test_a_second_browser_that_signed_in_earlier_can_play(
    newcomer: LearnerInLab, open_browser: OpenBrowser
) -> None:
    """Its grant does not cover the practice organizations, which the first browser has made since."""
    other = await open_browser(newcomer.person)
    await newcomer.set_up()
    later = LearnerInLab(newcomer.person, other, newcomer.runtime)
    await other.follow(f"/o/{(await newcomer.ground()).workshop.id}/projects/new")

    await play(later, FIRST, RIGHT)

    assert (await newcomer.run_of(FIRST)).was_right


@pytest.fixture
async def app_without_lab(open_app: OpenApp) -> Quart:
    return await open_app(lab=False)


async def test_practice_organizations_stay_usable_once_the_lab_is_off(
    learner: LearnerInLab, app_without_lab: Quart
) -> None:
    ground = await learner.ground()
    there = learner.browser.at(app_without_lab)

    page = await there.text(f"/o/{ground.workshop.id}/projects")

    assert "Projects" in page
    assert ground.workshop.name in await there.text("/o")


async def test_once_the_lab_is_off_unused_grounds_are_still_deleted(
    learner: LearnerInLab, work: UnitOfWork, app_without_lab: Quart, management: ManagementClient
) -> None:
    workshop = (await learner.ground()).workshop.id
    async with learner.runtime.work.writing(key=keys.of_person(learner.person.id)) as db:
        long_ago = utc_now() - UNUSED - timedelta(hours=1)
        await queries.update_ground(db, learner.person.id, used_at=long_ago)
    systems = app_without_lab.extensions["workroom"].lab_systems

    await LabCleaner(systems, work, is_on=False).clean()

    assert await management.find_organization(workshop) is None
    assert (await learner.progress()).ground is None


async def test_a_ground_that_is_being_made_is_not_ready(newcomer: LearnerInLab) -> None:
    async with newcomer.runtime.work.writing(key=keys.of_person(newcomer.person.id)) as db:
        await queries.begin_ground(db, newcomer.person.id)

    page = await newcomer.browser.text("/lab")

    progress = await newcomer.progress()
    assert progress.ground is not None
    assert progress.ground.state is GroundState.BUILDING
    assert "Finish setting up" in page

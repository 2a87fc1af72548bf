"""A learner is erased: what the lab made for them at Logto is found and deleted before their rows are."""

from __future__ import annotations

import pytest

from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.lab import queries
from saas_app.lab.cleanup import remove_unused
from saas_app.logto import ManagementClient
from saas_app.operations.data.erasure import erase_person
from tests.integration.lab.conftest import LearnerInLab, NewLearner


@pytest.fixture
async def learner(new_learner: NewLearner) -> LearnerInLab:
    """A learner whom no other test knows."""
    return await new_learner("Kunigunde")


async def test_the_practice_organizations_of_an_erased_learner_are_deleted_at_logto(
    learner: LearnerInLab, operator: UnitOfWork, management: ManagementClient
) -> None:
    ground = await learner.ground()
    erased = await erase_person(operator, learner.person.id)
    assert erased.is_marked

    await remove_unused(learner.lab, learner.runtime.jobs, utc_now())

    for player in ground.players.values():
        assert await management.find_user_by_username(player.username) is None
    for place in (ground.workshop, ground.studio):
        assert await management.find_organization(place.id) is None


async def test_afterwards_nothing_of_the_lab_names_an_erased_learner(
    learner: LearnerInLab, operator: UnitOfWork
) -> None:
    await erase_person(operator, learner.person.id)
    await remove_unused(learner.lab, learner.runtime.jobs, utc_now())

    async with operator.reading() as db:
        assert await queries.find_ground(db, learner.person.id) is None
        assert await queries.list_runs(db, learner.person.id) == {}
        assert await queries.list_players(db, learner.lab.vault, learner.person.id) == {}

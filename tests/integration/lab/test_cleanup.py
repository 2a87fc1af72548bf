"""Practice organizations that nobody uses any more are deleted, and nothing else is."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from saas_app.db import keys
from saas_app.db.base import utc_now
from saas_app.db.session import DatabaseSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.lab import cleanup, queries
from saas_app.lab.cleanup import UNUSED, remove_lost, remove_unused
from saas_app.lab.lessons import LESSONS
from saas_app.lab.values import MARK
from saas_app.logto import ManagementClient
from saas_app.models import LabPlayer
from tests.factories import Factory
from tests.integration.lab.conftest import LearnerInLab, NewLearner

SOON = timedelta(minutes=1)


async def leave_alone(learner: LearnerInLab) -> None:
    """Let the learner have used their ground so long ago that it is deleted."""
    async with learner.lab.work.writing(key=keys.of_person(learner.person.id)) as db:
        await queries.update_ground(db, learner.person.id, used_at=utc_now() - UNUSED - SOON)


async def test_a_ground_that_was_not_used_is_deleted(
    learner: LearnerInLab, work: UnitOfWork, management: ManagementClient
) -> None:
    ground = await learner.ground()

    assert await remove_unused(learner.lab, work, utc_now() + UNUSED + SOON) >= 1

    assert await management.find_organization(ground.workshop.id) is None
    assert (await learner.progress()).ground is None


async def test_a_ground_in_use_stays(
    learner: LearnerInLab, work: UnitOfWork, management: ManagementClient
) -> None:
    await remove_unused(learner.lab, work, utc_now() + UNUSED - SOON)

    assert (await learner.progress()).is_ready


async def test_a_ground_that_is_used_again_while_others_are_deleted_stays(
    learner: LearnerInLab, work: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deleting one takes seconds, so a learner may come back between the search and their turn."""
    await leave_alone(learner)
    search = queries.list_grounds_unused_since

    async def search_then_come_back(db: DatabaseSession, moment: datetime) -> list[str]:
        found = await search(db, moment)
        assert learner.person.id in found
        await learner.predict(LESSONS[0], LESSONS[0].answers[0].key)
        return [learner.person.id]

    monkeypatch.setattr(queries, "list_grounds_unused_since", search_then_come_back)

    assert await remove_unused(learner.lab, work, utc_now()) == 0

    assert (await learner.progress()).is_ready


async def test_a_ground_that_cannot_be_removed_does_not_keep_the_others(
    learner: LearnerInLab, new_learner: NewLearner, work: UnitOfWork
) -> None:
    """The key that encrypted its secrets is lost, for example."""
    other = await new_learner("Otto")
    async with work.writing(key=keys.of_person(learner.person.id)) as db:
        theirs = sa.update(LabPlayer).where(LabPlayer.subject == learner.person.id)
        await db.execute(theirs.values(secrets=b"unreadable"))

    await remove_unused(learner.lab, work, utc_now() + UNUSED + SOON)
    async with work.writing(key=keys.of_person(learner.person.id)) as db:
        await queries.delete_ground(db, learner.person.id)  # no other test can remove it

    assert (await other.progress()).ground is None


async def test_a_prediction_counts_as_use(learner: LearnerInLab, work: UnitOfWork) -> None:
    await leave_alone(learner)

    await learner.predict(LESSONS[0], LESSONS[0].answers[0].key)

    async with work.reading() as db:
        assert learner.person.id not in await queries.list_grounds_unused_since(db, utc_now() - UNUSED)


async def test_an_organization_that_a_crash_left_at_logto_is_found_by_its_mark(
    learner: LearnerInLab, work: UnitOfWork, management: ManagementClient
) -> None:
    found = await management.get_organization((await learner.ground()).workshop.id)
    lost = await management.create_organization("Lab: lost", custom_data=found.custom_data)

    await remove_lost(learner.lab, work, utc_now() + timedelta(hours=2))

    assert await management.find_organization(lost.id) is None
    assert (await learner.progress()).is_ready


async def test_an_organization_of_another_installation_at_the_same_logto_stays(
    learner: LearnerInLab, work: UnitOfWork, management: ManagementClient
) -> None:
    found = await management.get_organization((await learner.ground()).workshop.id)
    mark = {**found.custom_data[MARK], "application": "https://staging.example.com/callback"}
    other = await management.create_organization("Lab: staging", custom_data={MARK: mark})

    await remove_lost(learner.lab, work, utc_now() + timedelta(hours=2))

    assert await management.find_organization(other.id) is not None


async def test_an_organization_without_the_mark_stays(
    learner: LearnerInLab, work: UnitOfWork, management: ManagementClient, make: Factory
) -> None:
    acme = await make.organization("Acme", admin=learner.person)
    odd = await management.create_organization("Odd", custom_data={MARK: "yes"})

    await remove_lost(learner.lab, work, utc_now() + timedelta(hours=2))

    assert await management.find_organization(acme) is not None
    assert await management.find_organization(odd.id) is not None


async def test_an_unexpected_failure_does_not_end_the_cleaner(
    learner: LearnerInLab, work: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_given: object) -> int:
        raise RuntimeError("unexpected")

    monkeypatch.setattr(cleanup, "remove_unused", fail)
    with capture_logs() as lines:
        await cleanup.LabCleaner(learner.lab, work).clean()

    assert [line["log_level"] for line in lines] == ["error"]

"""How classes end: 90 days after they were started, or when a person is erased. And how large they can be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.lab.classes import service
from saas_app.lab.classes.changes import delete_expired_classes
from saas_app.lab.classes.lessons import lesson_infos
from saas_app.lab.classes.values import RETENTION
from saas_app.models import LabClass, LabClassMember, LabRun
from saas_app.operations.data.erasure import erase_person
from saas_app.runtime import Runtime
from tests.integration.lab.classes.conftest import (
    FIRST,
    ROOT,
    Come,
    OpenRoom,
    Predict,
    Room,
    fill,
)


async def age(runtime: Runtime, code: str, days: float) -> None:
    """Make a class older."""
    async with runtime.jobs.writing() as db:
        created_at = utc_now() - timedelta(days=days)
        await db.execute(sa.update(LabClass).where(LabClass.code == code).values(created_at=created_at))


async def test_a_class_is_deleted_90_days_after_it_was_started(
    room: Room, open_room: OpenRoom, come: Come, predict: Predict, runtime: Runtime
) -> None:
    learner, other = await come(room), await open_room("Newer")
    await predict(learner.person.id, FIRST)
    await age(runtime, room.code, RETENTION.days + 0.01)
    await age(runtime, other.code, RETENTION.days - 0.01)

    await delete_expired_classes(runtime.jobs)

    await room.browser.get(room.path, expect=404)
    await other.browser.get(other.path)
    assert await service.class_of(runtime.work, learner.person.id) is None
    async with runtime.jobs.reading() as db:
        members = sa.select(LabClassMember.subject).where(LabClassMember.code == room.code)
        runs = sa.select(LabRun.prediction, LabRun.class_code).where(LabRun.subject == learner.person.id)
        assert (await db.execute(members)).all() == []
        assert (await db.execute(runs)).all() == [(FIRST, None)]  # what people predicted stays theirs


async def test_a_class_whose_teacher_was_erased_is_gone_and_its_learners_can_go_on(
    open_room: OpenRoom, come: Come, predict: Predict, runtime: Runtime, operator: UnitOfWork
) -> None:
    room = await open_room(teacher="Theodelinde")
    learner = await come(room)
    await predict(learner.person.id, FIRST)

    await erase_person(operator, room.teacher.id)

    await learner.browser.get(room.path, expect=404)
    assert "Your classes" not in await learner.browser.text(ROOT)
    assert await service.class_of(runtime.work, learner.person.id) is None
    await learner.browser.post(f"{ROOT}/join", {"code": (await open_room("Next")).code})


async def test_the_cleanup_removes_what_an_erased_teacher_leaves(
    open_room: OpenRoom, come: Come, runtime: Runtime, operator: UnitOfWork
) -> None:
    room = await open_room(teacher="Theophania")
    await come(room, shows_name=True)
    await erase_person(operator, room.teacher.id)

    await delete_expired_classes(runtime.jobs)

    async with runtime.jobs.reading() as db:
        left = sa.select(LabClassMember.subject).where(LabClassMember.code == room.code)
        assert (await db.execute(left)).all() == []


async def test_an_erased_learner_is_no_longer_counted(
    room: Room, come: Come, predict: Predict, operator: UnitOfWork
) -> None:
    learner = await come(room, "Hildegunde", shows_name=True)
    await predict(learner.person.id, FIRST)

    await erase_person(operator, learner.person.id)

    page = await room.browser.text(room.path)
    assert "Hildegunde" not in page
    assert "1 predicted" not in page


async def test_the_page_of_a_class_with_200_learners_takes_two_statements(
    room: Room, runtime: Runtime, work: UnitOfWork, count_statements: Callable[[], Any]
) -> None:
    await fill(runtime, room.code, 200, lessons=15)
    with count_statements() as statements:
        seat = await service.get_seat(work, room.code, room.teacher.id)
        progress = await service.read_progress(work, seat.of, lesson_infos())

    assert len(statements) == 2
    assert progress.learners == 200
    assert sum(lesson.predicted for lesson in progress.lessons) == 3_000
    await room.browser.get(room.path)
    await room.browser.get(f"{room.path}/export.csv")

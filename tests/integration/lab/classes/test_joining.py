"""Starting a class, joining it with its code, and leaving it."""

from __future__ import annotations

import asyncio
import re

import pytest
import sqlalchemy as sa

from saas_app.lab.classes.codes import new_code, shown_code
from saas_app.lab.classes.service import class_of
from saas_app.lab.classes.values import CAPACITY
from saas_app.models import LabClassMember
from saas_app.runtime import Runtime
from tests.clients import text_of
from tests.conftest import OpenApp, OpenBrowser
from tests.factories import Factory
from tests.integration.lab.classes.conftest import ROOT, Come, OpenRoom, Room, fill, start
from tests.served import APP_URL

NO_OPEN_CLASS = "No open class has this code."


async def codes_of(runtime: Runtime, subject: str) -> list[str]:
    """Return the classes that a person is in, according to the database."""
    async with runtime.jobs.reading() as db:
        return list(await db.scalars(sa.select(LabClassMember.code).where(LabClassMember.subject == subject)))


async def test_a_class_shows_its_code_and_where_to_enter_it(room: Room) -> None:
    page = await room.browser.text(room.path)

    assert shown_code(room.code) in page
    assert f"{APP_URL}/lab/class" in page


async def test_a_learner_joins_with_the_code(room: Room, come: Come, runtime: Runtime) -> None:
    learner = await come()

    answer = await learner.browser.post(f"{ROOT}/join", {"code": room.code})

    page = await learner.browser.text(answer.headers["Location"])
    assert "You joined “RBAC in an hour”." in page
    assert await class_of(runtime.work, learner.person.id) == room.code
    assert "RBAC in an hour" in await learner.browser.text(ROOT)


@pytest.mark.parametrize("write", [str.lower, shown_code, lambda code: f" {code[:4]} – {code[4:].lower()} "])
async def test_a_code_is_read_in_any_case_and_with_any_gap(room: Room, come: Come, write: object) -> None:
    learner = await come()
    assert callable(write)

    await learner.browser.post(f"{ROOT}/join", {"code": write(room.code)})

    await learner.browser.get(room.path)


async def test_a_link_may_bring_the_code_along(room: Room, come: Come) -> None:
    learner = await come()

    page = await learner.browser.text(f"{ROOT}?code={room.code}")

    assert f'value="{room.code}"' in page


async def test_codes_of_no_class_of_a_closed_one_and_of_none_at_all_get_the_same_answer(
    room: Room, come: Come
) -> None:
    learner = await come()
    await room.browser.post(f"{room.path}/close")

    pages = [
        (await learner.browser.submit(f"{ROOT}/join", {"code": code}, expect=422)).replace(code, "")
        for code in (new_code(), room.code, "0O1I-AEUY")
    ]

    assert NO_OPEN_CLASS in pages[0]
    assert len(set(map(_without_owner, pages))) == 1


async def test_an_empty_code_is_refused_at_its_field(come: Come) -> None:
    learner = await come()

    page = await learner.browser.submit(f"{ROOT}/join", {"code": " ​ "}, expect=422)

    assert "Enter the code that your teacher shows." in page


async def test_joining_again_changes_nothing_and_says_so(room: Room, come: Come, runtime: Runtime) -> None:
    learner = await come(room, shows_name=True)

    answer = await learner.browser.post(f"{ROOT}/join", {"code": room.code})

    page = await learner.browser.text(answer.headers["Location"])
    assert "You are in “RBAC in an hour” already." in page
    assert "Hide my name" in page
    assert await codes_of(runtime, learner.person.id) == [room.code]


async def test_a_learner_of_another_class_moves_and_is_told(
    room: Room, open_room: OpenRoom, come: Come, runtime: Runtime
) -> None:
    learner, other = await come(room), await open_room("The other group")

    answer = await learner.browser.post(f"{ROOT}/join", {"code": other.code})

    page = await learner.browser.text(answer.headers["Location"])
    assert "You left “RBAC in an hour” and joined “The other group”." in page
    assert await codes_of(runtime, learner.person.id) == [other.code]
    await learner.browser.get(room.path, expect=404)


async def test_a_code_that_is_wrong_leaves_a_learner_where_they_are(
    room: Room, come: Come, runtime: Runtime
) -> None:
    learner = await come(room)

    await learner.browser.submit(f"{ROOT}/join", {"code": new_code()}, expect=422)

    assert await codes_of(runtime, learner.person.id) == [room.code]


async def test_two_people_with_one_account_are_one_learner(
    room: Room, come: Come, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    learner = await come()
    other = await open_browser(learner.person)

    await asyncio.gather(
        *(browser.post(f"{ROOT}/join", {"code": room.code}) for browser in (learner.browser, other))
    )

    assert await codes_of(runtime, learner.person.id) == [room.code]


async def test_a_teacher_does_not_join_their_own_class(room: Room, runtime: Runtime) -> None:
    page = await room.browser.submit(f"{ROOT}/join", {"code": room.code}, expect=422)

    assert "You teach this class. Give the code to your learners." in page
    assert await codes_of(runtime, room.teacher.id) == []


async def test_a_teacher_can_learn_in_the_class_of_somebody_else(room: Room, open_room: OpenRoom) -> None:
    other = await open_room("The other group")

    await room.browser.post(f"{ROOT}/join", {"code": other.code})

    page = await room.browser.text(ROOT)
    assert page.index("You learn here") < page.index("You teach")


async def test_a_full_class_takes_nobody_else(room: Room, come: Come, runtime: Runtime) -> None:
    await fill(runtime, room.code, CAPACITY)
    learner = await come()

    page = await learner.browser.submit(f"{ROOT}/join", {"code": room.code}, expect=422)

    assert "This class is full." in page


async def test_codes_cannot_be_guessed_because_attempts_are_limited(room: Room, come: Come) -> None:
    learner = await come()
    for _ in range(20):
        await learner.browser.post(f"{ROOT}/join", {"code": new_code()}, expect=422)

    page = await learner.browser.submit(f"{ROOT}/join", {"code": room.code}, expect=429)

    assert "One person can enter 20 join codes in an hour." in page
    await learner.browser.get(room.path, expect=404)


async def test_a_person_starts_a_limited_number_of_classes_a_day(room: Room) -> None:
    for _ in range(19):
        await start(room.browser)

    page = await room.browser.submit(f"{ROOT}/start", {"title": "One more"}, expect=429)

    assert "One person can start 20 classes in a day." in page


async def test_leaving_ends_what_a_learner_sees(room: Room, come: Come, runtime: Runtime) -> None:
    learner = await come(room)

    answer = await learner.browser.post(f"{room.path}/leave")

    assert "You have left the class." in await learner.browser.text(answer.headers["Location"])
    await learner.browser.get(room.path, expect=404)
    assert await class_of(runtime.work, learner.person.id) is None
    await learner.browser.post(f"{room.path}/leave", expect=404)


@pytest.mark.parametrize(
    ("title", "why"),
    [
        ("", "Enter a title for the class."),
        (" ​⁠ ", "Enter a title for the class."),
        ("x" * 129, "Use at most 128 characters."),
    ],
)
async def test_a_title_that_is_empty_or_long_is_refused_at_its_field(
    come: Come, title: str, why: str
) -> None:
    teacher = await come()

    page = await teacher.browser.submit(f"{ROOT}/start", {"title": title}, expect=422)

    assert why in page
    assert "Your classes" not in page


async def test_a_title_with_markup_or_another_direction_is_only_a_title(
    open_room: OpenRoom, come: Come
) -> None:
    room = await open_room("<b>שלום</b>")
    learner = await come(room)

    page = await (await learner.browser.get(room.path)).get_data(as_text=True)

    assert "<h1><bdi>&lt;b&gt;שלום&lt;/b&gt;</bdi></h1>" in page
    assert "<b>שלום" not in page


async def test_classes_need_a_sign_in_that_leads_back_with_the_code(open_browser: OpenBrowser) -> None:
    browser = await open_browser()

    answer = await browser.get(f"{ROOT}?code=WDJB-MJHT", 303)

    assert "code%3DWDJB-MJHT" in answer.headers["Location"]


async def test_without_the_lab_there_are_no_classes(
    open_app: OpenApp, open_browser: OpenBrowser, make: Factory
) -> None:
    browser = await open_browser(await make.person(), at=await open_app(lab=False))

    assert "does not exist" in await text_of(await browser.get(ROOT, 404))


def _without_owner(page: str) -> str:
    return re.sub(r'value="[^"]*"|href="[^"]*"', "", page)

"""Learners play the “break it” lessons in the product, against the real practice service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import pytest
from pydantic import SecretStr
from quart import Quart
from quart.wrappers import Response

from saas_app.db import keys
from saas_app.lab.practice import queries
from saas_app.lab.practice.client import PracticeClient
from saas_app.lab.practice.declaration import Break
from saas_app.lab.practice.flaws import BREAKS, find_break
from saas_app.lab.practice.values import BreakRun
from saas_app.rbac.permissions import Role
from tests.conftest import OpenApp, OpenBrowser
from tests.factories import Factory
from tests.integration.lab.classes.conftest import start
from tests.integration.lab.conftest import LearnerInLab, NewLearner
from tests.integration.lab.practice.plays import PLAYS, Form, get, post
from tests.integration.lab.practice.service import KEY
from tests.processes import free_port

IN_THE_WORKSHOP = get("/reports", "workshop")


@dataclass(frozen=True, slots=True)
class Breaker:
    """A learner at one lesson."""

    learner: LearnerInLab
    lesson: Break

    @property
    def root(self) -> str:
        return f"/lab/practice/{self.lesson.slug}"

    async def page(self) -> str:
        return await self.learner.browser.text(self.root)

    async def send(self, form: Form, expect: int = 303) -> str:
        return await self.learner.browser.submit(f"{self.root}/request", form, expect)

    async def fix(self, name: str, expect: int = 303) -> str:
        return await self.learner.browser.submit(f"{self.root}/fix", {"fix": name}, expect)

    async def post(self, action: str, expect: int = 303) -> Response:
        return await self.learner.browser.post(f"{self.root}/{action}", None, expect)

    async def run(self) -> BreakRun:
        """Return the learner's progress, as stored."""
        async with self.learner.runtime.work.reading(key=keys.of_person(self.learner.person.id)) as db:
            return await queries.find_break_run(db, self.learner.person.id, self.lesson.run_name)

    async def leak(self) -> None:
        """Send the honest request, then those that leak."""
        play = PLAYS[self.lesson.slug]
        for form in (play.honest, *play.attack):
            await self.send(form)


Begin = Callable[[str], Awaitable[Breaker]]


@pytest.fixture
async def practice_app(open_app: OpenApp, practice_url: str) -> Quart:
    """A worker that knows the practice service."""
    return await open_app(lab_practice_url=practice_url, lab_practice_key=SecretStr(KEY))


@pytest.fixture
async def lena(new_learner: NewLearner, practice_app: Quart) -> LearnerInLab:
    """A learner at that worker."""
    return await new_learner(at=practice_app)


@pytest.fixture
def begin(lena: LearnerInLab) -> Callable[[str], Breaker]:
    """``begin("guessed-id")``: the learner at one lesson."""

    def one(slug: str) -> Breaker:
        lesson = find_break(slug)
        assert lesson is not None
        return Breaker(lena, lesson)

    return one


@pytest.fixture
def guessing(begin: Callable[[str], Breaker]) -> Breaker:
    """The learner at the first lesson."""
    return begin("guessed-id")


@pytest.mark.parametrize("slug", PLAYS)
async def test_an_honest_request_leaks_nothing_and_the_attack_leaks(
    begin: Callable[[str], Breaker], slug: str
) -> None:
    play, breaker = PLAYS[slug], begin(slug)

    await breaker.send(play.honest)
    honest, page = await breaker.run(), await breaker.page()
    for form in play.attack:
        await breaker.send(form)
    attacked = await breaker.run()

    assert honest.last is not None
    assert honest.last.reply.status == 200
    assert (honest.last.leaks, honest.leak) == ((), None)
    assert "Nothing leaked" in page
    assert "2. Choose the fix" not in page
    assert attacked.leak is not None
    assert attacked.leak.attempt.path == play.attack[-1]["path"]
    page = await breaker.page()
    assert "Leak proved" in page
    assert "2. Choose the fix" in page


@pytest.mark.parametrize("slug", PLAYS)
async def test_hidden_checks_fail_every_fix_but_one(begin: Callable[[str], Breaker], slug: str) -> None:
    breaker = begin(slug)
    await breaker.leak()

    failing = {}
    for fix in breaker.lesson.fixes:
        await breaker.fix(fix.name)
        failing[fix.name] = [result.number for result in (await breaker.run()).results if not result.passed]

    assert failing == PLAYS[slug].failing


@pytest.mark.parametrize("slug", PLAYS)
async def test_the_right_fix_ends_the_lesson_with_the_class_of_the_incident(
    begin: Callable[[str], Breaker], slug: str
) -> None:
    breaker, play = begin(slug), PLAYS[slug]
    await breaker.leak()
    await breaker.fix(play.wrong)
    before = await breaker.page()

    await breaker.fix(play.right)
    page, run = await breaker.page(), await breaker.run()

    assert "3. What to remember" not in before
    assert breaker.lesson.owasp in page
    assert all(f"CWE-{number}" in page and title in page for number, title in breaker.lesson.weaknesses)
    assert (run.first_fix, run.right_fix, run.is_done) == (play.wrong, play.right, True)


def test_every_lesson_is_played() -> None:
    assert [one.slug for one in BREAKS] == list(PLAYS)


@pytest.mark.parametrize("one", BREAKS, ids=lambda one: one.slug)
async def test_a_lesson_declares_the_fixes_of_the_service(one: Break, practice_url: str) -> None:
    """The first variant is the flawed one."""
    variants = await PracticeClient(practice_url, SecretStr(KEY)).list_variants(one.slug)

    assert sorted(variant.name for variant in variants[1:]) == sorted(fix.name for fix in one.fixes)
    assert set(PLAYS[one.slug].failing) == {fix.name for fix in one.fixes}


def test_the_right_fix_is_not_always_at_the_same_place() -> None:
    places = {one.slug: [fix.name for fix in one.fixes].index(PLAYS[one.slug].right) for one in BREAKS}
    assert set(places.values()) == {0, 1, 2}


async def test_a_finished_lesson_stays_finished_when_another_fix_is_tried(guessing: Breaker) -> None:
    play = PLAYS["guessed-id"]
    await guessing.leak()
    await guessing.fix(play.right)
    done_at = (await guessing.run()).done_at

    await guessing.fix(play.wrong)

    run = await guessing.run()
    assert (run.done_at, run.right_fix, run.first_fix) == (done_at, play.right, play.right)
    assert run.fix == play.wrong


async def test_no_page_holds_a_token_or_the_key(guessing: Breaker) -> None:
    await guessing.leak()
    await guessing.fix(PLAYS["guessed-id"].wrong)

    page = await guessing.page()

    assert "eyJ" not in page  # how every JWT begins
    assert KEY not in page
    assert "eyJ" not in str((await guessing.run()).evidence())


# Bad days


async def test_a_fix_before_the_leak_is_refused(guessing: Breaker) -> None:
    await guessing.send(IN_THE_WORKSHOP)

    page = await guessing.fix(PLAYS["guessed-id"].right, 409)

    assert "Find the leak first" in page
    assert (await guessing.run()).first_fix is None


async def test_an_unknown_fix_is_refused(guessing: Breaker) -> None:
    await guessing.leak()

    assert "Choose one of the fixes" in await guessing.fix("by_id", 422)
    assert (await guessing.run()).first_fix is None


async def test_an_unknown_lesson_is_not_found(lena: LearnerInLab) -> None:
    await lena.browser.get("/lab/practice/no-such-flaw", 404)
    await lena.browser.post("/lab/practice/no-such-flaw/request", IN_THE_WORKSHOP, 404)


async def test_an_odd_request_is_explained_and_not_sent(guessing: Breaker) -> None:
    page = await guessing.send({**post("reports", "workshop", "[] <typed>"), "method": "DELETE"}, 422)

    assert "Choose GET or POST" in page
    assert "begins with /" in page
    assert "[] <typed>" in page
    assert (await guessing.run()).last is None


@pytest.mark.parametrize("path", ["/../../readyz", "/../../flaws/guessed-id", "/%2e%2e/%2e%2e/readyz", "//x"])
async def test_a_path_cannot_leave_the_workspace_for_routes_of_the_lab(guessing: Breaker, path: str) -> None:
    await guessing.send(get(path, "workshop"))

    last = (await guessing.run()).last
    assert last is not None
    assert "source" not in last.reply.text
    assert last.leaks == ()


async def test_an_odd_body_is_sent_and_its_answer_shown(guessing: Breaker) -> None:
    await guessing.send(post("/reports/1", "workshop", '{"a": "\\ud800<script>"}'))

    page = (await guessing.learner.browser.get(guessing.root)).get_data(as_text=True)
    assert "<script>" not in (await page).replace("<script src=", "")


async def test_a_lost_workspace_is_made_again(guessing: Breaker, practice_url: str) -> None:
    await guessing.leak()
    before = await guessing.run()
    await PracticeClient(practice_url, SecretStr(KEY)).delete(before.workspace_id)

    await guessing.send(IN_THE_WORKSHOP)
    page, after = await guessing.page(), await guessing.run()

    assert "had lost your workspace" in page
    assert after.workspace_id != before.workspace_id
    assert after.leak == before.leak


async def test_two_tabs_do_not_lose_the_leak(guessing: Breaker) -> None:
    """One learner at a time is served, so the requests of two tabs follow each other, in any order."""
    await asyncio.gather(*(guessing.send(form) for form in (*PLAYS["guessed-id"].attack, IN_THE_WORKSHOP)))

    run = await guessing.run()
    assert run.leak is not None
    assert run.leak.attempt.path == "/reports/1"
    assert run.workspace_id != ""


async def test_a_new_workspace_keeps_the_progress(guessing: Breaker) -> None:
    await guessing.leak()
    before = await guessing.run()

    await guessing.post("workspace")

    after = await guessing.run()
    assert after.workspace_id != before.workspace_id
    assert (after.leak, after.last) == (before.leak, None)


async def test_starting_over_deletes_the_progress(guessing: Breaker) -> None:
    await guessing.leak()

    await guessing.post("restart")

    assert await guessing.run() == BreakRun()


async def test_a_reset_of_the_lab_deletes_the_progress(guessing: Breaker) -> None:
    await guessing.leak()

    await guessing.learner.browser.post("/lab/reset")

    assert await guessing.run() == BreakRun()
    assert "Set up my practice organizations" in await guessing.page()
    assert "Set up your practice organizations first" in await guessing.send(IN_THE_WORKSHOP, 409)


async def test_the_progress_of_another_learner_is_not_seen(
    guessing: Breaker, new_learner: NewLearner, practice_app: Quart
) -> None:
    await guessing.leak()

    other = await new_learner("Otto", at=practice_app)

    assert "Leak proved" not in await other.browser.text(guessing.root)


async def test_while_the_service_is_down_progress_is_shown_and_kept(
    guessing: Breaker, open_app: OpenApp
) -> None:
    await guessing.leak()
    before = await guessing.run()
    down = await open_app(lab_practice_url=f"http://127.0.0.1:{free_port()}", lab_practice_key=SecretStr(KEY))
    there = Breaker(
        LearnerInLab(guessing.learner.person, guessing.learner.browser.at(down), guessing.learner.runtime),
        guessing.lesson,
    )

    page = await there.page()
    assert "The practice service is not running" in page
    assert "Leak proved" in page
    assert "The practice service is not running" in await there.send(IN_THE_WORKSHOP, 503)
    assert "The practice service is not running" in await there.fix(PLAYS["guessed-id"].right, 503)
    await there.post("restart", 503)
    assert await guessing.run() == before


async def test_a_wrong_key_is_explained(
    new_learner: NewLearner, open_app: OpenApp, practice_url: str
) -> None:
    app = await open_app(lab_practice_url=practice_url, lab_practice_key=SecretStr("another key"))
    lena = await new_learner(at=app)

    page = await lena.browser.text("/lab/practice/guessed-id")

    assert "LAB_PRACTICE_KEY is not its key" in page


async def test_without_a_service_the_page_says_what_starts_one(new_learner: NewLearner) -> None:
    lena = await new_learner()

    assert "make demo" in await lena.browser.text("/lab/practice/guessed-id")
    told = await lena.browser.submit("/lab/practice/guessed-id/request", IN_THE_WORKSHOP, 503)
    assert "make demo" in told


async def test_a_role_that_another_lesson_changed_is_given_back(begin: Callable[[str], Breaker]) -> None:
    breaker = begin("role-name-checked")
    lab, ground = breaker.learner.lab, await breaker.learner.ground()
    sam = ground.players["sam"].user_id
    await lab.management.replace_roles(ground.workshop.id, sam, [Role.ADMIN.value])

    await breaker.send(get("/export", "sam"))

    run = await breaker.run()
    assert await lab.management.find_member_roles(ground.workshop.id, sam) == {Role.VIEWER.value}
    assert run.leak is not None  # the service's copy of roles still says admin


async def test_the_set_up_of_a_newcomer_leads_back_to_the_lesson(
    new_learner: NewLearner, practice_app: Quart
) -> None:
    lena = await new_learner(is_set_up=False, at=practice_app)

    response = await lena.browser.post("/lab/ground", {"lesson": "guessed-id"})

    assert response.headers["Location"] == "/sign-in/renew?next=/lab/practice/guessed-id"


async def test_a_learner_who_changed_their_own_role_is_told(guessing: Breaker) -> None:
    lab, ground = guessing.learner.lab, await guessing.learner.ground()
    learner = guessing.learner.person.id
    await lab.management.replace_roles(ground.workshop.id, learner, [Role.VIEWER.value])

    page = await guessing.send(IN_THE_WORKSHOP, 409)

    assert "which you are no longer" in page
    assert "Open the lab" in page
    assert (await guessing.run()).last is None


async def test_the_contents_show_how_far_a_learner_is(guessing: Breaker) -> None:
    await guessing.leak()
    begun = await guessing.learner.browser.text("/lab")
    await guessing.fix(PLAYS["guessed-id"].right)

    done = await guessing.learner.browser.text("/lab")

    assert "Started" in begun
    assert "Fixed" not in begun
    assert "Fixed" in done


async def test_the_service_never_answers_the_web(practice_url: str) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{practice_url}/readyz", headers={"Origin": "https://evil.example"}) as answer,
    ):
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_the_first_fix_counts_in_a_class_and_stays_there_when_the_learner_starts_again(
    guessing: Breaker, make: Factory, open_browser: OpenBrowser
) -> None:
    teacher, play = await open_browser(await make.person("Tess")), PLAYS["guessed-id"]
    code = await start(teacher)
    await guessing.learner.browser.post("/lab/class/join", {"code": code})
    await guessing.leak()
    await guessing.fix(play.wrong)

    await guessing.post("restart")

    run = await guessing.run()
    assert (run.first_fix, run.class_code) == (play.wrong, code)
    assert (run.leak, run.is_done) == (None, False)
    assert "1 predicted, 0 done" in await teacher.text(f"/lab/class/{code}")


async def test_a_fix_after_the_class_was_left_changes_nothing_in_it(
    guessing: Breaker, make: Factory, open_browser: OpenBrowser
) -> None:
    teacher, play = await open_browser(await make.person("Tess")), PLAYS["guessed-id"]
    code = await start(teacher)
    await guessing.learner.browser.post("/lab/class/join", {"code": code})
    await guessing.leak()
    await guessing.fix(play.wrong)

    await guessing.learner.browser.post(f"/lab/class/{code}/leave")
    await guessing.fix(play.right)

    assert (await guessing.run()).first_fix == play.wrong
    assert "1 predicted, 1 done" in await teacher.text(f"/lab/class/{code}")

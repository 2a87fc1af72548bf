"""What another person cannot do with a learner's lab, and what nobody can do too often."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import pytest
import sqlalchemy as sa
from quart import Quart

from saas_app.config import Rate, Settings
from saas_app.db import keys
from saas_app.lab.lessons import LESSONS
from saas_app.lab.values import Ground
from saas_app.logto import ManagementClient
from saas_app.models import LabGround, LabPlayer, LabRun
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import SAME_ORIGIN, Browser
from tests.conftest import OpenApp, OpenBrowser
from tests.databases import postgresql_server
from tests.factories import Factory
from tests.integration.lab.conftest import LearnerInLab, NewLearner, path_of
from tests.integration.lab.tasks import ANSWERS, play
from tests.rules.calls import fill
from tests.rules.routes import ROUTES, Route

FIRST = LESSONS[0]
LAB = [route for route in ROUTES if route.rule.startswith("/lab")]
FORMS = [route for route in LAB if route.method == "POST"]


@pytest.fixture(scope="module")
async def victim(
    app: Quart, settings: Settings, make: Factory, runtime: Runtime
) -> AsyncIterator[LearnerInLab]:
    """A learner who has played the first lesson, and whom no test can harm."""
    person = await make.person("Victoria")
    async with Browser(app, settings.redirect_uri) as browser:
        await browser.sign_in(person)
        learner = LearnerInLab(person, browser, runtime)
        await learner.set_up()
        await play(learner, FIRST, ANSWERS[FIRST.slug])
        yield learner


@pytest.fixture
async def mallory(new_learner: NewLearner) -> LearnerInLab:
    return await new_learner("Mallory")


def ids_of(victim: LearnerInLab, ground: Ground) -> dict[str, Sequence[str]]:
    """Return a form with the victim's ids under every name that a route might read."""
    sam = ground.players["sam"]
    people = ("subject", "user_id", "learner", "person", "sub")
    organizations = ("organization_id", "workshop", "studio", "admin_organization_id", "id")
    players = ("player", "sam", "member", "username")
    return {
        **{name: [victim.person.id] for name in people},
        **{name: [ground.workshop.id, ground.studio.id] for name in organizations},
        **{name: [sam.user_id, sam.username] for name in players},
        "answer": [FIRST.answers[0].key],
        "lesson": [FIRST.slug],
    }


async def state_of(victim: LearnerInLab, management: ManagementClient) -> dict[str, Any]:
    """Return what belongs to the victim, here and at Logto."""
    ground, run = await victim.ground(), await victim.run_of(FIRST)
    return {
        "ground": (ground.workshop, ground.studio, dict(ground.players)),
        "run": (run.prediction, run.answer, run.done_at, run.evidence),
        "members": [
            {member.user.id for member in await management.list_members(place.id)}
            for place in (ground.workshop, ground.studio)
        ],
        "accounts": [await management.find_user(one.user_id) for one in ground.players.values()],
    }


@pytest.mark.parametrize("route", FORMS, ids=str)
async def test_no_form_of_the_lab_reaches_what_belongs_to_another_person(
    victim: LearnerInLab, mallory: LearnerInLab, management: ManagementClient, route: Route
) -> None:
    before, form = await state_of(victim, management), ids_of(victim, await victim.ground())
    path = fill(route, {"slug": FIRST.slug})

    await mallory.browser.post(f"{path}?subject={victim.person.id}", form, None)

    assert await state_of(victim, management) == before


@pytest.mark.parametrize("route", [route for route in LAB if route.method == "GET"], ids=str)
async def test_no_page_of_the_lab_shows_what_belongs_to_another_person(
    victim: LearnerInLab, mallory: LearnerInLab, route: Route
) -> None:
    ground = await victim.ground()
    query = f"?subject={victim.person.id}&organization={ground.workshop.id}&a={ground.workshop.id}"
    path = fill(route, {"slug": FIRST.slug})

    response = await mallory.browser.app.get(path + query)

    page = str(await response.get_data(as_text=True)).replace(query.replace("&", "&amp;"), "")
    secrets = [player.user_id for player in ground.players.values()]
    assert [found for found in (ground.studio.id, victim.person.username, *secrets) if found in page] == []


async def test_practice_organizations_do_not_exist_for_another_learner(
    victim: LearnerInLab, mallory: LearnerInLab
) -> None:
    ground = await victim.ground()

    for place in (ground.workshop, ground.studio):
        page = await mallory.browser.text(f"/o/{place.id}/projects", 404)
        assert place.name not in page


async def test_a_role_play_member_belongs_to_the_practice_organizations_of_one_learner_only(
    victim: LearnerInLab, mallory: LearnerInLab, management: ManagementClient
) -> None:
    own = await mallory.ground()

    for player in (await victim.ground()).players.values():
        places = {one.organization_id for one in await management.list_user_organizations(player.user_id)}
        assert places.isdisjoint({own.workshop.id, own.studio.id})


async def test_a_learner_is_no_admin_of_the_studio(
    victim: LearnerInLab, management: ManagementClient
) -> None:
    ground = await victim.ground()

    await victim.browser.post(f"/o/{ground.studio.id}/settings", {"name": "Mine"}, 403)
    await victim.browser.post(
        f"/o/{ground.studio.id}/members/{victim.person.id}/roles",
        {"seen": ["", "viewer"], "roles": "admin", "step": "confirm"},
        403,
    )

    assert await management.find_member_roles(ground.studio.id, victim.person.id) == frozenset(
        {Role.VIEWER.value}
    )


async def test_the_secrets_of_role_play_members_are_stored_encrypted(victim: LearnerInLab) -> None:
    ground = await victim.ground()
    async with victim.runtime.work.reading(key=keys.of_person(victim.person.id)) as db:
        rows = (await db.execute(sa.select(LabPlayer.user_id, LabPlayer.secrets))).all()

    stored = {row.user_id: str(row.secrets) for row in rows}
    for player in ground.players.values():
        assert player.secrets["password"] not in stored[player.user_id]


@pytest.mark.skipif(not postgresql_server(), reason="only PostgreSQL hides rows by itself")
@pytest.mark.parametrize("table", [LabGround, LabPlayer, LabRun])
async def test_the_database_hides_the_rows_of_other_learners(
    victim: LearnerInLab, mallory: LearnerInLab, table: Any
) -> None:
    async with mallory.runtime.work.reading(key=keys.of_person(mallory.person.id)) as db:
        found = await db.scalar(sa.select(sa.func.count()).where(table.subject == victim.person.id))

    assert found == 0


FOREIGN: Final[tuple[dict[str, str], ...]] = (
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "same-site"},
    {},
)


@pytest.mark.parametrize("route", FORMS, ids=str)
async def test_forms_of_the_lab_reject_requests_of_other_sites(victim: LearnerInLab, route: Route) -> None:
    path = fill(route, {"slug": FIRST.slug})

    statuses = [(await victim.browser.app.post(path, headers=one)).status_code for one in FOREIGN]

    assert statuses == [403] * len(FOREIGN)
    assert (await victim.progress()).is_ready


@pytest.mark.parametrize("route", LAB, ids=str)
async def test_visitors_are_asked_to_sign_in(open_browser: OpenBrowser, route: Route) -> None:
    browser = await open_browser()
    path = fill(route, {"slug": FIRST.slug})

    send = browser.app.get if route.method == "GET" else browser.app.post
    response = await send(path, headers=SAME_ORIGIN)

    assert response.status_code in (303, 404) if route.rule.startswith("/lab/as") else 303
    assert "Lab: " not in await response.get_data(as_text=True)


async def test_setting_up_again_and_again_counts_as_new_organizations(
    make: Factory, open_browser: OpenBrowser, open_app: OpenApp, management: ManagementClient
) -> None:
    person = await make.person("Lena")
    limited = await open_app(rate_limit_new_organizations=Rate(4, 86_400))
    browser = await open_browser(person, at=limited)
    for _turn in range(2):
        await browser.post("/lab/ground")
        await browser.post("/lab/reset")

    response = await browser.post("/lab/ground", expect=429)

    assert "can create 4 organizations" in await response.get_data(as_text=True)
    assert response.headers["Retry-After"]
    assert await management.list_user_organizations(person.id) == []


@pytest.mark.parametrize("path", ["/lab/reset", f"{path_of(FIRST)}/prediction", f"{path_of(FIRST)}/act"])
async def test_each_form_of_a_lesson_and_a_reset_count_as_changes(
    make: Factory, open_browser: OpenBrowser, open_app: OpenApp, path: str
) -> None:
    limited = await open_app(rate_limit_changes=Rate(2, 60))
    browser = await open_browser(await make.person("Lena"), at=limited)
    for _turn in range(2):
        response = await browser.post(path, None, None)
        assert response.status_code != 429

    await browser.post(path, None, 429)


async def test_setting_up_counts_as_a_change(
    make: Factory, open_browser: OpenBrowser, open_app: OpenApp
) -> None:
    limited = await open_app(rate_limit_changes=Rate(1, 60))
    browser = await open_browser(await make.person("Lena"), at=limited)
    await browser.post("/lab/ground")
    await browser.post("/lab/reset")

    await browser.post("/lab/ground", expect=429)


async def test_a_browser_in_which_somebody_else_signs_in_shows_their_lab(
    new_learner: NewLearner, mallory: LearnerInLab
) -> None:
    learner = await new_learner("Lena")
    await play(learner, FIRST, ANSWERS[FIRST.slug])
    await learner.browser.post("/sign-out", expect=None)
    await learner.browser.forget_logto()
    await learner.browser.sign_in(mallory.person)

    page = await learner.browser.text("/lab")

    assert (await mallory.ground()).workshop.id in page
    assert "Predicted correctly" not in page

"""Every page is accessible in light and in dark mode, and fits the screen of a phone."""

from __future__ import annotations

from tests.browser import tour_of_an_admin as admin
from tests.browser import tour_of_classes as classes
from tests.browser import tour_of_the_lab
from tests.browser.conftest import OpenPage
from tests.browser.page_checks import findings_on
from tests.browser.site import Site
from tests.browser.steps import start_session
from tests.browser.tour import after_actions, after_sign_in, before_sign_in, set_scene, without_scripts
from tests.browser.tour_of_access_requests import asking, deciding
from tests.factories import Factory

# Only a mobile browser obeys the viewport that a page declares.
OPTIONS = {"is_mobile": True, "reduced_motion": "reduce"}


async def test_pages_before_sign_in_are_accessible_and_fit_a_phone(open_page: OpenPage, site: Site) -> None:
    page = await open_page(**OPTIONS)
    assert await findings_on(page, before_sign_in(page, site)) == []


async def test_pages_for_members_are_accessible_and_fit_a_phone(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    page = await open_page(**OPTIONS)
    scene = await set_scene(page, people, site)
    assert await findings_on(page, after_sign_in(page, scene)) == []


async def test_pages_after_actions_are_accessible_and_fit_a_phone(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    page = await open_page(**OPTIONS)
    scene = await set_scene(page, people, site)
    assert await findings_on(page, after_actions(page, scene)) == []


async def test_pages_that_a_script_leaves_at_once_are_accessible_and_fit_a_phone(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    page = await open_page(**OPTIONS)
    assert await findings_on(page, without_scripts(page, people, site)) == []


async def test_pages_about_members_are_accessible_and_fit_a_phone(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    page = await open_page(**OPTIONS)
    office = await admin.set_office(page, people, site)
    assert await findings_on(page, admin.members(page, people, office)) == []
    assert await findings_on(page, admin.invitations(page, people, office)) == []
    assert await findings_on(page, admin.api_clients(page, people, office)) == []


async def test_pages_about_access_requests_are_accessible_and_fit_a_phone(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    page, viewer = await open_page(**OPTIONS), await open_page(**OPTIONS)
    office = await admin.set_office(page, people, site)
    await start_session(viewer, site, office.viewer)
    assert await findings_on(viewer, asking(viewer, office)) == []
    assert await findings_on(page, deciding(page, office)) == []


async def test_settings_and_the_audit_log_are_accessible_and_fit_a_phone(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    page = await open_page(**OPTIONS)
    office = await admin.set_office(page, people, site)
    assert await findings_on(page, admin.audit(page, open_page, office)) == []
    assert await findings_on(page, admin.settings(page, office)) == []
    assert await findings_on(page, admin.second_factor(page, people, office)) == []


async def test_pages_for_invited_people_are_accessible_and_fit_a_phone(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    office = await admin.set_office(await open_page(), people, site)
    page = await open_page(**OPTIONS)
    assert await findings_on(page, admin.being_invited(page, people, office)) == []


async def test_pages_of_classes_are_accessible_and_fit_a_phone(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    teacher, learner = await open_page(**OPTIONS), await open_page(**OPTIONS)
    for page, name in ((teacher, "Alexandra"), (learner, "Lena")):
        await start_session(page, site, await people.person(name))
    assert await findings_on(teacher, classes.for_the_teacher(teacher, open_page, people)) == []
    assert await findings_on(learner, classes.for_a_learner(learner, open_page, people)) == []


async def test_the_way_into_the_lab_is_accessible_and_fits_a_phone(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    page = await open_page(**OPTIONS)
    assert await findings_on(page, tour_of_the_lab.newcomer(page, people, site)) == []


async def test_results_of_the_lab_are_accessible_and_fit_a_phone(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    page = await open_page(**OPTIONS)
    assert await findings_on(page, tour_of_the_lab.results(page, people, site)) == []

"""Theme, language and time zone: stored with the person, and carried by their browsers."""

from __future__ import annotations

import pytest
from quart.wrappers import Response

from saas_app.identity.preferences import Preferences
from saas_app.runtime import Runtime
from tests.clients import SAME_ORIGIN, Browser, Person
from tests.conftest import OpenBrowser
from tests.integration.accounts.conftest import cookies_of

pytestmark = pytest.mark.one_database

SETTINGS = "/account/settings"
DARK_SPANISH_TOKYO = {"theme": "dark", "language": "es", "zone": "Asia/Tokyo"}
AUTOMATIC = {"theme": "", "language": "", "zone": ""}


async def choose(visitor: Browser, language: str, *, page: str) -> Response:
    """Press the button of a language at the foot of a page."""
    headers = {**SAME_ORIGIN, "Referer": page}
    return await visitor.app.post("/language", form={"language": language}, headers=headers)


@pytest.fixture
async def browser(open_browser: OpenBrowser, pia: Person) -> Browser:
    return await open_browser(pia)


async def test_saved_settings_change_the_next_page(browser: Browser) -> None:
    await browser.post(SETTINGS, DARK_SPANISH_TOKYO)

    page = await browser.text(SETTINGS)

    assert '<html lang="es" data-theme="dark">' in page
    assert '<meta name="color-scheme" content="dark">' in page
    assert '<option value="Asia/Tokyo" selected>Tokio</option>' in page


async def test_settings_are_stored_with_the_person(browser: Browser, pia: Person, runtime: Runtime) -> None:
    await browser.post(SETTINGS, DARK_SPANISH_TOKYO)

    assert await runtime.preferences.find(pia.id) == Preferences("es", "Asia/Tokyo", "dark")


async def test_another_browser_gets_the_settings_when_the_person_signs_in(
    browser: Browser, pia: Person, open_browser: OpenBrowser
) -> None:
    await browser.post(SETTINGS, DARK_SPANISH_TOKYO)

    other = await open_browser(pia)

    assert cookies_of(other) == {
        "workroom_language": "es",
        "workroom_zone": "chosen:Asia/Tokyo",
        "workroom_theme": "dark",
    }


async def test_automatic_settings_leave_everything_to_the_browser(browser: Browser) -> None:
    await browser.post(SETTINGS, DARK_SPANISH_TOKYO)

    await browser.post(SETTINGS, AUTOMATIC)

    assert cookies_of(browser) == {}
    assert "data-theme" not in await browser.text(SETTINGS)


async def test_a_sign_in_removes_settings_that_became_automatic_elsewhere(
    browser: Browser, pia: Person, open_browser: OpenBrowser
) -> None:
    other = await open_browser(pia)
    await other.post(SETTINGS, DARK_SPANISH_TOKYO)
    await browser.post(SETTINGS, AUTOMATIC)

    await other.sign_in(pia)

    assert cookies_of(other) == {}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"theme": "sepia"}, "Choose one of the themes listed here."),
        ({"language": "xx"}, "Choose one of the languages listed here."),
        ({"language": "../es"}, "Choose one of the languages listed here."),
        ({"zone": "Mars/Olympus"}, "Choose one of the time zones listed here."),
        ({"zone": "../../etc/passwd"}, "Choose one of the time zones listed here."),
    ],
)
async def test_an_unknown_choice_is_refused_with_a_message(
    browser: Browser, pia: Person, runtime: Runtime, wrong: dict[str, str], message: str
) -> None:
    page = await browser.submit(SETTINGS, {**AUTOMATIC, **wrong}, expect=422)

    assert message in page
    assert await runtime.preferences.find(pia.id) == Preferences()


async def test_a_stored_language_that_no_longer_exists_falls_back(
    browser: Browser, pia: Person, runtime: Runtime, open_browser: OpenBrowser
) -> None:
    await runtime.preferences.save(pia.id, Preferences(language="tlh"))

    other = await open_browser(pia)

    assert '<html lang="en">' in await other.text(SETTINGS)


async def test_a_zone_under_an_older_name_stays_selected(browser: Browser) -> None:
    await browser.post(SETTINGS, {**AUTOMATIC, "zone": "US/Eastern"})

    assert '<option value="US/Eastern" selected>' in await browser.text(SETTINGS)


async def test_a_visitor_chooses_a_language_at_the_foot_of_a_page(open_browser: OpenBrowser) -> None:
    visitor = await open_browser()

    await choose(visitor, "es", page="http://localhost/")

    assert '<html lang="es">' in await visitor.text("/")


async def test_the_language_of_a_visitor_stays_after_signing_in(
    open_browser: OpenBrowser, pia: Person
) -> None:
    visitor = await open_browser()
    await visitor.post("/language", {"language": "es"})

    await visitor.sign_in(pia)

    assert cookies_of(visitor)["workroom_language"] == "es"


async def test_a_signed_in_person_keeps_the_language_chosen_at_the_foot(
    browser: Browser, pia: Person, runtime: Runtime
) -> None:
    await browser.post("/language", {"language": "es"})

    assert (await runtime.preferences.find(pia.id)).language == "es"


@pytest.mark.parametrize("language", ["xx", "", "es/../en"])
async def test_an_unknown_language_is_refused(open_browser: OpenBrowser, language: str) -> None:
    visitor = await open_browser()

    page = await visitor.submit("/language", {"language": language}, expect=400)

    assert "Workroom does not know this language" in page
    assert cookies_of(visitor) == {}


@pytest.mark.parametrize(
    ("page", "path"),
    [
        ("http://localhost/o?q=acme", "/o?q=acme"),
        ("https://evil.example//evil.example", "/"),
        ("https://evil.example/\\evil.example", "/"),
        ("http://[", "/"),
        ("", "/"),
    ],
)
async def test_choosing_a_language_leads_back_to_own_pages_only(
    open_browser: OpenBrowser, page: str, path: str
) -> None:
    visitor = await open_browser()

    response = await choose(visitor, "en", page=page)

    assert response.headers["Location"] == path


@pytest.mark.parametrize(
    ("page", "path"),
    [
        ("/o/acme/projects/bulk/archive", "/o/acme/projects"),  # nothing opens there
        ("/o/acme/members/bulk/roles?q=a", "/o/acme/members"),  # a member named "bulk" opens
        ("/o/acme/first-steps/hide", "/o/acme"),
        ("/o/acme/projects/new", "/o/acme/projects/new"),
        ("/o/acme/no-such-page", "/o/acme/no-such-page"),
    ],
)
async def test_choosing_a_language_below_the_answer_to_a_form_leads_to_a_page_that_opens(
    open_browser: OpenBrowser, page: str, path: str
) -> None:
    visitor = await open_browser()

    response = await choose(visitor, "en", page=f"http://localhost{page}")

    assert response.headers["Location"] == path

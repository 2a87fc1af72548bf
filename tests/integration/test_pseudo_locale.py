"""Every page is in the reader's language: what it shows is in the catalogues, or data.

Each page route is opened and each form is submitted empty, in a language in which every text of the
catalogues stands between ⟦ and ⟧.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from quart.wrappers import Response

from saas_app.lab.lessons import LESSONS
from saas_app.rbac.permissions import Permission, Role
from saas_app.runtime import Runtime
from saas_app.web.guards import Callers
from saas_app.web.reader import LANGUAGE_COOKIE
from tests.clients import FRESH, SAME_ORIGIN, Browser
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.lab.conftest import LearnerInLab, path_of
from tests.integration.lab.tasks import do_tasks, wrong_answer
from tests.pseudo_locale import TAG, outside, pseudo_locale
from tests.rules.calls import fill, path_with_rows
from tests.rules.routes import ROUTES, Route
from tests.rules.test_translations import THE_SAME_EVERYWHERE

pytestmark = pytest.mark.one_database

NAMES = {
    "Ada",
    "Other",
    "Acme",
    "Robot",
    "Task",
    "Project",
    "test",
    "Carol",
    "Robotics",
    "English",
    "Esperanto",
    "null",
    "true",
    "false",
    *Role,
    *THE_SAME_EVERYWHERE,
}
"""Words that are data: names of rows and roles, values of claims, and what is the same in every language."""

UNREAD = {"script", "style", "code", "pre", "kbd", "svg", "time", "template", "textarea"}
READ_ATTRIBUTES = re.compile(r"aria-label|title|alt|placeholder|data-label|data-text-.*|data-confirm")
CODE = re.compile(r"[^A-Za-z’'“”()…-]|^--?\w|^[A-Z]{2}$")  # addresses, ids, scopes, numbers and initials
WORD = re.compile(r"[A-Za-z]{2,}")
MOMENT = re.compile(
    r"\d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d( UTC)?"
)  # in a notice, which has no time element
STATUS = re.compile(r"[1-5]\d\d [A-Za-z ]+")  # what a status is called in the protocol
ENDS_THE_SESSION = {"/sign-out"}


class Texts(HTMLParser):
    """Collects what people read on a page, with a NUL between two texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._unread: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.texts += [f"\0{text}\0" for name, text in attrs if text and READ_ATTRIBUTES.fullmatch(name)]
        if tag == "input" and values.get("type") in ("submit", "button"):
            self.texts.append(f"\0{values.get('value') or ''}\0")
        if tag in UNREAD or values.get("lang") not in (None, TAG) or values.get("name") == "zone":
            self._unread.append(tag)
        self.texts.append("\0")

    def handle_endtag(self, tag: str) -> None:
        if self._unread and self._unread[-1] == tag:
            self._unread.pop()
        self.texts.append("\0")

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.texts.append(data)


def leftovers(page: str) -> list[str]:
    """Return the texts of a page that are neither texts of the catalogues nor data."""
    return [
        " ".join(text.split())
        for text in MOMENT.sub("", outside("".join(Texts(page).texts))).split("\0")
        if any(is_a_word(token.strip("'\"“”()[],;:.…!?")) for token in text.split())
    ]


def is_a_word(token: str) -> bool:
    return bool(WORD.search(token)) and not CODE.search(token) and token not in NAMES


def test_a_text_outside_the_catalogues_is_found() -> None:
    page = (
        '<h1>⟦Members of ⟧Ada</h1><p title="Bare">⟦Yes⟧</p><input type="submit" value="Save"><code>x</code>'
    )

    assert leftovers(page) == ["Bare", "Save"]


@pytest.fixture(autouse=True)
def language(tmp_path: Path) -> Iterator[None]:
    with pseudo_locale(tmp_path):
        yield


def pages(*methods: str) -> list[Route]:
    return [
        route
        for route in ROUTES
        if route.method in methods
        and not route.is_api
        and route.guard
        and not route.guard.for_programs
        and route.rule not in ENDS_THE_SESSION
        and not route.rule.startswith("/static/")
    ]


@pytest.fixture
async def reader(make: Factory, open_browser: OpenBrowser) -> tuple[Browser, str]:
    """An admin's browser in that language, and the organization."""
    person = await make.person("Ada")
    acme = await make.organization("Acme", admin=person)
    browser = await open_browser()
    await browser.sign_in(person, FRESH)
    browser.app.set_cookie("localhost", LANGUAGE_COOKIE, TAG)
    return browser, acme


async def found_by(browser: Browser, route: Route, path: str) -> list[str]:
    """Call a route, follow its redirects within the application, and return what is left over."""
    headers = {} if route.method == "GET" else SAME_ORIGIN
    response = await browser.app.open(path, method=route.method, headers=headers)
    for _hop in range(3):
        location = response.headers.get("Location", "")
        if response.status_code not in (302, 303) or not location.startswith("/") or "sign-in" in location:
            break
        response = await browser.app.get(location)
    assert isinstance(response, Response)
    if response.mimetype != "text/html" or response.status_code in (302, 303):
        return []
    page = await response.get_data(as_text=True)
    assert "⟦" in page, path
    return leftovers(page)


async def all_leftovers(
    make: Factory, runtime: Runtime, browser: Browser, organization_id: str, routes: list[Route]
) -> list[str]:
    await make.role(f"Role of {organization_id}", Permission.MEMBERS_READ)
    made_at_logto = {role.name for role in await make.management.list_organization_roles()}  # names are data
    found: list[str] = []
    for route in routes:
        if route.is_tenant:
            path = await path_with_rows(make, runtime, route, organization_id)
        else:
            path = fill(route, {})
        texts = await found_by(browser, route, path)
        found += [f"{route}: {text}" for text in texts if text not in made_at_logto]
    return found


async def test_every_page_is_in_the_reader_s_language(
    make: Factory, runtime: Runtime, reader: tuple[Browser, str]
) -> None:
    assert await all_leftovers(make, runtime, *reader, pages("GET")) == []


async def test_every_answer_to_a_form_is_in_the_reader_s_language(
    make: Factory, runtime: Runtime, reader: tuple[Browser, str]
) -> None:
    assert await all_leftovers(make, runtime, *reader, pages("POST")) == []


async def test_every_refusal_is_in_the_reader_s_language(
    make: Factory, runtime: Runtime, open_browser: OpenBrowser
) -> None:
    person = await make.person("Other")
    acme = await make.organization("Acme", admin=await make.person("Ada"), viewer=person)
    browser = await open_browser()
    await browser.sign_in(person, FRESH)
    browser.app.set_cookie("localhost", LANGUAGE_COOKIE, TAG)
    guarded = [
        route
        for route in pages("GET", "POST")
        if route.guard and route.guard.callers is Callers.PERMISSION and route.is_tenant
    ]

    assert await all_leftovers(make, runtime, browser, acme, guarded) == []


async def test_lessons_and_their_results_are_in_the_reader_s_language(
    make: Factory, runtime: Runtime, open_browser: OpenBrowser
) -> None:
    """Each lesson with its question, its task and its result, and the contents before and after them."""
    person = await make.person("Ada")
    browser = await open_browser(person)
    browser.app.set_cookie("localhost", LANGUAGE_COOKIE, TAG)
    learner = LearnerInLab(person, browser, runtime)
    await learner.set_up()
    ground = await learner.ground()
    players = ground.players.values()
    data = [ground.workshop.name, ground.studio.name, *(player.name for player in players)]
    data += [ground.workshop.id, ground.studio.id, person.id, *(player.user_id for player in players)]
    functions = {place.function for lesson in LESSONS for place in lesson.places}
    found: list[str] = []

    def is_code(text: str) -> bool:
        return text in functions or bool(STATUS.fullmatch(text))

    async def look(path: str) -> None:
        page = str(await (await browser.get(path)).get_data(as_text=True))
        for name in data:
            page = page.replace(name, "")
        found.extend(f"{path}: {text}" for text in leftovers(page) if not is_code(text))

    await look("/lab")
    for lesson in LESSONS:
        await look(path_of(lesson))
        await learner.predict(lesson, wrong_answer(lesson))
        await do_tasks(learner, lesson)
        await look(path_of(lesson))
        await learner.act(lesson)
        await look(path_of(lesson))
    await look("/lab")

    assert found == []


@pytest.mark.parametrize("path", ["/", "/nowhere", "/o/unknown/projects", "/callback?error=access_denied"])
async def test_a_visitor_reads_their_language(open_browser: OpenBrowser, path: str) -> None:
    browser = await open_browser()
    response = await browser.app.get(path, headers={"Accept-Language": TAG})

    assert leftovers(await response.get_data(as_text=True)) == []

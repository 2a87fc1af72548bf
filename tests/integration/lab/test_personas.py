"""Seeing Workroom as a demo person, and the way back: two real sessions in one browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from quart import Quart

from saas_app.identity.vault import fingerprint
from saas_app.logto import ManagementClient
from saas_app.runtime import Runtime
from tests.clients import SAME_ORIGIN, Browser, Person
from tests.conftest import OpenApp, OpenBrowser, runtime_of
from tests.factories import Factory
from tests.integration.records import events_of

OWN_COOKIE = "workroom_own_session"
AS, BACK = "/lab/as", "/lab/as/back"


@dataclass(frozen=True)
class Scene:
    """Ada, an admin, in her browser, with the demo people Vic (viewer), Ed (editor) and Ada herself."""

    app: Quart
    organization_id: str
    ada: Person
    vic: Person
    ed: Person
    browser: Browser
    make: Factory

    @property
    def root(self) -> str:
        return f"/o/{self.organization_id}"

    @property
    def runtime(self) -> Runtime:
        return runtime_of(self.app)

    async def play(self, person: Person, next_path: str = "/o") -> str:
        """See the application as a person, and return where that leads."""
        response = await self.browser.post(AS, {"username": person.username, "next": next_path})
        return str(response.headers["Location"])

    async def back(self, next_path: str = "/o") -> str:
        response = await self.browser.post(BACK, {"next": next_path})
        return str(response.headers["Location"])

    async def who(self, browser: Browser | None = None) -> str:
        """Return the subject of the session that the browser has."""
        answer = await (browser or self.browser).get("/api/v1/me")
        return str((await answer.get_json())["subject"])

    async def is_live(self, session_cookie: str) -> bool:
        return await self.runtime.sessions.find_access(session_cookie, None) is not None

    def cookie(self, name: str) -> str | None:
        jar = self.browser.app.cookie_jar or ()
        return next((cookie.value for cookie in jar if cookie.name == name), None)


@pytest.fixture
async def people(make: Factory) -> tuple[str, dict[str, Person]]:
    """An organization and its members, by name."""
    organization_id = await make.organization("Acme")
    roles = {"Ada": "admin", "Vic": "viewer", "Ed": "editor"}
    return organization_id, {
        name: await make.member(organization_id, name, role) for name, role in roles.items()
    }


WritePeople = Callable[..., Path]


@pytest.fixture
def write_people(tmp_path: Path) -> WritePeople:
    """``write_people(vic, ed)``: a file of demo people like the one of ``make demo``."""

    def write(*people: Person) -> Path:
        entries = [
            {
                "identifier": person.username,
                "password": person.password,
                "name": person.username.partition("_")[0].title(),
                "hint": "viewer of Acme",
                "hints": {"es": "viewer de Acme"},
            }
            for person in people
        ]
        file = tmp_path / "people.json"
        file.write_text(json.dumps(entries), encoding="utf-8")
        return file

    return write


@pytest.fixture
async def scene(
    people: tuple[str, dict[str, Person]],
    write_people: WritePeople,
    open_app: OpenApp,
    open_browser: OpenBrowser,
    make: Factory,
) -> Scene:
    organization_id, members = people
    app = await open_app(lab_people_file=write_people(*members.values()))
    ada, vic, ed = members["Ada"], members["Vic"], members["Ed"]
    return Scene(app, organization_id, ada, vic, ed, await open_browser(ada, at=app), make)


# The switch


async def test_the_list_shows_the_demo_people_with_the_roles_they_began_with(scene: Scene) -> None:
    page = await scene.browser.text(f"{AS}?next={scene.root}/")

    assert page.count("viewer of Acme") == 3
    assert f'value="{scene.vic.username}"' in page
    assert f'value="{scene.ada.username}"' not in page  # she is herself already


async def test_the_list_has_no_password_in_it(scene: Scene) -> None:
    page = await scene.browser.text(AS)

    assert scene.vic.password not in page


async def test_the_list_speaks_the_language_of_the_reader(scene: Scene) -> None:
    page = await scene.browser.text(AS, headers={"Accept-Language": "es"})

    assert "viewer de Acme" in page


async def test_choosing_a_person_signs_in_as_them_and_leads_to_the_page(scene: Scene) -> None:
    led_to = await scene.play(scene.vic, f"{scene.root}/projects")

    assert led_to == f"{scene.root}/projects"
    assert await scene.who() == scene.vic.id


async def test_the_person_has_their_own_permissions_and_not_those_of_the_visitor(scene: Scene) -> None:
    await scene.browser.get(f"{scene.root}/projects/new")

    await scene.play(scene.vic)

    await scene.browser.get(f"{scene.root}/projects/new", 403)


async def test_the_visitors_own_session_stays_as_it_was(scene: Scene) -> None:
    own = scene.browser.session_cookie

    await scene.play(scene.vic)

    assert scene.browser.session_cookie != own
    assert await scene.is_live(own)


async def test_the_cookie_beside_the_session_hides_the_visitors_session(scene: Scene) -> None:
    own = scene.browser.session_cookie

    response = await scene.browser.post(AS, {"username": scene.vic.username})

    line = next(line for line in response.headers.getlist("Set-Cookie") if line.startswith(OWN_COOKIE))
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line
    assert own not in line


async def test_every_page_says_whom_the_visitor_plays_and_leads_back(scene: Scene) -> None:
    await scene.play(scene.vic)

    for path, status in (
        (f"{scene.root}/", 200),
        (f"{scene.root}/access", 200),
        ("/account", 200),
        ("/api/docs", 200),
        (f"{scene.root}/audit", 403),
        (f"{scene.root}/nothing-here", 404),
    ):
        page = await scene.browser.text(path, status)
        assert "You see this as <strong>Vic</strong>" in page, path
        assert "Back to Ada" in page, path


async def test_pages_of_the_visitor_have_no_such_bar(scene: Scene) -> None:
    page = await scene.browser.text(f"{scene.root}/")

    assert "persona-bar" not in page


async def test_a_change_is_recorded_as_the_persons_own(scene: Scene) -> None:
    await scene.play(scene.ed)

    await scene.browser.post(f"{scene.root}/projects/new", {"name": "By Ed"})

    events = await events_of(scene.runtime, scene.organization_id)
    assert [event.actor_id for event in events] == [scene.ed.id]


# The way back


async def test_one_click_leads_back_to_the_visitors_session_and_page(scene: Scene) -> None:
    own = scene.browser.session_cookie
    await scene.play(scene.vic)

    led_to = await scene.back(f"{scene.root}/projects")

    assert led_to == f"{scene.root}/projects"
    assert scene.browser.session_cookie == own
    assert await scene.who() == scene.ada.id
    assert scene.cookie(OWN_COOKIE) is None


async def test_going_back_ends_the_session_of_the_person_here_and_at_logto(
    scene: Scene, management: ManagementClient
) -> None:
    await scene.play(scene.vic)
    played = scene.browser.session_cookie

    await scene.back()

    assert not await scene.is_live(played)
    assert await management.list_user_sessions(scene.vic.id) == []


async def test_going_back_twice_changes_nothing(scene: Scene) -> None:
    await scene.play(scene.vic)
    await scene.back()

    assert await scene.back("/account") == "/account"
    assert await scene.who() == scene.ada.id


async def test_the_way_back_leads_to_pages_of_this_site_only(scene: Scene) -> None:
    await scene.play(scene.vic)

    assert await scene.back("https://elsewhere.example/") == "/"


async def test_signing_out_as_the_person_leads_back_and_keeps_the_visitor_signed_in(scene: Scene) -> None:
    own = scene.browser.session_cookie
    await scene.play(scene.vic)
    played = scene.browser.session_cookie

    response = await scene.browser.post("/sign-out")

    assert response.headers["Location"] == "/"  # not Logto's sign-out, which would end Ada's session there
    assert scene.browser.session_cookie == own
    assert not await scene.is_live(played)
    assert "You are yourself again" in await scene.browser.text("/account")


async def test_signing_out_the_current_device_of_the_person_leads_back(scene: Scene) -> None:
    await scene.play(scene.vic)
    page = await scene.browser.text("/account")
    (device,) = re.findall(r'action="(/account/sessions/[^"]+/end)"', page)

    response = await scene.browser.post(device)

    assert response.headers["Location"] == "/"
    assert await scene.who() == scene.ada.id


async def test_signing_the_person_out_everywhere_leads_back(
    scene: Scene, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    elsewhere = await open_browser(scene.vic, at=scene.app)
    await scene.play(scene.vic)

    response = await scene.browser.post("/account/sign-out-everywhere")

    assert response.headers["Location"] == "/"
    assert await scene.who() == scene.ada.id
    assert not await scene.is_live(elsewhere.session_cookie)
    assert await management.list_user_sessions(scene.vic.id) == []


async def test_leaving_the_person_keeps_the_visitor_signed_in_at_logto(
    scene: Scene, management: ManagementClient
) -> None:
    await scene.play(scene.vic)

    await scene.browser.post("/sign-out")

    assert len(await management.list_user_sessions(scene.ada.id)) == 1


# Renewal and step-up


async def test_a_promotion_of_the_person_is_renewed_by_script_and_keeps_their_session(scene: Scene) -> None:
    await scene.play(scene.vic)
    await scene.browser.get(f"{scene.root}/projects/new", 403)
    played = scene.browser.session_cookie
    await scene.make.give_roles(scene.organization_id, scene.vic, "editor")
    await scene.browser.post(f"{scene.root}/access/read-again")

    page = await scene.browser.follow(f"{scene.root}/projects/new")

    assert page.status_code == 200
    assert await scene.who() == scene.vic.id
    assert scene.browser.session_cookie == played


async def test_a_renewal_by_script_needs_no_new_session_at_logto(
    scene: Scene, management: ManagementClient
) -> None:
    await scene.play(scene.vic)

    await scene.browser.get("/sign-in/renew?next=/account&for=test", 303)

    assert len(await management.list_user_sessions(scene.vic.id)) == 1


async def test_a_renewal_leads_to_the_page_and_never_to_logto(scene: Scene) -> None:
    await scene.play(scene.vic)

    response = await scene.browser.get("/sign-in/renew?next=/account&for=test", 303)

    assert response.headers["Location"] == "/account"


async def test_a_renewal_signs_in_again_if_the_session_at_logto_has_ended(
    scene: Scene, management: ManagementClient
) -> None:
    await scene.play(scene.vic)
    for at_logto in await management.list_user_sessions(scene.vic.id):
        await management._transport.call("DELETE", f"/users/{scene.vic.id}/sessions/{at_logto.uid}")

    await scene.browser.get("/sign-in/renew?next=/account&for=test", 303)

    assert await scene.who() == scene.vic.id


async def test_a_form_that_needs_a_renewal_is_sent_again_by_the_person(scene: Scene) -> None:
    await scene.play(scene.vic)
    await scene.browser.get(f"{scene.root}/projects")
    await scene.make.give_roles(scene.organization_id, scene.vic, "editor")
    await scene.browser.post(f"{scene.root}/access/read-again")
    asked = await scene.browser.submit(f"{scene.root}/projects/new", {"name": "Kept"}, expect=403)
    fields = dict(
        re.findall(r'name="([^"]+)" value="([^"]*)"', asked.partition('action="/sign-in/renew"')[2])
    )

    response = await scene.browser.post("/sign-in/renew", fields)

    assert response.headers["Location"].startswith("/sign-in/finish?form=")
    assert "Kept" in await scene.browser.text(response.headers["Location"])


async def test_a_fresh_sign_in_of_the_person_is_made_by_script(scene: Scene) -> None:
    await scene.make.give_roles(scene.organization_id, scene.vic, "admin")
    await scene.play(scene.vic)
    played = scene.browser.session_cookie

    page = await scene.browser.follow(f"{scene.root}/settings/delete")

    assert page.status_code == 200
    assert scene.browser.session_cookie != played
    assert await scene.who() == scene.vic.id


async def test_after_a_fresh_sign_in_of_the_person_one_click_still_leads_back(scene: Scene) -> None:
    own = scene.browser.session_cookie
    await scene.play(scene.vic)
    await scene.browser.get("/sign-in/fresh?next=/account", 303)

    await scene.back()

    assert scene.browser.session_cookie == own


# Nested and repeated


async def test_choosing_another_person_replaces_the_first_and_keeps_the_visitor(scene: Scene) -> None:
    own = scene.browser.session_cookie
    await scene.play(scene.vic)
    first = scene.browser.session_cookie

    await scene.play(scene.ed)

    assert await scene.who() == scene.ed.id
    assert not await scene.is_live(first)
    await scene.back()
    assert scene.browser.session_cookie == own


async def test_choosing_oneself_as_a_person_leads_back(scene: Scene) -> None:
    own = scene.browser.session_cookie
    await scene.play(scene.vic)

    await scene.play(scene.ada, "/account")

    assert scene.browser.session_cookie == own
    assert scene.cookie(OWN_COOKIE) is None


async def test_choosing_oneself_changes_nothing(scene: Scene) -> None:
    own = scene.browser.session_cookie

    await scene.play(scene.ada)

    assert scene.browser.session_cookie == own
    assert scene.cookie(OWN_COOKIE) is None


async def test_choosing_the_same_person_again_changes_nothing(scene: Scene) -> None:
    await scene.play(scene.vic)
    played = scene.browser.session_cookie

    await scene.play(scene.vic)

    assert scene.browser.session_cookie == played


async def test_a_form_of_the_visitor_in_another_tab_does_not_act_as_the_person(scene: Scene) -> None:
    page = await scene.browser.text(f"{scene.root}/projects/new")
    (mark,) = set(re.findall(r'name="_owner" value="([^"]+)"', page))
    await scene.play(scene.ed)

    refused = await scene.browser.submit(
        f"{scene.root}/projects/new", {"name": "By Ada", "_owner": mark}, expect=409
    )

    assert "Another account was signed in" in refused
    waiting = re.findall(r'action="/lab/as/back">.*?name="next" value="(/sign-in/finish[^"]+)"', refused)
    assert "By Ada" in await scene.browser.text(await scene.back(waiting[0]))


async def test_a_form_of_the_person_does_not_act_as_the_visitor_after_the_return(scene: Scene) -> None:
    await scene.play(scene.ed)
    page = await scene.browser.text(f"{scene.root}/projects/new")
    (mark,) = set(re.findall(r'name="_owner" value="([^"]+)"', page))
    await scene.back()

    await scene.browser.post(f"{scene.root}/projects/new", {"name": "By Ed", "_owner": mark}, expect=409)


async def test_an_ordinary_sign_in_ends_the_play(scene: Scene) -> None:
    await scene.play(scene.vic)

    await scene.browser.sign_in(scene.ada)

    assert await scene.who() == scene.ada.id
    assert "persona-bar" not in await scene.browser.text("/account")


# Bad days


async def test_a_person_whose_session_ended_leads_back_with_a_message(scene: Scene) -> None:
    own = scene.browser.session_cookie
    await scene.play(scene.vic)
    await scene.runtime.sessions.end_all(scene.vic.id)

    response = await scene.browser.get(f"{scene.root}/projects", 303)

    assert response.headers["Location"] == "/"
    assert scene.browser.session_cookie == own
    assert "has ended. You are yourself again" in await scene.browser.text("/account")


async def test_a_person_who_is_deleted_while_played_leads_back_with_a_message(
    scene: Scene, management: ManagementClient
) -> None:
    await scene.play(scene.vic)
    await management._transport.call("DELETE", f"/users/{scene.vic.id}")

    page = await scene.browser.follow(f"{scene.root}/projects")

    assert page.status_code == 200
    assert await scene.who() == scene.ada.id


async def test_a_public_page_says_that_the_persons_session_ended(scene: Scene) -> None:
    await scene.play(scene.vic)
    await scene.runtime.sessions.end_all(scene.vic.id)

    page = await scene.browser.text("/")

    assert "whose pages you saw has ended" in page
    assert "Back to Ada" in page


async def test_a_visitor_whose_own_session_ended_meanwhile_is_told_to_sign_in(scene: Scene) -> None:
    await scene.play(scene.vic)
    played = scene.browser.session_cookie
    await scene.runtime.sessions.end_all(scene.ada.id)

    led_to = await scene.back()

    assert led_to == "/"
    assert "Your own session has ended. Sign in again." in await scene.browser.text("/")
    assert scene.cookie("workroom_session") is None
    assert scene.cookie(OWN_COOKIE) is None
    assert not await scene.is_live(played)


async def test_a_person_with_another_password_cannot_be_played(
    scene: Scene, management: ManagementClient
) -> None:
    own = scene.browser.session_cookie
    await management._transport.call(
        "PATCH", f"/users/{scene.vic.id}/password", body={"password": "Another-password-2"}
    )

    page = await scene.browser.submit(AS, {"username": scene.vic.username}, expect=409)

    assert "The password may have changed, or the account was deleted." in page
    assert scene.browser.session_cookie == own
    assert await scene.who() == scene.ada.id


async def test_a_failed_choice_keeps_the_person_that_is_played(
    scene: Scene, management: ManagementClient
) -> None:
    await scene.play(scene.vic)
    await management._transport.call("DELETE", f"/users/{scene.ed.id}")

    await scene.browser.post(AS, {"username": scene.ed.username}, expect=409)

    assert await scene.who() == scene.vic.id


async def test_a_username_that_is_no_demo_person_is_not_found(scene: Scene, make: Factory) -> None:
    stranger = await make.person("Stranger")

    await scene.browser.post(AS, {"username": stranger.username}, expect=404)

    assert await scene.who() == scene.ada.id


async def test_without_logto_the_visitor_stays_who_they_are(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = await scene.runtime.provider.core()
    monkeypatch.setattr(core.metadata, "authorization_endpoint", "http://localhost:9/oidc/auth")

    page = await scene.browser.submit(AS, {"username": scene.vic.username}, expect=503)

    assert "Logto did not respond" in page
    assert await scene.who() == scene.ada.id


# Who may not


async def test_a_visitor_who_is_not_signed_in_cannot_play_anybody(
    scene: Scene, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(at=scene.app)

    response = await browser.post(AS, {"username": scene.vic.username})

    assert response.headers["Location"].startswith("/sign-in")
    assert scene.cookie(OWN_COOKIE) is None


@pytest.mark.parametrize("path", [AS, BACK])
async def test_another_site_can_start_or_end_nothing(scene: Scene, path: str) -> None:
    if path == BACK:
        await scene.play(scene.vic)
    before = scene.browser.session_cookie

    response = await scene.browser.app.post(
        path, form={"username": scene.vic.username}, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert response.status_code == 403
    assert scene.browser.session_cookie == before


async def test_the_cookie_of_one_session_counts_for_no_other(scene: Scene, open_browser: OpenBrowser) -> None:
    await scene.play(scene.vic)
    other = await open_browser(scene.ed, at=scene.app)
    other.app.set_cookie("localhost", OWN_COOKIE, scene.cookie(OWN_COOKIE) or "")
    before = other.session_cookie

    await other.post(BACK)

    assert other.session_cookie == before
    assert "persona-bar" not in await other.text("/account")


@pytest.mark.parametrize("value", ["", "made-up", "gAAAAA=="])
async def test_a_cookie_that_was_made_up_counts_for_nothing(scene: Scene, value: str) -> None:
    scene.browser.app.set_cookie("localhost", OWN_COOKIE, value)

    assert "persona-bar" not in await scene.browser.text("/account")


async def test_a_sealed_text_of_another_kind_counts_for_nothing(scene: Scene) -> None:
    sealed = scene.runtime.vault.seal(json.dumps({"session": fingerprint("x").hex()})).decode()
    scene.browser.app.set_cookie("localhost", OWN_COOKIE, sealed)

    assert "persona-bar" not in await scene.browser.text("/account")


# Where there are no demo people


@pytest.mark.parametrize(("method", "path"), [("GET", AS), ("POST", AS), ("POST", BACK)])
@pytest.mark.parametrize("changed", [{"lab_people_file": None}, {"lab": False}])
async def test_without_demo_people_or_without_the_lab_every_route_is_not_found(
    scene: Scene,
    open_app: OpenApp,
    write_people: WritePeople,
    method: str,
    path: str,
    changed: dict[str, Any],
) -> None:
    app = await open_app(**{"lab_people_file": write_people(scene.vic), **changed})
    browser = scene.browser.at(app)

    response = await browser.app.open(
        path, method=method, form={"username": scene.vic.username}, headers=SAME_ORIGIN
    )

    assert response.status_code == 404


async def test_without_demo_people_no_page_offers_them_and_no_cookie_counts(
    scene: Scene, open_app: OpenApp
) -> None:
    await scene.play(scene.vic)

    browser = scene.browser.at(await open_app(lab_people_file=None))

    for path, status in ((f"{scene.root}/access", 200), (f"{scene.root}/audit", 403)):
        page = await browser.text(path, status)
        assert "persona-bar" not in page
        assert "/lab/as" not in page


@pytest.mark.parametrize("content", [None, "", "{}", '[{"identifier": 1}]', "\x00"])
async def test_a_file_that_is_missing_or_unreadable_has_no_people(
    scene: Scene, open_app: OpenApp, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "other.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")

    browser = scene.browser.at(await open_app(lab_people_file=file))

    assert "No demo people" in await browser.text(AS)
    assert "/lab/as" not in await browser.text("/account")


async def test_pages_offer_the_people_from_the_menu_my_access_and_a_denial(scene: Scene) -> None:
    await scene.play(scene.vic)

    for path, status, text in (
        ("/account", 200, "See this as…"),
        (f"{scene.root}/access", 200, "See this page as…"),
        (f"{scene.root}/audit", 403, "See this page as…"),
    ):
        page = await scene.browser.text(path, status)
        (link,) = re.findall(rf'href="(/lab/as[^"]*)"[^>]*>(?:<svg.*?</svg>)?{text}', page)
        assert 'value="' + path in await scene.browser.text(link)

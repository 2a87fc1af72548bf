"""Forms whose session has ended are kept through the sign-in, but only for the person who filled them in."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from html import unescape

import pytest
import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.identity.kept_forms import MAX_PER_PERSON
from saas_app.logto import ManagementClient
from saas_app.models import KeptFormRow, SessionRow, SessionToken
from saas_app.runtime import Runtime
from tests.clients import SAME_ORIGIN, URLENCODED, Browser, Person
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory

LONG_TEXT = "There was a robot in <b>a text</b> of Zoë's & others…\n" * 36  # over 1,800 characters


@dataclass(frozen=True, slots=True)
class Desk:
    """A person at a page with a form, and what they typed."""

    browser: Browser
    person: Person
    root: str
    typed: dict[str, str]

    async def send(self, expect: int = 303) -> str:
        """Send the form and return where it leads."""
        answer = await self.browser.post(f"{self.root}/new", self.typed, expect)
        return str(answer.headers.get("Location", ""))

    async def descriptions(self) -> str:
        page = await (await self.browser.follow(self.root)).get_data(as_text=True)
        project = re.search(rf'href="({self.root}/[0-9a-f-]{{36}})"', page)
        if project is None:
            return ""
        return unescape(await (await self.browser.get(project[1])).get_data(as_text=True))


@pytest.fixture
async def desk(open_office: OpenOffice) -> Desk:
    office = await open_office(editor="Ella")
    root = f"{office.root}/projects"
    await office.browser.follow(root)
    mark = await owner_of_form(office.browser, f"{root}/new")
    typed = {"name": "Long story", "description": LONG_TEXT, "_owner": mark}
    return Desk(office.browser, office.person, root, typed)


async def owner_of_form(browser: Browser, path: str) -> str:
    page = await (await browser.get(path)).get_data(as_text=True)
    form = page.partition("<main")[2]
    found = re.search(r'name="_owner" value="([^"]+)"', form)
    assert found is not None, page
    return found[1]


async def kept_of(runtime: Runtime, person: Person) -> list[KeptFormRow]:
    async with runtime.jobs.writing() as db:
        return list(await db.scalars(sa.select(KeptFormRow).where(KeptFormRow.owner == person.id)))


async def idle(runtime: Runtime, desk: Desk) -> None:
    (session_id,) = await runtime.sessions.list_session_ids(desk.person.id)
    await runtime.sessions.update(session_id, last_seen_at=utc_now() - timedelta(days=3))


async def too_old(runtime: Runtime, desk: Desk) -> None:
    (session_id,) = await runtime.sessions.list_session_ids(desk.person.id)
    await runtime.sessions.update(session_id, expires_at=utc_now() - timedelta(seconds=1))


async def ended_from_another_device(runtime: Runtime, desk: Desk) -> None:
    await runtime.sessions.end_all(desk.person.id)


async def signed_out_in_another_tab(runtime: Runtime, desk: Desk) -> None:
    await desk.browser.post("/sign-out")


async def ended_at_logto(runtime: Runtime, desk: Desk) -> None:
    assert runtime.sign_out._management is not None
    management: ManagementClient = runtime.sign_out._management
    for session in await management.list_user_sessions(desk.person.id):
        await management.end_user_session(desk.person.id, session.uid)
    async with runtime.jobs.writing() as db:  # no cached token may answer
        of_person = sa.select(SessionRow.id).where(SessionRow.subject == desk.person.id)
        await db.execute(sa.delete(SessionToken).where(SessionToken.session_id.in_(of_person)))


ENDINGS = [idle, too_old, ended_from_another_device, signed_out_in_another_tab, ended_at_logto]


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.__name__)
async def test_a_long_text_is_kept_however_the_session_ended(
    desk: Desk, runtime: Runtime, ending: Callable[[Runtime, Desk], Awaitable[None]]
) -> None:
    await ending(runtime, desk)

    way = await desk.send()
    assert way.startswith("/sign-in?next=%2Fsign-in%2Ffinish%3Fform%3D")
    waiting = await desk.browser.sign_in(desk.person, way)
    page = await (await desk.browser.get(waiting)).get_data(as_text=True)

    assert f'action="{desk.root}/new" data-send-now' in page
    again = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.partition("<main")[2]))
    assert unescape(again["description"]) == LONG_TEXT
    await desk.browser.post(f"{desk.root}/new", {name: unescape(value) for name, value in again.items()})
    assert LONG_TEXT.strip()[:200] in (await desk.descriptions()).replace("\r\n", "\n")


async def test_a_kept_form_is_submitted_automatically_once(desk: Desk, runtime: Runtime) -> None:
    await idle(runtime, desk)
    waiting = await desk.browser.sign_in(desk.person, await desk.send())
    assert "data-send-now" in await (await desk.browser.get(waiting)).get_data(as_text=True)

    page = await (await desk.browser.get(waiting)).get_data(as_text=True)

    assert "data-send-now" not in page
    assert "It may already have been submitted" in page
    assert "Long story" in page


async def test_a_kept_form_is_not_shown_to_another_person_who_signs_in(
    desk: Desk, runtime: Runtime, make: Factory
) -> None:
    await idle(runtime, desk)
    way = await desk.send()
    await desk.browser.forget_logto()

    waiting = await desk.browser.sign_in(await make.person("Bob"), way)

    assert (await desk.browser.get(waiting, 303)).headers["Location"] == "/"
    page = await desk.browser.text("/o")
    assert "No saved form was found for your account." in page
    assert "Long story" not in page


async def test_a_kept_form_is_still_there_for_its_owner_after_another_person_signed_in(
    desk: Desk, runtime: Runtime, make: Factory
) -> None:
    await idle(runtime, desk)
    way = await desk.send()
    await desk.browser.forget_logto()
    waiting = await desk.browser.sign_in(await make.person("Bob"), way)
    await desk.browser.get(waiting, 303)
    await desk.browser.post("/sign-out")
    await desk.browser.forget_logto()

    assert await desk.browser.sign_in(desk.person, way) == waiting

    assert "Long story" in await desk.browser.text(waiting)


async def test_a_kept_form_is_not_shown_in_another_browser_of_its_owner(
    desk: Desk, runtime: Runtime, open_browser: OpenBrowser
) -> None:
    await idle(runtime, desk)
    waiting = await desk.browser.sign_in(desk.person, await desk.send())
    other = await open_browser(desk.person)
    assert (await other.get(waiting, 303)).headers["Location"] == "/"


@pytest.fixture
async def sent_as_bob(desk: Desk, make: Factory) -> str:
    """The response to Ella's form, which was sent after Bob signed in to the same browser."""
    bob = await make.member(desk.root.split("/")[2], "Bob")
    await desk.browser.post("/sign-out")
    await desk.browser.forget_logto()
    await desk.browser.sign_in(bob)
    return await desk.browser.submit("/o/new", {"name": "Hers", "_owner": desk.typed["_owner"]}, 409)


async def test_a_form_that_is_sent_in_another_persons_session_is_kept_and_not_carried_out(
    desk: Desk, sent_as_bob: str, runtime: Runtime
) -> None:
    assert "This page was opened by another account" in sent_as_bob
    assert "Hers" not in sent_as_bob
    (kept,) = await kept_of(runtime, desk.person)
    assert kept.shown_at is None


async def test_a_form_that_was_sent_in_another_persons_session_is_shown_to_its_owner(
    desk: Desk, sent_as_bob: str
) -> None:
    (link,) = re.findall(r'href="(/sign-in\?prompt=login[^"]+)"', sent_as_bob)
    await desk.browser.forget_logto()

    waiting = await desk.browser.sign_in(desk.person, link)

    assert "Hers" in await desk.browser.text(waiting)


async def test_a_failed_sign_in_still_leads_to_the_form(desk: Desk, runtime: Runtime) -> None:
    await idle(runtime, desk)
    started = await desk.browser.get(await desk.send(), 303)
    state = re.search(r"[?&]state=([^&]+)", started.headers["Location"])
    assert state is not None
    issuer = runtime.settings.logto_endpoint + "/oidc"
    refused = await desk.browser.get(f"/callback?error=access_denied&state={state[1]}&iss={issuer}", 400)

    link = re.search(r'href="(/sign-in\?next=[^"]+)"', await refused.get_data(as_text=True))

    assert link is not None
    waiting = await desk.browser.sign_in(desk.person, unescape(link[1]))
    assert "Long story" in await (await desk.browser.get(waiting)).get_data(as_text=True)


async def test_a_renewal_whose_session_ended_keeps_its_form(desk: Desk, runtime: Runtime) -> None:
    await idle(runtime, desk)
    form = {**desk.typed, "_action": f"{desk.root}/new", "_for": "x projects:write"}
    way = (await desk.browser.post("/sign-in/renew", form)).headers["Location"]
    waiting = await desk.browser.sign_in(desk.person, way)
    page = await (await desk.browser.get(waiting)).get_data(as_text=True)
    assert f'action="{desk.root}/new"' in page
    assert "Long story" in page
    assert 'name="_for"' not in page


@pytest.mark.parametrize("mark", ["", "forged", "gAAAAABforged", "ü"])
async def test_a_form_without_a_valid_mark_is_not_kept(desk: Desk, runtime: Runtime, mark: str) -> None:
    await idle(runtime, desk)
    answer = await desk.browser.post(f"{desk.root}/new", {**desk.typed, "_owner": mark})
    assert "finish" not in answer.headers["Location"]
    assert await kept_of(runtime, desk.person) == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_form_from_another_site_is_rejected_and_not_kept(
    desk: Desk, runtime: Runtime, site: str
) -> None:
    await idle(runtime, desk)
    answer = await desk.browser.app.post(
        f"{desk.root}/new", form=desk.typed, headers={"Sec-Fetch-Site": site}
    )
    assert answer.status_code == 403
    assert await kept_of(runtime, desk.person) == []


async def test_kept_forms_are_encrypted_limited_and_expire(desk: Desk, runtime: Runtime) -> None:
    await idle(runtime, desk)
    for _ in range(MAX_PER_PERSON + 2):
        await desk.send()
    rows = await kept_of(runtime, desk.person)
    assert len(rows) == MAX_PER_PERSON
    for row in rows:
        assert b"Long story" not in row.payload
        assert row.payload.startswith(b"gAAAA")
        assert row.expires_at <= utc_now() + timedelta(hours=1)


async def test_an_expired_form_is_not_shown(desk: Desk, runtime: Runtime) -> None:
    await idle(runtime, desk)
    waiting = await desk.browser.sign_in(desk.person, await desk.send())
    async with runtime.jobs.writing() as db:
        await db.execute(sa.update(KeptFormRow).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert (await desk.browser.get(waiting, 303)).headers["Location"] == "/"


async def test_a_body_that_is_too_large_is_not_kept(desk: Desk, runtime: Runtime) -> None:
    await idle(runtime, desk)
    answer = await desk.browser.app.post(
        f"{desk.root}/new",
        data=f"_owner={desk.typed['_owner']}&description=".encode() + b"a" * 1_100_000,
        headers={**SAME_ORIGIN, **URLENCODED},
    )
    assert answer.status_code in (303, 413)
    assert await kept_of(runtime, desk.person) == []


async def test_files_are_not_kept_and_the_page_says_so(desk: Desk, runtime: Runtime) -> None:
    await idle(runtime, desk)
    boundary = "----boundary"
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
             for name, value in (("name", "With a file"), ("_owner", desk.typed["_owner"]))]  # fmt: skip
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="plan"; filename="p.txt"\r\n\r\nhush\r\n'
        f"--{boundary}--\r\n"
    )
    answer = await desk.browser.app.post(
        f"{desk.root}/new",
        data="".join(parts).encode(),
        headers={**SAME_ORIGIN, "Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    waiting = await desk.browser.sign_in(desk.person, answer.headers["Location"])
    page = await (await desk.browser.get(waiting)).get_data(as_text=True)
    assert "With a file" in page
    assert "hush" not in page
    assert "Files are not stored." in page
    assert "data-send-now" not in page


async def test_a_program_is_answered_401_and_its_form_is_not_kept(desk: Desk, runtime: Runtime) -> None:
    await idle(runtime, desk)
    answer = await desk.browser.app.post(
        f"{desk.root}/new", form=desk.typed, headers={**SAME_ORIGIN, "Accept": "application/json"}
    )
    assert answer.status_code == 401
    assert await kept_of(runtime, desk.person) == []

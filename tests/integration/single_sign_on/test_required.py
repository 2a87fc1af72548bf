"""Organizations that require single sign-on: who is refused, what they learn, and how they come in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from quart import Quart
from quart.wrappers import Response

from saas_app.identity.session_access import SessionAccess
from saas_app.models import AuditEvent, Outcome
from saas_app.rbac.permissions import Carrier
from saas_app.runtime import Runtime
from tests.clients import SAME_ORIGIN, Browser
from tests.conftest import OpenApp, OpenBrowser, OpenOffice
from tests.factories import Factory
from tests.integration.bearer import ApiClient, MachineClient, PersonClient
from tests.integration.records import events_of
from tests.integration.single_sign_on.required import (
    PROVIDER,
    Strict,
    come_through,
    new_strict_office,
    require_single_sign_on,
)
from tests.tokens import token_of

TITLE = "This organization requires single sign-on"


@pytest.fixture
async def strict(open_office: OpenOffice, runtime: Runtime) -> Strict:
    return await new_strict_office(open_office, runtime)


@pytest.fixture
async def stranger(make: Factory, open_browser: OpenBrowser) -> Browser:
    """A person who belongs to another organization only."""
    gail = await make.person("Gail")
    await make.organization("Globex", admin=gail)
    return await open_browser(gail)


async def session_of(runtime: Runtime, browser: Browser, organization_id: str) -> SessionAccess:
    access = await runtime.sessions.find_access(browser.session_cookie, organization_id)
    assert access is not None
    return access


async def denials_in(runtime: Runtime, organization_id: str) -> list[AuditEvent]:
    return [event for event in await events_of(runtime, organization_id) if event.outcome == Outcome.DENIED]


@dataclass(frozen=True)
class Ella:
    """Gets tokens for the editor, from before the requirement."""

    strict: Strict
    app: Quart
    runtime: Runtime

    async def client(self, carrier: Carrier = Carrier.API_TOKEN) -> ApiClient:
        strict = self.strict
        await require_single_sign_on(self.runtime, strict.id, required_at=None)
        token = await token_of(self.runtime, strict.ella, strict.id, carrier)
        await require_single_sign_on(self.runtime, strict.id, strict.admin.id)
        return ApiClient(self.app, strict.id, token)


@pytest.fixture
def ella(strict: Strict, app: Quart, runtime: Runtime) -> Ella:
    return Ella(strict, app, runtime)


async def body_of(response: Response) -> dict[str, Any]:
    """Return the JSON of a response without the id of the request, which always differs."""
    body: dict[str, Any] = await response.get_json(force=True)
    body.pop("request_id", None)
    return body


async def test_a_member_who_signed_in_with_a_password_is_refused_and_told_where_to_sign_in(
    strict: Strict,
) -> None:
    page = await strict.ella.text(strict.projects, 403)

    assert TITLE in page
    assert PROVIDER in page
    next_path = quote(strict.projects, safe="")
    assert f'href="/sign-in/single-sign-on?organization={strict.id}&next={next_path}"' in page


async def test_a_member_who_came_through_the_provider_is_let_in(strict: Strict, runtime: Runtime) -> None:
    await come_through(runtime, strict.ella, strict.connector_id)
    await strict.ella.get(strict.projects)


async def test_the_provider_of_another_organization_does_not_count(strict: Strict, runtime: Runtime) -> None:
    await come_through(runtime, strict.ella, "another")
    await strict.ella.get(strict.projects, 403)


async def test_the_recovery_admin_is_let_in_with_a_password(strict: Strict) -> None:
    await strict.browsers["admin"].get(strict.projects)


async def test_a_connection_that_is_on_but_not_required_refuses_nobody(
    strict: Strict, runtime: Runtime
) -> None:
    await require_single_sign_on(runtime, strict.id, required_at=None)
    await strict.ella.get(strict.projects)


async def test_other_organizations_of_the_member_stay_open(strict: Strict, make: Factory) -> None:
    other = await make.organization("Globex", editor=strict.people["editor"])
    await strict.ella.follow("/sign-in/renew")

    await strict.ella.get(strict.projects, 403)
    await strict.ella.get(f"/o/{other}/projects")


async def test_a_session_that_is_refused_with_tokens_in_its_hands_gets_no_more_of_them(
    strict: Strict, runtime: Runtime
) -> None:
    """The member is known by a token from before the requirement, so Logto is not asked again."""
    await require_single_sign_on(runtime, strict.id, required_at=None)
    await strict.ella.get(f"{strict.root}/members")  # by the organization token
    await require_single_sign_on(runtime, strict.id)
    before = (await session_of(runtime, strict.ella, strict.id)).tokens

    await strict.ella.get(strict.projects, 403)  # by the API token

    assert (await session_of(runtime, strict.ella, strict.id)).tokens == before


async def test_a_member_without_a_token_is_refused_too(strict: Strict, runtime: Runtime) -> None:
    assert not (await session_of(runtime, strict.ella, strict.id)).tokens
    await strict.ella.get(f"{strict.root}/members", 403)


async def test_a_stranger_cannot_tell_that_an_organization_requires_single_sign_on(
    strict: Strict, stranger: Browser, make: Factory
) -> None:
    open_to_all = await make.organization("Open", admin=await make.person("Olga"))

    unknown = await stranger.get("/api/v1/organizations/doesnotexist/members", 404)
    open_one = await stranger.get(f"/api/v1/organizations/{open_to_all}/members", 404)
    strict_one = await stranger.get(f"{strict.api}/members", 404)

    assert await body_of(strict_one) == await body_of(open_one) == await body_of(unknown)
    assert set(strict_one.headers.keys()) == set(unknown.headers.keys())
    assert PROVIDER not in await stranger.text(strict.projects, 404)


async def test_a_former_member_learns_no_more_than_that_they_left(strict: Strict, make: Factory) -> None:
    await strict.ella.get(strict.projects, 403)
    await strict.management.remove_member(strict.id, strict.people["editor"].id)
    await strict.ella.follow("/sign-in/renew")

    assert PROVIDER not in await strict.ella.text(strict.projects, 404)


async def test_the_api_answers_a_problem_that_names_the_provider(strict: Strict) -> None:
    problem = await body_of(await strict.ella.get(f"{strict.api}/projects", 403))
    assert (problem["code"], problem["title"]) == ("sso-required", TITLE)
    assert PROVIDER in problem["detail"]
    assert "you signed in another way" in problem["detail"]


async def test_a_refusal_is_recorded_with_its_reason(strict: Strict, runtime: Runtime) -> None:
    await strict.ella.get(strict.projects, 403)

    (denied,) = await denials_in(runtime, strict.id)
    assert (denied.actor_id, denied.action) == (strict.people["editor"].id, "access.deny")
    assert denied.decision is not None
    steps = [(step["step"], step["passed"]) for step in denied.decision["steps"]]
    assert steps == [("authenticated", True), ("member", True), ("sign-in", False)]
    shown = await strict.browsers["admin"].text(f"{strict.root}/audit/{denied.id}")
    assert "Signed in as the organization requires?" in shown


async def test_nothing_is_recorded_for_a_stranger(
    strict: Strict, stranger: Browser, runtime: Runtime
) -> None:
    await stranger.get(strict.projects, 404)
    assert await denials_in(runtime, strict.id) == []


@pytest.mark.parametrize("carrier", Carrier)
async def test_a_bearer_token_of_a_person_is_refused_and_told_what_to_do(
    ella: Ella, carrier: Carrier
) -> None:
    problem = await (await ella.client(carrier)).json("GET", "/projects", 403)

    assert problem["code"] == "sso-required"
    assert "Use Workroom in a browser, or give your program an API client" in problem["detail"]


async def test_a_bearer_token_of_somebody_who_came_through_the_provider_is_refused_too(
    strict: Strict, app: Quart, runtime: Runtime
) -> None:
    await come_through(runtime, strict.ella, strict.connector_id)
    token = await token_of(runtime, strict.ella, strict.id, Carrier.API_TOKEN)

    await ApiClient(app, strict.id, token).call("GET", "/projects", 403)


async def test_a_refusal_of_a_token_is_recorded(strict: Strict, ella: Ella, runtime: Runtime) -> None:
    await (await ella.client()).call("GET", "/projects", 403)
    assert [event.actor_id for event in await denials_in(runtime, strict.id)] == [strict.people["editor"].id]


async def test_a_token_of_the_recovery_admin_is_accepted(strict: Strict, as_person: PersonClient) -> None:
    await (await as_person(strict.admin, strict.id)).call("GET", "/projects")


async def test_a_machine_is_accepted(strict: Strict, make: Factory, as_machine: MachineClient) -> None:
    client = await as_machine(await make.machine(strict.id), strict.id)
    await client.call("GET", "/projects")


async def test_a_token_at_another_organization_does_not_tell_what_that_requires(
    strict: Strict, as_person: PersonClient, make: Factory
) -> None:
    gail = await make.person("Gail")
    client = await as_person(gail, await make.organization("Globex", editor=gail))
    await client.at(strict.id).call("GET", "/projects", 404)


async def test_the_token_of_a_person_still_says_who_they_are(strict: Strict, ella: Ella, app: Quart) -> None:
    """Without a word about the organization but its ID, which the token contains."""
    client = await ella.client()
    answer = await app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {client.token}"})
    assert strict.name not in await answer.get_data(as_text=True)


def sent_to_logto(response: Response) -> dict[str, list[str]]:
    return parse_qs(urlsplit(response.headers["Location"]).query)


def way_in(organization_id: str, path: str = "/o") -> str:
    return f"/sign-in/single-sign-on?organization={organization_id}&next={quote(path, safe='')}"


async def test_the_button_leads_to_the_provider(strict: Strict) -> None:
    sent = sent_to_logto(await strict.ella.get(way_in(strict.id), 303))
    assert sent["direct_sign_in"] == [f"sso:{strict.connector_id}"]
    assert sent["prompt"] == ["login consent"]


async def test_the_connector_comes_from_the_organization_and_never_from_the_request(strict: Strict) -> None:
    asked = f"{way_in(strict.id)}&connector=evil&direct_sign_in=sso:evil"
    sent = sent_to_logto(await strict.ella.get(asked, 303))
    assert sent["direct_sign_in"] == [f"sso:{strict.connector_id}"]


@pytest.mark.parametrize("organization", ["strict", "unknown", "none"])
async def test_a_stranger_is_sent_nowhere(strict: Strict, stranger: Browser, organization: str) -> None:
    organization_id = {"strict": strict.id, "unknown": "doesnotexist", "none": ""}[organization]
    answer = await stranger.get(way_in(organization_id), 400 if organization == "none" else 404)
    assert "Location" not in answer.headers


async def test_somebody_who_is_not_signed_in_signs_in_first(
    strict: Strict, open_browser: OpenBrowser
) -> None:
    answer = await (await open_browser()).get(way_in(strict.id), 303)
    assert answer.headers["Location"].startswith("/sign-in?next=")


async def test_a_member_who_meets_the_requirement_is_led_to_the_page_at_once(
    strict: Strict, runtime: Runtime
) -> None:
    await come_through(runtime, strict.ella, strict.connector_id)
    answer = await strict.ella.get(way_in(strict.id, strict.projects), 303)
    assert answer.headers["Location"] == strict.projects


async def test_a_prefetch_sends_nobody_anywhere(strict: Strict) -> None:
    await strict.ella.get(way_in(strict.id), 204, headers={"Sec-Purpose": "prefetch"})


async def test_the_way_back_stays_on_this_site(strict: Strict, runtime: Runtime) -> None:
    await come_through(runtime, strict.ella, strict.connector_id)
    answer = await strict.ella.get(way_in(strict.id, "https://evil.example/"), 303)
    assert answer.headers["Location"] == "/"


async def test_a_member_who_signed_in_otherwise_comes_back_and_is_told_so(strict: Strict) -> None:
    """Logto ignores a connector that does not work, and shows its own page. That is no loop."""
    started = await strict.ella.get(way_in(strict.id, strict.projects), 303)

    back = await strict.ella.come_back(started.headers["Location"], strict.people["editor"])

    assert back == strict.projects
    assert "You signed in again, but not with" in await strict.ella.text(strict.projects, 403)


async def test_a_form_that_is_refused_comes_back_after_the_sign_in(strict: Strict, runtime: Runtime) -> None:
    await require_single_sign_on(runtime, strict.id, required_at=None)
    page = await strict.ella.text(f"{strict.projects}/new")
    owner = re.search(r'name="_owner" value="([^"]+)"', page.partition("<main")[2])
    assert owner is not None
    await require_single_sign_on(runtime, strict.id)

    typed = {"name": "Long story", "_owner": owner[1]}
    refused = await strict.ella.submit(f"{strict.projects}/new", typed, 403)

    href = re.search(r'href="(/sign-in/single-sign-on[^"]+)"', refused)
    assert href is not None
    started = await strict.ella.get(href[1], 303)
    back = await strict.ella.come_back(started.headers["Location"], strict.people["editor"])
    assert back.startswith("/sign-in/finish?form=")
    assert "Long story" in await strict.ella.text(back)


async def test_the_page_needs_no_script(strict: Strict) -> None:
    main = (await strict.ella.text(strict.projects, 403)).partition("<main")[2].partition("</main")[0]
    assert "<script" not in main
    assert "onclick" not in main


@pytest.mark.parametrize(("knows_the_member", "status"), [(True, 403), (False, 503)])
async def test_while_logto_is_down_only_a_known_member_learns_the_reason(
    strict: Strict, open_app: OpenApp, knows_the_member: bool, status: int
) -> None:
    if knows_the_member:
        await strict.ella.get(strict.projects, 403)
    slow = await open_app(logto_timeout=0.0001)
    page = await strict.ella.at(slow).text(strict.projects, status)
    assert (PROVIDER in page) is knows_the_member


async def test_a_prefetch_is_refused_like_the_page(strict: Strict) -> None:
    await strict.ella.get(strict.projects, 403, headers={"Sec-Purpose": "prefetch"})


async def test_a_refused_member_can_still_leave_for_other_pages(strict: Strict) -> None:
    for path in ("/o", "/account", "/account/settings", "/notifications"):
        assert PROVIDER not in await strict.ella.text(path)


async def test_the_header_of_other_pages_shows_nothing_of_an_organization_that_is_closed(
    strict: Strict, runtime: Runtime
) -> None:
    """The session has a fresh token for the organization it worked in last."""
    await require_single_sign_on(runtime, strict.id, required_at=None)
    await strict.ella.get(strict.projects)
    page = "/api/docs"
    assert strict.name in await strict.ella.text(page)

    await require_single_sign_on(runtime, strict.id)

    assert strict.name not in await strict.ella.text(page)


async def test_the_front_page_leads_to_the_refusal_and_not_in_circles(
    strict: Strict, runtime: Runtime
) -> None:
    await require_single_sign_on(runtime, strict.id, required_at=None)
    await strict.ella.get(strict.projects)
    await require_single_sign_on(runtime, strict.id)

    answer = await strict.ella.follow("/")

    assert answer.status_code == 403


async def test_a_change_is_refused_and_nothing_is_changed(strict: Strict, runtime: Runtime) -> None:
    answer = await strict.ella.app.post(
        f"{strict.api}/projects", json={"name": "Secret"}, headers=SAME_ORIGIN
    )
    assert answer.status_code == 403
    listed = await strict.browsers["admin"].text(strict.projects)
    assert "Secret" not in listed

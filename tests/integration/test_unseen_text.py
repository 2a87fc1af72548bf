"""Invisible names and look-alike addresses, on pages, in the API and from Logto."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable

import pytest
from quart.wrappers import Response

from tests.clients import SAME_ORIGIN, Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import PASSWORD, Factory

BLANKS = ["\u200b", "\u3164\u115f", "\u2800", "\u202e\u2066", "\u0301", "\ufe0f"]
ZALGO = "Z" + "\u0300\u0301\u0302\u0303\u0304\u0305" + "x"


@pytest.fixture
async def ada(make: Factory) -> Person:
    return await make.person("Ada")


@pytest.fixture
async def acme(make: Factory, ada: Person) -> str:
    return await make.organization("Acme", admin=ada)


Send = Callable[..., Awaitable[Response]]


@pytest.fixture
async def browser(open_browser: OpenBrowser, ada: Person, acme: str) -> Browser:
    browser = await open_browser(ada)
    await browser.get(f"/o/{acme}/")
    return browser


async def _send(browser: Browser, path: str, body: object) -> Response:
    headers = {"Content-Type": "application/json", **SAME_ORIGIN}
    response = await browser.app.post(path, data=json.dumps(body).encode(), headers=headers)
    assert isinstance(response, Response)
    return response


@pytest.mark.parametrize("name", [*BLANKS, ZALGO], ids=ascii)
async def test_an_invisible_name_is_rejected(browser: Browser, acme: str, name: str) -> None:
    api = f"/api/v1/organizations/{acme}"
    assert (await _send(browser, f"{api}/projects", {"name": name})).status_code == 422
    assert (await _send(browser, f"{api}/api-clients", {"name": name, "roles": []})).status_code == 422
    for path, fields in (
        ("/o/new", {"name": name}),
        (f"/o/{acme}/projects/new", {"name": name}),
        (f"/o/{acme}/api-clients/new", {"name": name}),
    ):
        await browser.post(path, fields, expect=422)


async def test_invisible_characters_are_removed_from_a_name(browser: Browser, acme: str) -> None:
    path = f"/api/v1/organizations/{acme}/projects"
    made = await (await _send(browser, path, {"name": "Apo\u200bllo\u202e \u200f11"})).get_json()
    assert made["name"] == "Apollo 11"
    shown = await browser.app.get(f"{path}?search=A%E2%80%8Bpollo")
    assert [item["name"] for item in (await shown.get_json())["items"]] == ["Apollo 11"]


async def test_a_name_from_right_to_left_is_isolated(browser: Browser, acme: str) -> None:
    await _send(browser, f"/api/v1/organizations/{acme}/projects", {"name": "פרויקט (1)"})
    page = await (await browser.get(f"/o/{acme}/projects")).get_data(as_text=True)
    assert "<bdi>פרויקט (1)</bdi>" in page


async def test_an_organization_with_an_invisible_name_is_shown_by_its_id(
    make: Factory, open_browser: OpenBrowser
) -> None:
    username = f"vera_{secrets.token_hex(5)}"
    user = await make.management.create_user(
        username=username, email=f"{username}@example.test", name="Vera\u200b\u202e", password=PASSWORD
    )
    person = Person(user.id, username, PASSWORD)
    created = await make.management.create_organization("\u3164\u200b")
    await make.management.add_members(created.id, [person.id])
    browser = await open_browser(person)
    page = await (await browser.get("/o")).get_data(as_text=True)
    assert f">{created.id}</a>" in page
    assert "\u3164" not in page
    assert "Vera" in page
    assert "\u202e" not in page


async def test_an_organization_is_deleted_by_typing_the_name_that_is_shown(
    make: Factory, open_browser: OpenBrowser
) -> None:
    person = await make.person()
    mark = secrets.token_hex(3)
    created = await make.management.create_organization(f"Zu\u0308rich\u00a0\u200b Labs\u2060 {mark}")
    await make.management.add_members(created.id, [person.id])
    await make.management.assign_roles(created.id, person.id, ["admin"])
    browser = await open_browser(person)
    await browser.sign_in(person, "/sign-in/fresh?next=/o")
    await browser.post(f"/o/{created.id}/settings/delete", {"name": f"Zurich Labs {mark}"}, expect=422)
    await browser.post(f"/o/{created.id}/settings/delete", {"name": f"Zürich Labs {mark}"})


@pytest.mark.parametrize(
    ("account", "invited"),
    [
        ("xn--mller-kva.example", "MÜLLER.example"),
        ("müller.example", "xn--mller-kva.example"),
        ("müller.example", "mu\u0308ller.example"),
    ],
)
async def test_an_international_address_is_invited_and_accepts_in_any_spelling(
    make: Factory, open_browser: OpenBrowser, browser: Browser, acme: str, account: str, invited: str
) -> None:
    username = f"jo_{secrets.token_hex(5)}"
    user = await make.management.create_user(
        username=username, email=f"{username}@{account}", name="Jo", password=PASSWORD
    )
    made = await _send(
        browser,
        f"/api/v1/organizations/{acme}/invitations",
        {"email": f"{username}@{invited}", "roles": ["viewer"]},
    )
    assert made.status_code == 201
    (invitation,) = await make.management.list_invitations(acme)
    jo = await open_browser(Person(user.id, username, PASSWORD))
    await jo.post(f"/invitations/{invitation.id}/accept")
    (accepted,) = await make.management.list_invitations(acme)
    assert accepted.accepted_user_id == user.id


async def test_an_invitation_for_another_spelling_says_why_it_cannot_be_accepted(
    make: Factory, open_browser: OpenBrowser, browser: Browser, acme: str
) -> None:
    username = f"jo_{secrets.token_hex(5)}"
    email = f"{username}@müller.example"
    await _send(browser, f"/api/v1/organizations/{acme}/invitations", {"email": email, "roles": ["viewer"]})
    (invitation,) = await make.management.list_invitations(acme)
    user = await make.management.create_user(
        username=username, email=f"{username}@xn--mller-kva.example", name="Jo", password=PASSWORD
    )
    jo = await open_browser(Person(user.id, username, PASSWORD))
    await jo.get(f"/invitations/{invitation.id}")
    refused = await jo.post(f"/invitations/{invitation.id}/accept", expect=409)
    assert "as it is spelled in your account" in await refused.get_data(as_text=True)


@pytest.mark.parametrize(
    "email", ["jо@example.test", "j\u200bo@example.test", "jo@exаmple.com", "ｊo@x.test"]
)
async def test_a_look_alike_address_is_rejected(browser: Browser, acme: str, email: str) -> None:
    path = f"/api/v1/organizations/{acme}/invitations"
    assert (await _send(browser, path, {"email": email, "roles": ["viewer"]})).status_code == 422

"""Invisible names and look-alike addresses, on pages, in the API and from Logto."""

from __future__ import annotations

import secrets

import pytest
from quart.wrappers import Response

from tests.clients import SAME_ORIGIN, Person
from tests.conftest import OpenBrowser
from tests.factories import PASSWORD, Factory
from tests.offices import Office

BLANKS = ["\u200b", "\u3164\u115f", "\u2800", "\u202e\u2066", "\u0301", "\ufe0f"]
ZALGO = "Z" + "\u0300\u0301\u0302\u0303\u0304\u0305" + "x"


def api_of(office: Office) -> str:
    """Return the path of an organization in the API."""
    return f"/api/v1/organizations/{office.id}"


@pytest.fixture
def api(acme: Office) -> str:
    """The path of Acme in the API."""
    return api_of(acme)


async def _send(acme: Office, path: str, body: object) -> Response:
    response = await acme.browser.app.post(path, json=body, headers=SAME_ORIGIN)
    assert isinstance(response, Response)
    return response


@pytest.mark.parametrize("name", [*BLANKS, ZALGO], ids=ascii)
async def test_an_invisible_name_is_rejected(shared_acme: Office, name: str) -> None:
    assert (await _send(shared_acme, f"{api_of(shared_acme)}/projects", {"name": name})).status_code == 422
    assert (
        await _send(shared_acme, f"{api_of(shared_acme)}/api-clients", {"name": name, "roles": []})
    ).status_code == 422
    for path in ("/o/new", f"{shared_acme.root}/projects/new", f"{shared_acme.root}/api-clients/new"):
        await shared_acme.browser.post(path, {"name": name}, expect=422)


async def test_invisible_characters_are_removed_from_names_and_searches(acme: Office, api: str) -> None:
    made = await _send(acme, f"{api}/projects", {"name": "Apo\u200bllo\u202e \u200f11"})
    assert (await made.get_json())["name"] == "Apollo 11"
    shown = await acme.browser.app.get(f"{api}/projects?search=A%E2%80%8Bpollo")
    assert [item["name"] for item in (await shown.get_json())["items"]] == ["Apollo 11"]


async def test_a_name_from_right_to_left_is_isolated(acme: Office, api: str) -> None:
    await _send(acme, f"{api}/projects", {"name": "פרויקט (1)"})
    assert "<bdi>פרויקט (1)</bdi>" in await acme.browser.text(f"{acme.root}/projects")


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
    person, mark = await make.person(), secrets.token_hex(3)
    created = await make.management.create_organization(f"Zu\u0308rich\u00a0\u200b Labs\u2060 {mark}")
    await make.join(created.id, person, "admin")
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
    acme: Office, api: str, make: Factory, open_browser: OpenBrowser, account: str, invited: str
) -> None:
    jo = await make.person("Jo", domain=account)
    body = {"email": f"{jo.username}@{invited}", "roles": ["viewer"]}
    assert (await _send(acme, f"{api}/invitations", body)).status_code == 201
    (invitation,) = await make.management.list_invitations(acme.id)

    await (await open_browser(jo)).post(f"/invitations/{invitation.id}/accept")

    (accepted,) = await make.management.list_invitations(acme.id)
    assert accepted.accepted_user_id == jo.id


async def test_an_invitation_for_another_spelling_says_why_it_cannot_be_accepted(
    acme: Office, api: str, make: Factory, open_browser: OpenBrowser
) -> None:
    username = f"jo_{secrets.token_hex(5)}"
    body = {"email": f"{username}@müller.example", "roles": ["viewer"]}
    await _send(acme, f"{api}/invitations", body)
    (invitation,) = await make.management.list_invitations(acme.id)
    user = await make.management.create_user(  # after the invitation, which would have taken their spelling
        username=username, email=f"{username}@xn--mller-kva.example", name="Jo", password=PASSWORD
    )
    jo = await open_browser(Person(user.id, username, PASSWORD))
    await jo.get(f"/invitations/{invitation.id}")

    refused = await jo.submit(f"/invitations/{invitation.id}/accept", expect=409)

    assert "as it is spelled in your account" in refused


@pytest.mark.parametrize(
    "email", ["jо@example.test", "j\u200bo@example.test", "jo@exаmple.com", "ｊo@x.test"]
)
async def test_a_look_alike_address_is_rejected(shared_acme: Office, email: str) -> None:
    body = {"email": email, "roles": ["viewer"]}
    assert (await _send(shared_acme, f"{api_of(shared_acme)}/invitations", body)).status_code == 422

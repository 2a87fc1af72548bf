"""The list of members: people and API clients, search, role filter and pages."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import Counter

import pytest

from saas_app.logto.responses import Answer
from saas_app.logto.transport import ManagementTransport
from saas_app.members import service, values
from saas_app.rbac.permissions import Role
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.members.conftest import Acme


def names_in(page: str) -> list[str]:
    """Return the names in the rows; the header names the organization, which is none of them."""
    return re.findall(r'<th [^>]*class="who">.*?<span class="name">([^<]+)</span>', page)


async def add_members(make: Factory, organization_id: str, count: int) -> list[str]:
    """Add members without a password, several at a time, and return their ids."""

    async def add(number: int) -> str:
        name = f"Member {number:02}"
        username = f"m{number:02}_{secrets.token_hex(4)}"
        user = await make.management._body(
            "POST", "/users", {"username": username, "name": name, "primaryEmail": f"{username}@example.test"}
        )
        return str(user["id"])

    user_ids = list(await asyncio.gather(*(add(number) for number in range(count))))
    await make.management.add_members(organization_id, user_ids)
    return user_ids


async def test_the_list_shows_address_roles_and_status_and_marks_the_reader(
    acme: Acme, make: Factory
) -> None:
    bob = await make.member(acme.id, "Bob", Role.EDITOR, Role.VIEWER)
    await make.management._body("PATCH", f"/users/{bob.id}/is-suspended", {"isSuspended": True})

    page = await acme.browser.text(acme.members)

    rows = {row.split('class="name">')[1].split("<")[0]: row for row in page.split("<tr")[2:]}
    assert rows.keys() == {"Ada", "Bob"}
    assert f"{bob.username}@example.test" in rows["Bob"]
    assert ">editor<" in rows["Bob"]
    assert ">viewer<" in rows["Bob"]
    assert "Suspended" in rows["Bob"]
    assert ">You<" not in rows["Bob"]
    assert ">You<" in rows["Ada"]
    assert f'href="{acme.removal_of(bob)}"' in rows["Bob"]
    assert f'href="{acme.removal_of(acme.admin)}"' not in rows["Ada"]


async def test_a_column_sorts_the_whole_list_in_both_directions(acme: Acme, make: Factory) -> None:
    await add_members(make, acme.id, 24)
    names = ["Ada", *(f"Member {number:02}" for number in range(24))]

    first, second = [await acme.browser.text(f"{acme.members}?sort=name&page={n}") for n in (1, 2)]
    reverse = await acme.browser.text(f"{acme.members}?sort=-name")

    assert [*names_in(first), *names_in(second)] == names
    assert names_in(reverse) == names[:4:-1]
    assert 'aria-sort="ascending"><a class="sort" href="?sort=-name">' in first


async def test_a_list_that_logto_does_not_send_at_once_says_that_it_is_not_sorted(
    acme: Acme, make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_members(make, acme.id, 3)
    for module in (service, values):
        monkeypatch.setattr(module, "MAX_SORTED", 3)

    page = await acme.browser.text(f"{acme.members}?sort=name")

    assert len(names_in(page)) == 4
    assert "Logto lists members in its own order." in page
    assert "aria-sort" not in page


async def test_forty_five_members_are_loaded_page_by_page(
    acme: Acme, make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_members(make, acme.id, 44)
    loaded: list[int] = []
    call = ManagementTransport.call

    async def counting(self: ManagementTransport, method: str, path: str, **how: object) -> Answer:
        answer = await call(self, method, path, **how)  # type: ignore[arg-type]
        if path.endswith("/users"):
            loaded.append(len(answer.body))
        return answer

    monkeypatch.setattr(ManagementTransport, "call", counting)
    pages = [await acme.browser.text(f"{acme.members}?page={n}") for n in (1, 2, 3)]

    assert loaded == [20, 20, 5]
    found = Counter(name for page in pages for name in names_in(page))
    assert found == {"Ada": 1, **{f"Member {number:02}": 1 for number in range(44)}}
    assert "1–20 of 45" in pages[0]
    assert "41–45 of 45" in pages[2]
    assert 'rel="next"' in pages[1]
    assert 'rel="next"' not in pages[2]


async def test_a_page_behind_the_end_links_to_the_last_page(acme: Acme, make: Factory) -> None:
    await add_members(make, acme.id, 24)

    page = await acme.browser.text(f"{acme.members}?page=999999")

    assert "Page 999999 is empty" in page
    (last,) = re.findall(r'href="([^"]+)">Last page', page)
    assert len(names_in(await acme.browser.text(f"{acme.members}{last}"))) == 5


@pytest.mark.parametrize("query", ["q=no-such-person", "q=no-such-person&role=editor", "role=nonsense"])
async def test_a_search_that_finds_nobody_says_so_on_any_page(shared_acme: Acme, query: str) -> None:
    for page in (1, 3):
        found = await shared_acme.browser.text(f"{shared_acme.members}?{query}&page={page}")
        assert "No matching members" in found
        assert ('value="no-such-person"' in found) is ("no-such-person" in query)


async def test_a_page_of_api_clients_behind_the_end_links_to_the_first(acme: Acme, make: Factory) -> None:
    await make.machine(acme.id, "Nightly export")

    page = await acme.browser.text(f"{acme.members}?show=machines&page=2")

    assert "Page 2 is empty" in page
    (first,) = re.findall(r'href="([^"]+)">First page', page)
    assert names_in(await acme.browser.text(f"{acme.members}{first}")) == ["Nightly export"]


@pytest.mark.parametrize(("query", "found"), [("q=Bo", ["Bob"]), ("role=admin", ["Ada"])])
async def test_the_search_and_the_role_filter_narrow_the_list(
    acme: Acme, make: Factory, query: str, found: list[str]
) -> None:
    await make.member(acme.id, "Bob", Role.VIEWER)
    assert names_in(await acme.browser.text(f"{acme.members}?{query}")) == found


async def test_the_search_and_the_role_filter_stay_while_paging(acme: Acme, make: Factory) -> None:
    user_ids = await add_members(make, acme.id, 23)
    roles = {role.name: role.id for role in await make.management.list_organization_roles()}
    await make.management._body(
        "POST",
        f"/organizations/{acme.id}/users/roles",
        {"userIds": user_ids[:21], "organizationRoleIds": [roles["viewer"]]},
    )
    viewers = await acme.browser.text(f"{acme.members}?role=viewer&q=member")
    assert len(names_in(viewers)) == 20

    (following,) = re.findall(r'rel="next" href="([^"]+)"', viewers)

    assert len(names_in(await acme.browser.text(f"{acme.members}{following}"))) == 1


async def test_the_role_filter_offers_no_role_of_the_support_team(acme: Acme) -> None:
    page = await acme.browser.text(acme.members)

    assert '<option value="viewer"' in page
    assert '<option value="support"' not in page


async def test_the_role_filter_accepts_a_role_made_in_logto(
    acme: Acme, make: Factory, people_manager: str
) -> None:
    await make.member(acme.id, "Mia", people_manager)
    assert names_in(await acme.browser.text(f"{acme.members}?role={people_manager}")) == ["Mia"]


async def test_without_api_clients_their_list_says_so(acme: Acme) -> None:
    assert "No API clients yet" in await acme.browser.text(f"{acme.members}?show=machines")


async def test_a_search_that_finds_no_api_client_says_so(acme: Acme, make: Factory) -> None:
    await make.machine(acme.id)
    found = await acme.browser.text(f"{acme.members}?show=machines&q=nothing-like-it")
    assert "No matching API clients" in found


async def test_api_clients_are_listed_apart_from_people(acme: Acme, make: Factory) -> None:
    await make.machine(acme.id, "Nightly export", "Feeds the warehouse")

    page = await acme.browser.text(f"{acme.members}?show=machines")

    assert names_in(page) == ["Nightly export"]
    assert ">integration<" in page
    assert "Feeds the warehouse" in page
    assert "Nightly export" not in await acme.browser.text(acme.members)


@pytest.mark.parametrize("page", ["0", "-1", "x", "1.5", "%D9%A3", "9" * 30, ""])
async def test_a_page_that_is_not_a_number_is_a_bad_request(shared_acme: Acme, page: str) -> None:
    await shared_acme.browser.get(f"{shared_acme.members}?page={page}", 400)


async def test_a_viewer_sees_the_list_and_cannot_change_it(
    acme: Acme, make: Factory, open_browser: OpenBrowser
) -> None:
    carol = await make.member(acme.id, "Carol", Role.VIEWER)
    browser = await open_browser(carol)

    page = await browser.text(acme.members)

    assert set(names_in(page)) == {"Ada", "Carol"}
    assert "Change roles" not in page
    assert "/remove" not in page
    assert f'href="{acme.root}/leave"' in page
    await browser.get(acme.roles_of(acme.admin), 403)
    await browser.post(acme.roles_of(acme.admin), expect=403)
    await browser.post(acme.removal_of(acme.admin), expect=403)

"""The list of members: people and machines, search, role filter and Logto's own pages."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import Counter

import pytest

from saas_app.logto.responses import Answer
from saas_app.logto.transport import ManagementTransport
from saas_app.rbac.permissions import Role
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.members.conftest import Acme, join_as, text_of


def names_in(page: str) -> list[str]:
    return re.findall(r'</span><span class="name">([^<]+)</span>', page)


async def add_members(make: Factory, organization_id: str, count: int) -> list[str]:
    """Members without a password of their own, several at a time."""

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


async def test_the_list_names_people_with_address_roles_and_status_and_marks_oneself(
    acme: Acme, make: Factory
) -> None:
    bob = await make.person("Bob")
    await make.join(acme.id, bob, Role.EDITOR, Role.VIEWER)
    await make.management._body("PATCH", f"/users/{bob.id}/is-suspended", {"isSuspended": True})

    page = await text_of(await acme.browser.get(acme.members))

    rows = {row.split('class="name">')[1].split("<")[0]: row for row in page.split("<tr")[2:]}
    assert rows.keys() == {"Ada", "Bob"}
    assert f"{bob.username}@example.test" in rows["Bob"]
    assert ">editor<" in rows["Bob"]
    assert ">viewer<" in rows["Bob"]
    assert "Suspended" in rows["Bob"]
    assert ">You<" not in rows["Bob"]
    assert ">You<" in rows["Ada"]
    assert f'href="{acme.members}/{bob.id}/remove"' in rows["Bob"]
    assert f'href="{acme.members}/{acme.admin.id}/remove"' not in rows["Ada"]


async def test_forty_five_members_are_shown_by_logtos_pages_and_never_all_loaded(
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
    pages = [await text_of(await acme.browser.get(f"{acme.members}?page={n}")) for n in (1, 2, 3)]

    assert loaded == [20, 20, 5]
    found = Counter(name for page in pages for name in names_in(page))
    assert found == {"Ada": 1, **{f"Member {number:02}": 1 for number in range(44)}}
    assert "1–20 of 45" in pages[0]
    assert "41–45 of 45" in pages[2]
    assert 'rel="next"' in pages[1]
    assert 'rel="next"' not in pages[2]


async def test_a_page_behind_the_end_leads_to_the_last_page_there_is(acme: Acme, make: Factory) -> None:
    await add_members(make, acme.id, 24)

    page = await text_of(await acme.browser.get(f"{acme.members}?page=999999"))

    assert "Page 999999 is empty" in page
    (last,) = re.findall(r'href="([^"]+)">Last page', page)
    assert len(names_in(await text_of(await acme.browser.get(f"{acme.members}{last}")))) == 5


@pytest.mark.parametrize("query", ["q=no-such-person", "role=nonsense"])
async def test_a_search_that_finds_nobody_says_so_on_any_page(acme: Acme, query: str) -> None:
    page = await text_of(await acme.browser.get(f"{acme.members}?{query}&page=3"))
    assert "No matching members" in page


async def test_a_page_of_machines_behind_the_end_leads_back(acme: Acme, make: Factory) -> None:
    machine = await make.management.create_machine("Nightly export", "", custom_data={})
    await make.management.add_machine(acme.id, machine.id)

    page = await text_of(await acme.browser.get(f"{acme.members}?show=machines&page=2"))

    assert "Page 2 is empty" in page
    (first,) = re.findall(r'href="([^"]+)">First page', page)
    assert names_in(await text_of(await acme.browser.get(f"{acme.members}{first}"))) == ["Nightly export"]


async def test_search_and_role_filter_ask_logto_and_stay_while_paging(acme: Acme, make: Factory) -> None:
    user_ids = await add_members(make, acme.id, 23)
    roles = {role.name: role.id for role in await make.management.list_organization_roles()}
    await make.management._body(
        "POST",
        f"/organizations/{acme.id}/users/roles",
        {"userIds": user_ids[:21], "organizationRoleIds": [roles["viewer"]]},
    )

    assert names_in(await text_of(await acme.browser.get(f"{acme.members}?q=Member+07"))) == ["Member 07"]
    assert names_in(await text_of(await acme.browser.get(f"{acme.members}?role=admin"))) == ["Ada"]
    viewers = await text_of(await acme.browser.get(f"{acme.members}?role=viewer&q=member"))
    assert len(names_in(viewers)) == 20
    (following,) = re.findall(r'rel="next" href="([^"]+)"', viewers)
    assert len(names_in(await text_of(await acme.browser.get(f"{acme.members}{following}")))) == 1
    nobody = await text_of(await acme.browser.get(f"{acme.members}?q=no-such-person&role=editor"))
    assert "No matching members" in nobody
    assert 'value="no-such-person"' in nobody


async def test_a_role_made_in_logto_can_be_filtered_by_and_an_unknown_one_is_held_by_nobody(
    acme: Acme, make: Factory, people_manager: str
) -> None:
    mia = await make.person("Mia")
    await join_as(make, acme.id, mia, people_manager)
    page = await text_of(await acme.browser.get(f"{acme.members}?role={people_manager}"))
    assert names_in(page) == ["Mia"]
    assert "No matching members" in await text_of(await acme.browser.get(f"{acme.members}?role=nonsense"))


async def test_machines_have_a_list_of_their_own(acme: Acme, make: Factory) -> None:
    empty = await text_of(await acme.browser.get(f"{acme.members}?show=machines"))
    assert "No API clients yet" in empty
    body = {"name": "Nightly export", "type": "MachineToMachine", "description": "Feeds the warehouse"}
    machine = await make.management._body("POST", "/applications", body)
    applications = f"/organizations/{acme.id}/applications"
    await make.management._body("POST", applications, {"applicationIds": [machine["id"]]})
    roles = {role.name: role.id for role in await make.management.list_organization_roles()}
    await make.management._body(
        "POST", f"{applications}/{machine['id']}/roles", {"organizationRoleIds": [roles["integration"]]}
    )

    page = await text_of(await acme.browser.get(f"{acme.members}?show=machines"))

    assert names_in(page) == ["Nightly export"]
    assert ">integration<" in page
    assert "Feeds the warehouse" in page
    assert "Nightly export" not in await text_of(await acme.browser.get(acme.members))
    nothing = await text_of(await acme.browser.get(f"{acme.members}?show=machines&q=nothing-like-it"))
    assert "No matching API clients" in nothing


@pytest.mark.parametrize("page", ["0", "-1", "x", "1.5", "%D9%A3", "9" * 30, ""])
async def test_a_page_that_is_no_number_is_a_bad_request(acme: Acme, page: str) -> None:
    await acme.browser.get(f"{acme.members}?page={page}", 400)


async def test_a_viewer_sees_the_list_and_is_offered_no_change(
    acme: Acme, make: Factory, open_browser: OpenBrowser
) -> None:
    carol = await make.person("Carol")
    await make.join(acme.id, carol, Role.VIEWER)
    browser = await open_browser(carol)

    page = await text_of(await browser.get(acme.members))

    assert set(names_in(page)) == {"Ada", "Carol"}
    assert "Change roles" not in page
    assert "/remove" not in page
    assert f'href="/o/{acme.id}/leave"' in page
    await browser.get(acme.roles_of(acme.admin), 403)
    await browser.post(acme.roles_of(acme.admin), expect=403)
    await browser.post(f"{acme.members}/{acme.admin.id}/remove", expect=403)

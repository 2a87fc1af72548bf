"""People become members by signing in at their company's identity provider, after they were checked."""

from __future__ import annotations

import pytest

from saas_app.logto import ManagementClient, ManagementError
from saas_app.rbac.permissions import Role
from saas_app.single_sign_on.values import Stage
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory, address_of
from tests.integration.single_sign_on.company import Company, SignInThroughCompany

VIEWER = frozenset({Role.VIEWER.value})


@pytest.fixture
async def open_company(company: Company) -> Company:
    """A company whose people join as viewers."""
    roles = await company.management.list_organization_roles()
    viewer = [role.id for role in roles if role.name == Role.VIEWER]
    await company.management.replace_joining_roles(company.id, viewer)
    await company.connect(Stage.ON, joins=True)
    return company


@pytest.fixture
async def carol(open_company: Company, make: Factory) -> Person:
    """A person with an address at the domain, who is no member."""
    return await make.person("Carol", domain=open_company.domain)


async def roles_of(company: Company, user_id: str) -> frozenset[str] | None:
    return await company.management.find_member_roles(company.id, user_id)


async def test_a_new_person_becomes_a_member(
    open_company: Company, sign_in_through_company: SignInThroughCompany
) -> None:
    email = open_company.address("newcomer")

    browser = await sign_in_through_company(open_company, email)

    account = await open_company.account(email)
    assert account is not None
    assert await roles_of(open_company, account.id) == VIEWER
    await browser.get(f"{open_company.root}/")


async def test_a_person_with_an_account_becomes_a_member_and_is_told(
    open_company: Company, carol: Person, sign_in_through_company: SignInThroughCompany
) -> None:
    browser = await sign_in_through_company(open_company, open_company.address(carol.username))

    assert await roles_of(open_company, carol.id) == VIEWER
    (event,) = await open_company.events("member.join")
    assert (event.actor_id, event.target_id) == (carol.id, carol.id)
    assert event.after == {"domain": open_company.domain}
    assert open_company.name in await browser.text("/notifications")


async def test_a_second_sign_in_changes_nothing(
    open_company: Company, carol: Person, sign_in_through_company: SignInThroughCompany
) -> None:
    sub = "u_carol"
    await sign_in_through_company(open_company, open_company.address(carol.username), sub=sub)

    await sign_in_through_company(open_company, open_company.address(carol.username), sub=sub)

    assert len(await open_company.events("member.join")) == 1


async def test_a_member_keeps_their_roles(
    open_company: Company, carol: Person, make: Factory, sign_in_through_company: SignInThroughCompany
) -> None:
    await make.join(open_company.id, carol, Role.EDITOR.value)

    await sign_in_through_company(open_company, open_company.address(carol.username))

    assert await roles_of(open_company, carol.id) == {Role.EDITOR.value}


async def test_whoever_was_removed_does_not_come_back(
    open_company: Company, carol: Person, sign_in_through_company: SignInThroughCompany
) -> None:
    sub = "u_carol"
    await sign_in_through_company(open_company, open_company.address(carol.username), sub=sub)
    await open_company.browser.post(f"{open_company.root}/members/{carol.id}/remove")

    await sign_in_through_company(open_company, open_company.address(carol.username), sub=sub)

    assert await roles_of(open_company, carol.id) is None


async def test_nobody_joins_unless_the_organization_wants_it(
    open_company: Company, carol: Person, sign_in_through_company: SignInThroughCompany
) -> None:
    await open_company.change(joins=False)

    await sign_in_through_company(open_company, open_company.address(carol.username))

    assert await roles_of(open_company, carol.id) is None


async def test_nobody_elsewhere_becomes_a_member_by_a_false_assertion(
    open_company: Company, make: Factory, open_browser: OpenBrowser
) -> None:
    victim = await make.person("Victor")
    open_company.asserts(address_of(victim))
    browser = await open_browser()
    callback = await open_company.callback(browser)
    assert await roles_of(open_company, victim.id) is None

    await browser.get(callback, 400)

    assert await roles_of(open_company, victim.id) is None


async def test_if_logto_refuses_the_member_they_still_sign_in(
    open_company: Company,
    carol: Person,
    sign_in_through_company: SignInThroughCompany,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def refuse(*_args: object) -> None:
        raise ManagementError(422, "quota.exceeded", "Too many members.")

    monkeypatch.setattr(ManagementClient, "add_members", refuse)

    browser = await sign_in_through_company(open_company, open_company.address(carol.username))

    await browser.get("/account")
    assert await open_company.events("member.join") == []

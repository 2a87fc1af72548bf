"""People become members by signing in at their company's identity provider, after they were checked."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa
from quart import Quart

from saas_app.audit.recorder import SYSTEM, Action, AuditEntry, Target, record
from saas_app.db.base import utc_now
from saas_app.email_domains.queries import add_join
from saas_app.identity.former_members import note_past_removal
from saas_app.logto import ManagementClient, ManagementError
from saas_app.models import FormerMembership, PendingChange
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from saas_app.single_sign_on.values import Stage
from tests.clients import Person, text_of
from tests.conftest import OpenBrowser
from tests.factories import Factory, address_of
from tests.integration.ending import FUTURE, ends_of, set_end
from tests.integration.faulty_logto import DOWN, Fault, Gate
from tests.integration.single_sign_on.company import Company, SignInThroughCompany, new_company
from tests.integration.single_sign_on.upkeep import reconcile

VIEWER = frozenset({Role.VIEWER.value})


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
    assert event.after == {"domain": open_company.domain, "provider": "Corp"}
    assert open_company.name in await browser.text("/notifications")


async def test_a_role_of_a_new_membership_does_not_get_an_end_that_was_left_over(
    open_company: Company, carol: Person, sign_in_through_company: SignInThroughCompany, runtime: Runtime
) -> None:
    """Logto reported no end of the earlier membership."""
    await set_end(runtime, open_company.id, carol, Role.VIEWER, FUTURE)

    await sign_in_through_company(open_company, open_company.address(carol.username))

    assert await roles_of(open_company, carol.id) == VIEWER
    assert await ends_of(runtime, open_company.id, carol) == {}


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

    await open_company.refusal(await open_browser())

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


async def test_whoever_was_removed_long_ago_does_not_come_back(
    open_company: Company,
    carol: Person,
    make: Factory,
    sign_in_through_company: SignInThroughCompany,
    runtime: Runtime,
) -> None:
    """After 90 days, only the audit log knows of it."""
    await make.join(open_company.id, carol)
    await open_company.browser.post(f"{open_company.root}/members/{carol.id}/remove")
    async with runtime.jobs.writing() as db:
        await db.execute(sa.delete(FormerMembership).where(FormerMembership.user_id == carol.id))

    await sign_in_through_company(open_company, open_company.address(carol.username))

    assert await roles_of(open_company, carol.id) is None


async def test_a_removal_that_logto_reported_counts_too(
    open_company: Company, carol: Person, sign_in_through_company: SignInThroughCompany, runtime: Runtime
) -> None:
    async with runtime.work.writing(open_company.id) as db:
        await note_past_removal(db, open_company.id, open_company.name, carol.id, utc_now())

    await sign_in_through_company(open_company, open_company.address(carol.username))

    assert await roles_of(open_company, carol.id) is None


async def test_a_removal_at_logto_of_which_nobody_told_counts_too(
    open_company: Company, carol: Person, sign_in_through_company: SignInThroughCompany
) -> None:
    sub = "u_carol"
    await sign_in_through_company(open_company, open_company.address(carol.username), sub=sub)
    await open_company.management.remove_member(open_company.id, carol.id)

    await sign_in_through_company(open_company, open_company.address(carol.username), sub=sub)

    assert await roles_of(open_company, carol.id) is None


async def test_a_membership_elsewhere_does_not_count(
    open_company: Company,
    carol: Person,
    make: Factory,
    sign_in_through_company: SignInThroughCompany,
    runtime: Runtime,
) -> None:
    other = await make.empty_organization()
    target, now = Target("member", carol.id, "Carol"), utc_now()
    async with runtime.work.writing(other.id) as db:
        await add_join(db, other.id, carol.id, None, now)
        await note_past_removal(db, other.id, other.name, carol.id, now)
        record(db, AuditEntry(SYSTEM, Action.MEMBER_REMOVE, target))

    await sign_in_through_company(open_company, open_company.address(carol.username))

    assert await roles_of(open_company, carol.id) == VIEWER


async def test_a_person_at_the_provider_of_two_organizations_joins_only_where_they_sign_in(
    open_company: Company,
    make: Factory,
    open_browser: OpenBrowser,
    sign_in_through_company: SignInThroughCompany,
    runtime: Runtime,
) -> None:
    """The provider has one name for them. To Logto, each organization says another one."""
    second = await new_company(make, open_browser, runtime, open_company.provider)
    await second.connect(Stage.ON, joins=True)
    person = await make.person("Carol", domain=second.domain)
    await sign_in_through_company(open_company, open_company.address("carol"), sub="u_carol")

    await sign_in_through_company(second, second.address(person.username), sub="u_carol")

    assert await roles_of(second, person.id) is not None
    assert await roles_of(open_company, person.id) is None


async def test_two_sign_ins_at_once_add_a_person_once(
    open_company: Company, carol: Person, open_browser: OpenBrowser
) -> None:
    open_company.asserts(open_company.address(carol.username), sub="u_carol")
    browsers = [await open_browser() for _browser in range(2)]
    callbacks = [await open_company.callback(browser) for browser in browsers]

    await asyncio.gather(
        *(browser.get(callback, 303) for browser, callback in zip(browsers, callbacks, strict=True))
    )

    assert len(await open_company.events("member.join")) == 1


async def test_the_first_page_after_joining_shows_the_organization(
    open_company: Company, carol: Person, open_browser: OpenBrowser
) -> None:
    open_company.asserts(open_company.address(carol.username))
    browser = await open_browser()

    done = await open_company.arrive(browser, path="/sign-in?next=/o")

    assert open_company.name in await text_of(await browser.follow(done.headers["Location"]))


async def test_a_member_whose_roles_logto_refuses_is_not_left_without_any(
    open_company: Company,
    carol: Person,
    gate: Gate,
    faulty_app: Quart,
    sign_in_through_company: SignInThroughCompany,
) -> None:
    gate.fail(Fault("POST", "/roles", status=422, body={"code": "entity.x", "message": "no"}))

    await sign_in_through_company(open_company, open_company.address(carol.username), at=faulty_app)

    assert await roles_of(open_company, carol.id) is None


async def test_a_join_whose_end_is_not_known_is_recorded_later(
    open_company: Company,
    carol: Person,
    gate: Gate,
    faulty_app: Quart,
    open_browser: OpenBrowser,
) -> None:
    gate.fail(Fault("POST", "/roles", **DOWN))
    open_company.asserts(open_company.address(carol.username))
    await open_company.arrive(await open_browser(at=faulty_app), 503)
    async with open_company.runtime.work.writing(open_company.id) as db:
        past = sa.update(PendingChange).values(started_at=utc_now() - timedelta(hours=1))
        await db.execute(past.execution_options(synchronize_session=False))

    await reconcile(open_company)

    (event,) = await open_company.events("member.join")
    assert event.after is not None
    assert event.after["members"] == {carol.id: []}

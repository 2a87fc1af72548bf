"""Members get the roles of their groups at the company's provider when they sign in there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa
from quart import Quart

from saas_app.changes.organization_change import Systems
from saas_app.db.base import utc_now
from saas_app.models import Notification, NotificationKind
from saas_app.rbac.assignment import PERSON_ROLES
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from saas_app.single_sign_on.changes.group_roles import set_roles_of_groups
from saas_app.single_sign_on.values import Stage
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.ending import FUTURE, PAST, ends_of, set_end
from tests.integration.faulty_logto import DOWN, Fault, Gate
from tests.integration.single_sign_on.company import Company

ADMIN = Role.ADMIN.value
FIRST, SECOND, *_ = [role.value for role in PERSON_ROLES if role is not Role.ADMIN]
OTHER = "steward"  # made by a fixture
MAPPING = [["staff", FIRST], ["leads", SECOND], ["bosses", ADMIN]]

Arrive = Callable[..., Awaitable[None]]


@pytest.fixture
async def mapped(company: Company) -> Company:
    """The company, whose groups have roles. Ada is its only admin."""
    await company.connect(Stage.ON, group_claim="member_of", group_roles=MAPPING)
    return company


@pytest.fixture
async def carol(mapped: Company, make: Factory, steward: str) -> Person:
    """A member of the organization and of the company, without a role."""
    person = await make.person("Carol", domain=mapped.domain)
    await make.join(mapped.id, person)
    return person


@pytest.fixture
def arrive(mapped: Company, open_browser: OpenBrowser, app: Quart) -> Arrive:
    """``await arrive(person, ["staff"])``: sign a person in with these groups."""

    async def sign_in(person: Person, groups: object, expect: int = 303, at: Quart = app) -> None:
        mapped.asserts(mapped.address(person.username), sub=f"sub_{person.id}", member_of=groups)
        await mapped.arrive(await open_browser(at=at), expect)

    return sign_in


async def roles_of(mapped: Company, person: Person) -> set[str] | None:
    return await mapped.roles_at_logto(person)


async def kinds_of(runtime: Runtime, organization_id: str, person: Person) -> list[NotificationKind]:
    async with runtime.jobs.reading(organization_id) as db:
        statement = sa.select(Notification.kind).where(Notification.user_id == person.id)
        return list(await db.scalars(statement))


async def test_the_groups_give_their_roles(mapped: Company, carol: Person, arrive: Arrive) -> None:
    await arrive(carol, ["staff", "leads", "unknown"])

    assert await roles_of(mapped, carol) == {FIRST, SECOND}
    (event,) = await mapped.events("member.change-roles")
    assert (event.actor_id, event.target_id) == ("system", carol.id)
    assert (event.before, event.after) == ({"roles": []}, {"roles": sorted([FIRST, SECOND])})


async def test_who_left_a_group_loses_its_role_and_keeps_others(
    mapped: Company, carol: Person, arrive: Arrive, make: Factory
) -> None:
    await make.give_roles(mapped.id, carol, FIRST, SECOND, OTHER)

    await arrive(carol, "leads")

    assert await roles_of(mapped, carol) == {SECOND, OTHER}


async def test_without_the_claim_the_roles_of_the_mapping_are_taken(
    mapped: Company, carol: Person, arrive: Arrive, make: Factory
) -> None:
    await make.give_roles(mapped.id, carol, FIRST)

    await arrive(carol, None)

    assert await roles_of(mapped, carol) == set()


async def test_nothing_is_recorded_if_nothing_changes(
    mapped: Company, carol: Person, arrive: Arrive, make: Factory
) -> None:
    await make.give_roles(mapped.id, carol, FIRST)

    await arrive(carol, ["staff"])

    assert await mapped.events("member.change-roles") == []


async def test_a_role_that_ended_soon_becomes_lasting(
    mapped: Company, carol: Person, arrive: Arrive, make: Factory, runtime: Runtime
) -> None:
    await make.give_roles(mapped.id, carol, FIRST)
    await set_end(runtime, mapped.id, carol, FIRST, FUTURE)

    await arrive(carol, ["staff"])

    assert await ends_of(runtime, mapped.id, carol) == {}
    (event,) = await mapped.events("member.set-role-end")
    assert (event.after, event.actor_id) == ({"role": FIRST, "ends_at": None}, "system")


@pytest.mark.parametrize("groups", [["staff", "leads"], ["leads"]])
async def test_a_role_that_is_given_or_taken_keeps_no_end(
    mapped: Company, carol: Person, arrive: Arrive, make: Factory, runtime: Runtime, groups: list[str]
) -> None:
    await make.give_roles(mapped.id, carol, FIRST)
    await set_end(runtime, mapped.id, carol, FIRST, PAST)

    await arrive(carol, groups)

    assert await ends_of(runtime, mapped.id, carol) == {}
    assert (FIRST in (await roles_of(mapped, carol) or ())) == ("staff" in groups)


async def test_a_role_outside_the_mapping_keeps_its_end(
    mapped: Company, carol: Person, arrive: Arrive, make: Factory, runtime: Runtime
) -> None:
    await make.give_roles(mapped.id, carol, OTHER)
    await set_end(runtime, mapped.id, carol, OTHER, FUTURE)

    await arrive(carol, ["staff"])

    assert set(await ends_of(runtime, mapped.id, carol)) == {OTHER}


async def test_the_last_admin_stays_admin(mapped: Company, arrive: Arrive) -> None:
    await arrive(mapped.admin, ["staff"])

    assert await roles_of(mapped, mapped.admin) == {ADMIN, FIRST}


async def test_an_admin_beside_whom_only_a_temporary_one_is_left_stays(
    mapped: Company, arrive: Arrive, make: Factory, runtime: Runtime
) -> None:
    bob = await make.member(mapped.id, "Bob", ADMIN)
    await set_end(runtime, mapped.id, bob, ADMIN, FUTURE)

    await arrive(mapped.admin, [])

    assert await roles_of(mapped, mapped.admin) == {ADMIN}


async def test_an_admin_beside_whom_only_a_suspended_one_is_left_stays(
    mapped: Company, arrive: Arrive, make: Factory
) -> None:
    bob = await make.member(mapped.id, "Bob", ADMIN)
    path = f"/users/{bob.id}/is-suspended"
    await mapped.management._transport.call("PATCH", path, body={"isSuspended": True})

    await arrive(mapped.admin, [])

    assert await roles_of(mapped, mapped.admin) == {ADMIN}


async def test_an_admin_whose_role_ends_anyway_may_lose_it(
    mapped: Company, arrive: Arrive, runtime: Runtime
) -> None:
    await set_end(runtime, mapped.id, mapped.admin, ADMIN, FUTURE)

    await arrive(mapped.admin, [])

    assert await roles_of(mapped, mapped.admin) == set()


async def test_one_of_two_admins_loses_the_role(mapped: Company, arrive: Arrive, make: Factory) -> None:
    await make.member(mapped.id, "Bob", ADMIN)

    await arrive(mapped.admin, [])

    assert await roles_of(mapped, mapped.admin) == set()


async def test_the_recovery_admin_keeps_every_role(mapped: Company, arrive: Arrive, make: Factory) -> None:
    await make.member(mapped.id, "Bob", ADMIN)
    await make.give_roles(mapped.id, mapped.admin, ADMIN, FIRST)
    await mapped.change(recovery_id=mapped.admin.id)

    await arrive(mapped.admin, ["leads"])

    assert await roles_of(mapped, mapped.admin) == {ADMIN, FIRST}


async def test_nobody_becomes_a_member_by_a_group(mapped: Company, arrive: Arrive, make: Factory) -> None:
    person = await make.person("Nora", domain=mapped.domain)

    await arrive(person, ["staff"])

    assert await roles_of(mapped, person) is None
    assert await mapped.events("sso.miss-roles") == []


async def test_a_new_person_who_joins_has_the_roles_at_once(
    mapped: Company, open_browser: OpenBrowser
) -> None:
    await mapped.change(joins=True)
    email = mapped.address("newcomer")
    mapped.asserts(email, member_of=["staff"])

    browser = await open_browser()
    await mapped.arrive(browser)

    account = await mapped.account(email)
    assert account is not None
    assert await mapped.management.find_member_roles(mapped.id, account.id) == {FIRST}
    await browser.get(f"{mapped.root}/")


async def test_the_member_is_told(mapped: Company, carol: Person, arrive: Arrive, runtime: Runtime) -> None:
    await arrive(carol, ["staff"])

    assert NotificationKind.ROLES_CHANGED in await kinds_of(runtime, mapped.id, carol)


async def test_an_open_session_of_the_member_gets_new_tokens(
    mapped: Company, carol: Person, arrive: Arrive, open_browser: OpenBrowser, make: Factory
) -> None:
    await make.member(mapped.id, "Bob", ADMIN)
    await make.give_roles(mapped.id, carol, ADMIN)
    browser = await open_browser(carol)
    await browser.get(f"{mapped.root}/settings")

    await arrive(carol, [])

    await browser.get(f"{mapped.root}/settings", 403)


async def test_a_refusal_by_logto_is_recorded_and_keeps_nobody_out(
    mapped: Company, carol: Person, arrive: Arrive, gate: Gate, faulty_app: Quart
) -> None:
    gate.fail(Fault("PUT", "/roles", status=422, body={"code": "entity.x", "message": "no"}))

    await arrive(carol, ["staff"], at=faulty_app)

    (event,) = await mapped.events("sso.miss-roles")
    assert (event.actor_id, event.target_id) == ("system", carol.id)
    assert await roles_of(mapped, carol) == set()


@pytest.mark.parametrize(("method", "path"), [("GET", "/users/[^/]+/roles"), ("PUT", "/roles")])
async def test_while_logto_is_down_nobody_comes_in_with_old_roles(
    mapped: Company,
    carol: Person,
    arrive: Arrive,
    gate: Gate,
    faulty_app: Quart,
    method: str,
    path: str,
) -> None:
    gate.fail(Fault(method, path, **DOWN))

    await arrive(carol, ["staff"], 503, at=faulty_app)

    assert await mapped.sessions_here(carol.id) == []


@pytest.fixture
def arrive_late(mapped: Company, runtime: Runtime) -> Callable[..., Awaitable[None]]:
    """``await arrive_late(person, groups, **columns)``: the columns change after the sign-in was checked."""

    async def finish(person: Person, groups: object, **columns: object) -> None:
        looked_at = await mapped.connection()
        account = await mapped.management.get_user_with_sso(person.id)
        await mapped.change(**columns)
        systems = Systems(runtime.work, mapped.management, None)
        await set_roles_of_groups(systems, looked_at, account, groups)

    return finish


async def test_who_becomes_the_recovery_admin_meanwhile_stays_admin(
    mapped: Company, make: Factory, arrive_late: Callable[..., Awaitable[None]]
) -> None:
    bea = await make.person("Bea", domain=mapped.domain)
    await make.join(mapped.id, bea, ADMIN)

    await arrive_late(bea, [], required_at=utc_now(), recovery_id=bea.id)

    assert await roles_of(mapped, bea) == {ADMIN}


@pytest.mark.parametrize("columns", [{"group_roles": []}, {"group_claim": ""}, {"on_at": None}])
async def test_a_mapping_that_was_removed_meanwhile_gives_nothing(
    mapped: Company,
    carol: Person,
    arrive_late: Callable[..., Awaitable[None]],
    columns: dict[str, object],
) -> None:
    await arrive_late(carol, ["bosses"], **columns)

    assert await roles_of(mapped, carol) == set()

"""The recovery admin: who can be one, and that nobody takes them away while single sign-on is required."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import pytest
from quart import Quart
from quart.wrappers import Response

from saas_app.db.base import utc_now
from saas_app.errors import Invalid, LogtoUnavailable
from saas_app.logto import ManagementClient
from saas_app.runtime import Runtime
from saas_app.single_sign_on.recovery import Candidate, WayIn, list_candidates, require_recoverable
from saas_app.single_sign_on.values import Connection
from tests.clients import SAME_ORIGIN, Browser, Person
from tests.conftest import OpenBrowser, OpenOffice, runtime_of
from tests.factories import PASSWORD, Factory
from tests.integration.ending import FUTURE, ends_of, set_end
from tests.integration.faulty_logto import DOWN, Fault, Gate
from tests.integration.members.conftest import roles_form, row_of
from tests.integration.single_sign_on.required import PROVIDER, come_through, require_single_sign_on
from tests.offices import Office

REFUSED: Final = "Choose another recovery admin first"


@dataclass(frozen=True)
class Initech(Office):
    """An organization that requires single sign-on. Ada is its recovery admin, Bea another admin."""

    bea: Browser
    bea_herself: Person

    @property
    def ada(self) -> str:
        """The path of the recovery admin among the members."""
        return f"{self.root}/members/{self.admin.id}"

    @property
    def api(self) -> str:
        """The path of the recovery admin in the API."""
        return f"/api/v1/organizations/{self.id}/members/{self.admin.id}"


@pytest.fixture
async def initech(
    open_office: OpenOffice, open_browser: OpenBrowser, make: Factory, runtime: Runtime
) -> Initech:
    office = await open_office("Initech", admin="Ada")
    bea = await make.member(office.id, "Bea", "admin")
    browser = await open_browser(bea)
    connector_id = await require_single_sign_on(runtime, office.id, office.admin.id)
    await come_through(runtime, browser, connector_id)
    return Initech(**vars(office), bea=browser, bea_herself=bea)


async def call_api(browser: Browser, method: str, path: str, **options: Any) -> Response:
    headers = {**SAME_ORIGIN, **options.pop("headers", {})}
    response = await browser.app.open(path, method=method, headers=headers, **options)
    assert isinstance(response, Response)
    return response


async def version_of(initech: Initech) -> dict[str, str]:
    return {"If-Match": (await initech.bea.get(initech.api)).headers["ETag"]}


async def require_code(response: Response) -> None:
    """Require the refusal of a program's change."""
    problem = await response.get_json(force=True)
    assert (response.status_code, problem["code"]) == (409, "recovery-admin"), problem
    assert REFUSED in problem["detail"]


Attempt: TypeAlias = Callable[[Initech], Awaitable[None]]


async def by_being_removed(initech: Initech) -> None:
    assert REFUSED in await initech.bea.submit(f"{initech.ada}/remove", expect=409)


async def by_being_removed_by_a_program(initech: Initech) -> None:
    await require_code(await call_api(initech.bea, "DELETE", initech.api))


async def by_being_removed_among_others(initech: Initech) -> None:
    form = {"row": [row_of(initech.admin, "admin")], "confirmed": "yes"}
    page = await initech.bea.submit(f"{initech.root}/members/bulk/remove", form)
    assert REFUSED in page


async def by_leaving(initech: Initech) -> None:
    page = await initech.browser.submit(f"{initech.root}/leave", {"confirm": "yes"}, 409)
    assert "You are the recovery admin" in page


async def by_leaving_by_a_program(initech: Initech) -> None:
    path = f"/api/v1/organizations/{initech.id}/leave"
    await require_code(await call_api(initech.browser, "POST", path))


async def by_losing_the_role(initech: Initech) -> None:
    form = roles_form(["admin"], ["viewer"])
    assert REFUSED in await initech.bea.submit(f"{initech.ada}/roles", form, 409)


async def by_losing_the_role_by_a_preview(initech: Initech) -> None:
    form = roles_form(["admin"], ["viewer"], step="preview")
    assert REFUSED in await initech.bea.submit(f"{initech.ada}/roles", form, 409)


async def by_losing_the_role_by_a_program(initech: Initech) -> None:
    headers, body = await version_of(initech), {"roles": ["viewer"]}
    path = f"{initech.api}/roles"
    await require_code(await call_api(initech.bea, "PUT", path, json=body, headers=headers))


async def by_losing_the_role_among_others(initech: Initech) -> None:
    form = {"row": [row_of(initech.admin, "admin")], "roles": ["viewer"], "step": "confirm"}
    page = await initech.bea.submit(f"{initech.root}/members/bulk/roles", form)
    assert REFUSED in page


async def by_giving_up_the_role(initech: Initech) -> None:
    form = roles_form(["admin"], ["viewer"], own_loss="yes")
    assert REFUSED in await initech.browser.submit(f"{initech.ada}/roles", form, 409)


async def by_an_end_of_the_role(initech: Initech) -> None:
    form = {"seen": "none", "duration": "day"}
    assert REFUSED in await initech.bea.submit(f"{initech.ada}/roles/admin/end", form, 409)


async def by_an_end_of_the_role_by_a_program(initech: Initech) -> None:
    body = {"ends_at": (utc_now() + FUTURE).isoformat()}
    headers, path = await version_of(initech), f"{initech.api}/roles/admin/end"
    await require_code(await call_api(initech.bea, "PUT", path, json=body, headers=headers))


ATTEMPTS: Final[tuple[Attempt, ...]] = (
    by_being_removed,
    by_being_removed_by_a_program,
    by_being_removed_among_others,
    by_leaving,
    by_leaving_by_a_program,
    by_losing_the_role,
    by_losing_the_role_by_a_preview,
    by_losing_the_role_by_a_program,
    by_losing_the_role_among_others,
    by_giving_up_the_role,
    by_an_end_of_the_role,
    by_an_end_of_the_role_by_a_program,
)


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.__name__)
async def test_the_recovery_admin_stays_an_admin_without_an_end(
    initech: Initech, runtime: Runtime, attempt: Attempt
) -> None:
    await attempt(initech)

    assert await initech.roles_at_logto(initech.admin) == {"admin"}
    assert await ends_of(runtime, initech.id, initech.admin) == {}


async def test_the_pages_say_so_before_somebody_tries(initech: Initech) -> None:
    removal, roles = (
        await initech.bea.text(f"{initech.ada}/remove"),
        await initech.bea.text(f"{initech.ada}/roles"),
    )
    leaving = await initech.browser.text(f"{initech.root}/leave")

    assert REFUSED in removal
    assert f'action="{initech.ada}/remove"' not in removal
    assert "The recovery admin keeps this role." in roles
    assert "You are the recovery admin" in leaving
    assert 'name="confirm"' not in leaving


async def test_other_admins_can_be_removed(initech: Initech) -> None:
    await initech.browser.post(f"{initech.root}/members/{initech.bea_herself.id}/remove")
    assert await initech.roles_at_logto(initech.bea_herself) is None


async def test_the_recovery_admin_can_lose_other_roles(initech: Initech, make: Factory) -> None:
    await make.give_roles(initech.id, initech.admin, "admin", "editor")
    await initech.bea.post(f"{initech.ada}/roles", roles_form(["admin", "editor"], ["admin"]))
    assert await initech.roles_at_logto(initech.admin) == {"admin"}


async def test_while_it_is_optional_the_former_recovery_admin_can_be_removed(
    initech: Initech, runtime: Runtime
) -> None:
    await require_single_sign_on(runtime, initech.id, initech.admin.id, required_at=None)
    await initech.bea.post(f"{initech.ada}/remove")
    assert await initech.roles_at_logto(initech.admin) is None


async def test_after_another_one_is_chosen_the_first_can_be_demoted(
    initech: Initech, runtime: Runtime
) -> None:
    await require_single_sign_on(runtime, initech.id, initech.bea_herself.id)
    await initech.bea.post(f"{initech.ada}/roles", roles_form(["admin"], ["viewer"]))
    assert await initech.roles_at_logto(initech.admin) == {"viewer"}


DOMAIN: Final = "initech.test"


@pytest.fixture
async def plan(make: Factory) -> Connection:
    """A connection that is on, for one domain, in an organization without members."""
    organization_id, now = (await make.empty_organization("Initech")).id, utc_now()
    return Connection(
        organization_id=organization_id,
        connector_id="c1",
        name=PROVIDER,
        issuer="https://login.initech.test",
        client_id="workroom",
        scopes="openid",
        domains=(DOMAIN,),
        joins=False,
        group_claim="",
        group_roles=(),
        created_at=now,
        created_by="somebody",
        tested_at=now,
        tested_by="somebody",
        on_at=now,
        required_at=None,
        recovery_id=None,
        failing_since=None,
        failure=None,
    )


async def add_admin(
    make: Factory, plan: Connection, name: str, *, role: str = "admin", **account: Any
) -> Person:
    """Add a member with an account that has only these identifiers."""
    email = {"primaryEmail": account.pop("email")} if "email" in account else {}
    made = await make.management._transport.call("POST", "/users", body={"name": name, **account, **email})
    person = Person(made.body["id"], account.get("username", ""), account.get("password", ""))
    await make.join(plan.organization_id, person, role)
    return person


async def candidates(runtime: Runtime, management: ManagementClient, plan: Connection) -> list[Candidate]:
    return await list_candidates(runtime.work, management, plan)


WAYS: Final[dict[str, tuple[dict[str, str], WayIn | None]]] = {
    "username and password": ({"username": "rec_one", "password": PASSWORD}, WayIn.USERNAME),
    "username without a password": ({"username": "rec_two"}, None),
    "address inside": ({"email": f"rec3@{DOMAIN}", "password": PASSWORD}, None),
    "address inside in capitals": ({"email": f"rec4@{DOMAIN.upper()}", "password": PASSWORD}, None),
    "address outside and password": ({"email": "rec5@elsewhere.test", "password": PASSWORD}, WayIn.ADDRESS),
    "address at a subdomain": ({"email": f"rec6@mail.{DOMAIN}", "password": PASSWORD}, WayIn.ADDRESS),
    "both": ({"username": "rec_seven", "email": f"rec7@{DOMAIN}", "password": PASSWORD}, WayIn.USERNAME),
}


@pytest.mark.parametrize("account", WAYS)
async def test_another_way_in_is_a_username_with_a_password_or_an_address_elsewhere(
    make: Factory, management: ManagementClient, runtime: Runtime, plan: Connection, account: str
) -> None:
    values, way = WAYS[account]
    person = await add_admin(make, plan, "Ada", **values)

    (found,) = await candidates(runtime, management, plan)

    assert (found.id, found.name, found.way) == (person.id, "Ada", way)
    assert found.email == values.get("email")


async def test_candidates_are_the_admins_without_an_end_who_can_sign_in(
    make: Factory, management: ManagementClient, runtime: Runtime, plan: Connection
) -> None:
    organization_id = plan.organization_id
    zoe, ada = (
        await make.member(organization_id, "Zoe", "admin"),
        await make.member(organization_id, "ada", "admin"),
    )
    await make.member(organization_id, "Ella", "editor")
    temporary = await make.member(organization_id, "Tess", "admin")
    await set_end(runtime, organization_id, temporary, "admin", FUTURE)
    suspended = await make.member(organization_id, "Sue", "admin")
    path = f"/users/{suspended.id}/is-suspended"
    await management._transport.call("PATCH", path, body={"isSuspended": True})
    both = await make.member(organization_id, "Bob", "admin", "editor")
    await set_end(runtime, organization_id, both, "editor", FUTURE)

    found = await candidates(runtime, management, plan)

    assert [one.id for one in found] == [ada.id, both.id, zoe.id]


async def test_somebody_with_another_way_in_is_accepted(
    make: Factory, management: ManagementClient, runtime: Runtime, plan: Connection
) -> None:
    ada = await make.member(plan.organization_id, "Ada", "admin")
    found = await require_recoverable(runtime.work, management, plan, ada.id)
    assert found.way is WayIn.USERNAME


async def test_somebody_who_comes_only_through_the_provider_is_rejected_with_the_reason(
    make: Factory, management: ManagementClient, runtime: Runtime, plan: Connection
) -> None:
    ada = await add_admin(make, plan, "Ada", email=f"rec8@{DOMAIN}", password=PASSWORD)
    with pytest.raises(Invalid) as refused:
        await require_recoverable(runtime.work, management, plan, ada.id)
    assert "can sign in only with" in str(refused.value.detail)
    assert refused.value.fields.keys() == {"recovery"}


@pytest.mark.parametrize("role", ["editor", None])
async def test_somebody_who_is_no_admin_or_no_member_is_rejected_alike(
    make: Factory, management: ManagementClient, runtime: Runtime, plan: Connection, role: str | None
) -> None:
    ella = (
        await make.person("Ella") if role is None else await make.member(plan.organization_id, "Ella", role)
    )
    with pytest.raises(Invalid, match="Choose a member who is an admin without an end"):
        await require_recoverable(runtime.work, management, plan, ella.id)


async def test_the_domains_of_a_plan_that_is_not_stored_yet_count(
    make: Factory, management: ManagementClient, runtime: Runtime, plan: Connection
) -> None:
    await add_admin(make, plan, "Ada", email="rec9@elsewhere.test", password=PASSWORD)
    wider = replace(plan, domains=(DOMAIN, "elsewhere.test"))
    (found,) = await candidates(runtime, management, wider)
    assert found.way is None


@pytest.mark.parametrize(
    "path", ["/organization-roles", "/organizations/[^/]+/users", "/users/", "/sign-in-exp"]
)
async def test_while_logto_is_down_nobody_is_a_candidate_and_nothing_is_guessed(
    make: Factory, faulty_app: Quart, gate: Gate, plan: Connection, path: str
) -> None:
    await make.member(plan.organization_id, "Ada", "admin")
    services = runtime_of(faulty_app)
    assert services.management is not None
    gate.fail(Fault("GET", f"^/api{path}", **DOWN))
    with pytest.raises(LogtoUnavailable):
        await list_candidates(services.work, services.management, plan)

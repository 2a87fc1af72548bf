"""From its end on, a role grants nothing here, although Logto still has it: the job has stopped.

Everywhere the tokens are fresh and genuine, and Logto would issue them again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from quart import Quart

from saas_app.rbac.permissions import ROLE_PERMISSIONS, Carrier, Permission, Role
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.bearer import ApiClient, PersonClient
from tests.integration.ending import FUTURE, PAST, set_end
from tests.integration.faulty_logto import DOWN, Fault, Gate
from tests.integration.members.conftest import roles_form
from tests.offices import Office

ENDING = Role.EDITOR
LOST = Permission.PROJECTS_WRITE
KEPT = Permission.PROJECTS_READ

assert LOST in ROLE_PERMISSIONS[ENDING] - ROLE_PERMISSIONS[Role.VIEWER]
assert KEPT in ROLE_PERMISSIONS[ENDING] & ROLE_PERMISSIONS[Role.VIEWER]


@dataclass
class Temporary:
    """A signed-in member with a role for a time, whose tokens were fetched before its end."""

    organization_id: str
    person: Person
    browser: Browser
    program: ApiClient
    runtime: Runtime

    @property
    def projects(self) -> str:
        """The path of the list, which needs :data:`KEPT`. The form below it needs :data:`LOST`."""
        return f"/o/{self.organization_id}/projects"

    @property
    def api(self) -> str:
        """The path of the list in the API."""
        return f"/api/v1/organizations/{self.organization_id}/projects"

    async def ends(self, ends_in: timedelta = PAST, role: str = ENDING) -> None:
        """Let the role end."""
        await set_end(self.runtime, self.organization_id, self.person, role, ends_in)

    async def roles_at_logto(self) -> frozenset[str] | None:
        """Ask Logto for the roles."""
        assert self.runtime.management
        return await self.runtime.management.find_member_roles(self.organization_id, self.person.id)


Hire = Callable[..., Awaitable[Temporary]]


@pytest.fixture
def hire(
    acme: Office, make: Factory, open_browser: OpenBrowser, as_person: PersonClient, runtime: Runtime
) -> Hire:
    """``await hire("editor", "viewer")``: a new member with these roles, one of which ends in an hour."""

    async def one(*roles: str) -> Temporary:
        person = await make.member(acme.id, "Tess", *roles)
        program = await as_person(person, acme.id)
        hired = Temporary(acme.id, person, await open_browser(person), program, runtime)
        await hired.ends(FUTURE)
        await hired.browser.follow(f"{hired.projects}/new")
        return hired

    return one


@pytest.fixture
async def tess(hire: Hire) -> Temporary:
    """An editor for a time, without another role."""
    return await hire(ENDING)


@pytest.fixture
async def viewing_tess(hire: Hire) -> Temporary:
    """A viewer, and an editor for a time."""
    return await hire(ENDING, Role.VIEWER)


async def test_a_role_grants_everything_until_its_end(tess: Temporary) -> None:
    await tess.browser.get(f"{tess.projects}/new")
    await tess.browser.post(f"{tess.projects}/new", {"name": "Apollo"})
    await tess.program.call("POST", "/projects", 201, json={"name": "Gemini"})


async def test_a_page_is_denied_from_the_end_on_and_says_why(tess: Temporary) -> None:
    await tess.ends()

    page = await tess.browser.text(f"{tess.projects}/new", expect=403)

    assert f"The {ENDING} role, which grants {LOST}, has ended." in page
    assert await tess.roles_at_logto() == {ENDING}


async def test_a_form_is_denied_from_the_end_on(tess: Temporary) -> None:
    await tess.ends()

    await tess.browser.post(f"{tess.projects}/new", {"name": "Apollo"}, expect=403)


async def test_the_api_is_denied_to_a_session_from_the_end_on(tess: Temporary) -> None:
    await tess.browser.get(tess.api)
    await tess.ends()

    await tess.browser.get(tess.api, expect=403)


async def test_a_bearer_token_is_denied_from_the_end_on(tess: Temporary) -> None:
    await tess.program.call("GET", "/projects")
    await tess.ends()

    problem = await tess.program.json("GET", "/projects", 403)

    assert f"The {ENDING} role, which grants {KEPT}, has ended." in problem["detail"]


async def test_a_token_that_logto_issues_after_the_end_grants_nothing_either(
    tess: Temporary, as_person: PersonClient
) -> None:
    await tess.ends()
    program = await as_person(tess.person, tess.organization_id)

    await program.call("GET", "/projects", 403)


async def test_a_new_session_is_denied_as_well(tess: Temporary, open_browser: OpenBrowser) -> None:
    await tess.ends()
    again = await open_browser(tess.person)

    assert (await again.follow(f"{tess.projects}/new")).status_code == 403


async def test_another_role_still_counts_after_the_end(viewing_tess: Temporary) -> None:
    link = f'href="{viewing_tess.projects}/new"'
    assert link in await viewing_tess.browser.text(viewing_tess.projects)
    await viewing_tess.ends()

    page = await viewing_tess.browser.text(viewing_tess.projects)

    assert link not in page
    await viewing_tess.browser.get(f"{viewing_tess.projects}/new", expect=403)


async def test_another_role_still_counts_for_a_bearer_token(viewing_tess: Temporary) -> None:
    await viewing_tess.ends()

    await viewing_tess.program.call("GET", "/projects")
    await viewing_tess.program.call("POST", "/projects", 403, json={"name": "Gemini"})


async def test_while_logto_is_down_a_bearer_token_loses_what_the_ended_role_grants(
    viewing_tess: Temporary, faulty_app: Quart, gate: Gate
) -> None:
    """The token does not say that the other role grants it too, and Logto cannot be asked."""
    await viewing_tess.ends()
    gate.fail(Fault("GET", "/roles", **DOWN))

    program = ApiClient(faulty_app, viewing_tess.organization_id, viewing_tess.program.token)

    await program.call("GET", "/projects", 403)


async def test_the_end_of_a_role_in_one_organization_changes_nothing_in_another(
    tess: Temporary, make: Factory, runtime: Runtime
) -> None:
    other = await make.organization()
    await set_end(runtime, other, tess.person, ENDING, PAST)

    await tess.browser.get(f"{tess.projects}/new")
    await tess.program.call("GET", "/projects")


async def test_the_end_of_a_role_of_one_member_changes_nothing_for_another(
    acme: Office, tess: Temporary, make: Factory, open_browser: OpenBrowser, as_person: PersonClient
) -> None:
    colleague = await make.member(acme.id, "Cole", ENDING)
    browser, program = await open_browser(colleague), await as_person(colleague, acme.id)
    await tess.ends()

    assert (await browser.follow(f"{tess.projects}/new")).status_code == 200
    await program.call("GET", "/projects")


@pytest.mark.parametrize("carrier", Carrier)
async def test_a_program_of_an_admin_whose_role_ended_does_nothing(
    acme: Office, make: Factory, as_person: PersonClient, runtime: Runtime, carrier: Carrier
) -> None:
    person = await make.member(acme.id, "Tess", Role.ADMIN)
    program = await as_person(person, acme.id, carrier)
    await set_end(runtime, acme.id, person, Role.ADMIN, PAST)

    invitation = {"email": "a@example.com", "roles": ["viewer"]}
    await program.call("POST", "/invitations", 403, json=invitation)
    await program.call("GET", "/projects", 403)


@pytest.fixture
async def temporary_admin(acme: Office, runtime: Runtime) -> Browser:
    """The browser of an admin whose role ends in an hour."""
    await set_end(runtime, acme.id, acme.admin, Role.ADMIN, FUTURE)
    return acme.browser


LASTING: dict[str, tuple[str, dict[str, str | list[str]]]] = {
    "an invitation": ("/invitations/new", {"addresses": "a@example.com", "roles": ["viewer"], "days": "7"}),
    "an API client": (
        "/api-clients/new",
        {"name": "Export", "permissions": ["projects:read"], "expires": "never"},
    ),
    "a default role": ("/settings/joining-role", {"role": "viewer", "seen": ""}),
}


@pytest.mark.parametrize("what", LASTING)
async def test_a_temporary_admin_gives_nobody_lasting_power_by(
    acme: Office, temporary_admin: Browser, what: str
) -> None:
    path, form = LASTING[what]

    page = await temporary_admin.submit(f"{acme.root}{path}", form, expect=403)

    assert "which you have only until" in page
    assert not await acme.management.list_invitations(acme.id)
    assert not await acme.management.list_joining_roles(acme.id)
    assert not (await acme.management.list_machines_page(acme.id, page=1, page_size=1)).total


async def test_a_temporary_admin_gives_nobody_a_lasting_role(
    acme: Office, temporary_admin: Browser, make: Factory
) -> None:
    bob = await make.member(acme.id, "Bob")

    form = roles_form([], [Role.VIEWER])
    page = await temporary_admin.submit(f"{acme.root}/members/{bob.id}/roles", form, expect=403)

    assert "Choose an end that is not later." in page
    assert 'value="viewer" aria-describedby="role-viewer" checked' in page  # what was chosen is still there
    assert await acme.roles_at_logto(bob) == set()


@pytest.mark.parametrize("path", ["/invitations/new", "/api-clients/new"])
async def test_forms_offer_a_temporary_admin_nothing_that_lasts(
    acme: Office, temporary_admin: Browser, path: str
) -> None:
    page = await temporary_admin.text(f"{acme.root}{path}")

    assert "only until one of your roles ends" in page
    assert "which you do not have" not in page


async def test_settings_offer_a_temporary_admin_no_default_role(
    acme: Office, temporary_admin: Browser
) -> None:
    assert '<option value="viewer"' not in await temporary_admin.text(f"{acme.root}/settings")


async def test_a_temporary_admin_still_does_everything_else(acme: Office, temporary_admin: Browser) -> None:
    for path in ("/members", "/settings", "/audit", "/projects/new", "/access"):
        await temporary_admin.follow(f"{acme.root}{path}")

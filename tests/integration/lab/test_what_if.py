"""The predictions of the workbench, held against the provider: roles are changed, tokens really fetched."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import permutations

import pytest

from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.profiles import Membership
from saas_app.lab import workbench
from saas_app.lab.bench import Bench
from saas_app.lab.workbench import Grants, Preview, Workbench
from saas_app.rbac.assignment import PERSON_ROLES
from saas_app.rbac.permissions import Permission, Role
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory

NONE = "no role"
ROLES = (*(role.value for role in PERSON_ROLES), NONE)


@dataclass(frozen=True)
class Experiment:
    """A member of one organization in a browser, whose tokens are predicted and then fetched."""

    runtime: Runtime
    make: Factory
    browser: Browser
    person: Person
    organization_id: str

    async def principal(self) -> SessionPrincipal:
        access = await self.runtime.sessions.find_access(self.browser.session_cookie, None)
        assert access is not None
        return access.principal

    async def bench(self) -> Bench:
        services = self.runtime
        bench = Workbench(services.sessions, services.tenants, services.inspector, services.freshness)
        membership = Membership(self.organization_id, "Acme", frozenset())
        return await bench.read(await self.principal(), [membership])

    async def preview(self, role: str) -> Preview:
        settings = self.runtime.settings
        grants = Grants(
            self.runtime.management, self.runtime.sessions, settings.logto_app_id, settings.api_resource
        )
        bench = await self.bench()
        wanted = None if role == NONE else Role(role)
        return await workbench.preview(grants, await self.principal(), bench, bench.columns[0], wanted)

    async def give(self, role: str) -> None:
        await self.make.give_roles(self.organization_id, self.person, *([] if role == NONE else [role]))

    async def refreshed(self) -> frozenset[Permission]:
        """Fetch both tokens again, and return what they carry."""
        await self.browser.post("/lab/tokens/refresh", {"left": self.organization_id})
        carried = (await self.bench()).columns[0].carried
        return frozenset().union(*carried.values())

    async def consented(self) -> frozenset[Permission]:
        """Make a silent round trip, fetch both tokens again, and return what they carry."""
        response = await self.browser.follow("/sign-in/renew?next=/account")
        assert response.status_code == 200
        return await self.refreshed()


Begin = Callable[[str], Awaitable[Experiment]]


@pytest.fixture
def begin(make: Factory, open_browser: OpenBrowser, runtime: Runtime) -> Begin:
    """``await begin("viewer")``: a member who signed in and consented with this role."""

    async def begin_one(role: str) -> Experiment:
        person = await make.person("Vera")
        organization_id = (await make.empty_organization()).id
        await make.join(organization_id, person, *([] if role == NONE else [role]))
        return Experiment(runtime, make, await open_browser(person), person, organization_id)

    return begin_one


def carried(preview: Preview, moment: str) -> frozenset[Permission]:
    return frozenset(one.permission for one in preview.predictions if getattr(one, moment))


@pytest.mark.parametrize(("before", "after"), list(permutations(ROLES, 2)))
async def test_a_changed_role_reaches_tokens_when_predicted(begin: Begin, before: str, after: str) -> None:
    """Nothing changes until the refresh, then the refresh and the new consent bring what was predicted."""
    experiment = await begin(before)
    foreseen = await experiment.preview(after)

    await experiment.give(after)

    assert carried(foreseen, "now") == frozenset().union(
        *(await experiment.bench()).columns[0].carried.values()
    )
    assert carried(foreseen, "after_refresh") == await experiment.refreshed()
    assert carried(foreseen, "after_consent") == await experiment.consented()


async def test_a_grant_that_froze_more_gives_it_back_at_a_refresh(begin: Begin) -> None:
    """A member who was an admin when they consented is demoted, and promoted again."""
    experiment = await begin(Role.ADMIN)
    await experiment.give(Role.VIEWER)
    await experiment.refreshed()
    foreseen = await experiment.preview(Role.ADMIN)

    await experiment.give(Role.ADMIN)

    assert Permission.PROJECTS_WRITE in carried(foreseen, "after_refresh")
    assert carried(foreseen, "after_refresh") == await experiment.refreshed()


async def test_what_another_organization_gave_at_consent_is_frozen_too(begin: Begin, make: Factory) -> None:
    """An admin elsewhere, who consented as such, is promoted here."""
    experiment = await begin(Role.VIEWER)
    await make.join((await make.empty_organization("Globex")).id, experiment.person, Role.ADMIN)
    await experiment.consented()
    foreseen = await experiment.preview(Role.EDITOR)

    await experiment.give(Role.EDITOR)

    assert Permission.PROJECTS_WRITE in carried(foreseen, "after_refresh")
    assert carried(foreseen, "after_refresh") == await experiment.refreshed()


async def test_the_grant_is_read_from_logto(begin: Begin) -> None:
    experiment = await begin(Role.EDITOR)

    foreseen = await experiment.preview(Role.ADMIN)

    assert foreseen.frozen == (Permission.PROJECTS_READ, Permission.PROJECTS_WRITE)


async def test_the_only_grant_is_that_of_the_session(begin: Begin, runtime: Runtime) -> None:
    """The session at Logto has ended, and the refresh token lives on."""
    experiment = await begin(Role.VIEWER)
    await experiment.bench()
    await experiment.browser.logto.sign_out(runtime.settings.logto_endpoint, runtime.settings.logto_app_id)

    foreseen = await experiment.preview(Role.ADMIN)

    assert foreseen.frozen == (Permission.PROJECTS_READ,)


async def test_which_of_several_grants_is_meant_may_be_open(
    begin: Begin, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    """The session at Logto has ended, and another browser has a grant too."""
    experiment = await begin(Role.VIEWER)
    await experiment.bench()
    await open_browser(experiment.person)
    await experiment.browser.logto.sign_out(runtime.settings.logto_endpoint, runtime.settings.logto_app_id)

    foreseen = await experiment.preview(Role.ADMIN)

    assert foreseen.frozen is None
    by_permission = {one.permission: one for one in foreseen.predictions}
    assert by_permission[Permission.PROJECTS_READ].after_refresh is True
    assert by_permission[Permission.PROJECTS_WRITE].after_refresh is None

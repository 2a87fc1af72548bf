"""A site with a support team and its agent, Sam, and customers with Alice, an admin, and Carol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from saas_app.logto.client import connect
from saas_app.operations.deployment import support_environment
from saas_app.operations.provisioning import SupportTeam, apply_support, survey_support
from saas_app.rbac.permissions import Permission, Role, roles_granting
from tests.browser.site import Site
from tests.clients import Person
from tests.databases import migrated_database
from tests.factories import Factory
from tests.processes import running_application, running_provider
from tests.settings import management_settings

_SUPPORT = roles_granting(Permission.SUPPORT_ACT)


@dataclass(frozen=True, slots=True)
class SupportSite:
    """The site and the organization *Support*. Each test makes its own people and customers."""

    site: Site
    team: str
    people: Factory

    @property
    def desk(self) -> str:
        """The path of the support desk."""
        return f"/o/{self.team}/support"

    async def agent(self) -> Person:
        """Make an agent, Sam."""
        return await self.people.member(self.team, "Sam", *_SUPPORT)

    async def customer(self) -> Customer:
        """Make an organization with an admin and a member."""
        organization = await self.people.organization("Acme Robotics")
        alice = await self.people.member(organization, "Alice", Role.ADMIN)
        return Customer(organization, alice, await self.people.member(organization, "Carol", Role.EDITOR))


@dataclass(frozen=True, slots=True)
class Customer:
    """An organization with its admin, Alice, and Carol, who changes projects."""

    id: str
    alice: Person
    carol: Person

    @property
    def root(self) -> str:
        """The path of its pages."""
        return f"/o/{self.id}"


@asynccontextmanager
async def open_support_site(directory: Path) -> AsyncIterator[SupportSite]:
    """Start everything, until the block ends. The team exists before the application reads its settings."""
    with ExitStack() as stack:
        provider = stack.enter_context(running_provider(directory))
        database = stack.enter_context(migrated_database(directory))
        management = management_settings(provider)
        async with connect(management) as client:
            team = await apply_support(client, await survey_support(client, SupportTeam()))
            application = stack.enter_context(
                running_application(provider, database, directory, **support_environment(team))
            )
            yield SupportSite(Site(application.url, management), team.organization_id, Factory(client))

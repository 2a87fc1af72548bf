"""A site that offers single sign-on, and companies with an identity provider of their own.

A company's provider is a second ``local_logto`` at 127.0.0.1, because browsers share cookies between the
ports of one host. It starts with a test, which may stop it.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local_logto.testing import Organization

from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.email_domains.seed import seed_verified
from saas_app.logto.client import connect
from saas_app.models import DomainProof
from saas_app.rbac.permissions import Role
from saas_app.web.origin import origin_of
from tests.browser.site import Site
from tests.clients import Person
from tests.databases import migrated_database
from tests.factories import PASSWORD, Factory
from tests.processes import Provider, running_application, running_provider
from tests.settings import management_settings

GROUP = "engineers"
CLAIM = "organization_roles"  # Logto has no claim for groups: these are roles in organizations
SCOPE = "urn:logto:scope:organization_roles"


@dataclass(frozen=True, slots=True)
class SsoSite:
    """The site. ``work`` reaches its database, and each test makes its own companies."""

    site: Site
    people: Factory
    work: UnitOfWork

    async def company(self, provider: Provider) -> Company:
        """Make an organization that has proved a domain by DNS, with an admin and a member there."""
        domain = f"c{secrets.token_hex(5)}.example"
        ada, carol = [await self.people.person(name, domain=domain) for name in ("Ada", "Carol")]
        organization = await self.people.organization("Acme", admin=ada, editor=carol)
        client = self.people.management
        await seed_verified(self.work, client, organization, domain, ada.id, proof=DomainProof.DNS)
        roles = {role.name: role.id for role in await client.list_organization_roles()}
        await client.replace_joining_roles(organization, [roles[Role.VIEWER.value]])
        company = Company(organization, domain, provider, ada, carol)
        company.employ(ada.username)
        company.employ(carol.username, is_engineer=True)
        return company


@dataclass(slots=True)
class Company:
    """An organization, its provider, and Ada, its admin, and Carol, who changes projects.

    Both have an account with a password here, and one at the provider with the same address. Carol is
    in the group there.
    """

    id: str
    domain: str
    provider: Provider
    ada: Person
    carol: Person
    staff: Organization = field(init=False)

    def __post_init__(self) -> None:
        self.provider.role(GROUP)
        self.staff = self.provider.organization("Staff")

    @property
    def root(self) -> str:
        """The path of the organization's pages."""
        return f"/o/{self.id}"

    @property
    def page(self) -> str:
        """The path of the page on which single sign-on is set up."""
        return f"{self.root}/single-sign-on"

    @property
    def group(self) -> str:
        """How the provider names the group in its claim."""
        return f"{self.staff.id}:{GROUP}"

    def address(self, username: str) -> str:
        """Return an address at the company's domain."""
        return f"{username}@{self.domain}"

    def employ(self, username: str, *, is_engineer: bool = False, email: str = "") -> Person:
        """Give somebody an account at the provider, by default with an address at the company's domain."""
        email = email or self.address(username)
        values = {"username": username, "primaryEmail": email, "password": PASSWORD, "name": username}
        made = self.provider.management.call("POST", "/users", values)
        person = Person(made["id"], username, PASSWORD, email)
        if is_engineer:
            self.provider.join(self.staff, person, GROUP)
        return person


@asynccontextmanager
async def open_sso_site(directory: Path) -> AsyncIterator[SsoSite]:
    """Start the site, until the block ends."""
    offered = {"SINGLE_SIGN_ON": "true", "SINGLE_SIGN_ON_PRIVATE_ISSUERS": "true"}
    with ExitStack() as stack:
        provider = stack.enter_context(running_provider(directory))
        database = stack.enter_context(migrated_database(directory))
        application = stack.enter_context(running_application(provider, database, directory, **offered))
        management, engine = management_settings(provider), create_engine(database.jobs_url)
        try:
            async with connect(management) as client:
                yield SsoSite(Site(application.url, management), Factory(client), UnitOfWork(engine))
        finally:
            await engine.dispose()


@contextmanager
def running_company(directory: Path) -> Iterator[Provider]:
    """Run the provider of a company, until the block ends."""
    with running_provider(directory, host="127.0.0.1") as provider:
        yield provider


def origins(site: SsoSite, provider: Provider) -> frozenset[str]:
    """Return the origins that a browser may call."""
    return site.site.origins | {str(origin_of(provider.endpoint))}

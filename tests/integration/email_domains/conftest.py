"""An organization whose admin claims an email domain that no other test uses."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

import pytest
import sqlalchemy as sa

from saas_app.changes.organization_change import Systems
from saas_app.db.base import utc_now
from saas_app.email_domains import queries
from saas_app.email_domains.dns_records import TxtResolver
from saas_app.email_domains.queries import Claim
from saas_app.email_domains.rechecks import DomainChecks
from saas_app.models import AuditEvent, EmailDomain
from saas_app.operations.reconciliation.service import Reconciler
from saas_app.runtime import Runtime
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.nameserver import FakeNameserver
from tests.offices import Office

GRACE = timedelta(days=3)


@dataclass(frozen=True)
class Place(Office):
    """An organization with an admin, and a domain that no other test uses."""

    domain: str
    runtime: Runtime
    nameserver: FakeNameserver

    @property
    def settings(self) -> str:
        """The path of the settings."""
        return f"{self.root}/settings"

    async def claim(self) -> None:
        """Add the domain to the list."""
        await self.browser.post(f"{self.settings}/domains", {"domain": self.domain})

    async def publish(self) -> None:
        """Add the TXT record that the page asks for to DNS."""
        page = await self.browser.text(self.settings)
        value = re.search(r"(workroom-domain-verification=[\w-]+)", page)
        name = re.search(rf"<code>([\w.-]*{re.escape(self.domain)})</code>", page)
        assert value is not None, page
        assert name is not None, page
        self.nameserver.records.setdefault(name.group(1), []).append(value.group(1))

    def unpublish(self) -> None:
        """Remove every TXT record."""
        self.nameserver.records.pop(f"_workroom.{self.domain}", None)

    async def verify(self, proof: str = "dns", expect: int = 303) -> str:
        """Verify the domain, and return the page that says why it failed."""
        form = {"domain": self.domain, "proof": proof}
        return await self.browser.submit(f"{self.settings}/domains/verify", form, expect)

    async def in_logto(self) -> list[str]:
        """Return the domains whose people join automatically."""
        return await self.management.list_joining_domains(self.id)

    async def find_claim(self) -> Claim | None:
        async with self.runtime.jobs.reading() as db:
            return await queries.find_claim(db, self.id, self.domain)

    async def events(self) -> list[AuditEvent]:
        """Return the audit events about domains and people who joined by one, oldest first."""
        async with self.runtime.work.writing(self.id) as db:
            wanted = sa.or_(AuditEvent.action.startswith("domain."), AuditEvent.action == "member.join")
            return list(await db.scalars(sa.select(AuditEvent).where(wanted).order_by(AuditEvent.id)))

    async def actions(self) -> list[str]:
        return [event.action for event in await self.events()]

    async def reconcile(self, grace: timedelta = GRACE) -> list[str]:
        """Run what ``saas-app reconcile`` runs, and return what it repaired about this domain."""
        resolver = TxtResolver(self.runtime.settings.domain_nameservers, timeout=1)
        checks = DomainChecks(Systems(self.runtime.jobs, self.management, None), resolver, grace)
        found = [item async for item in Reconciler(self.runtime.jobs, self.management, checks).run(self.id)]
        return [item.what for item in found if self.domain in item.what.lower()]

    async def age_first_failure(self, span: timedelta) -> None:
        """Make the first failed check look as old as ``span``."""
        async with self.runtime.jobs.writing() as db:
            await db.execute(
                sa.update(EmailDomain)
                .where(EmailDomain.organization_id == self.id)
                .values(failing_since=utc_now() - span)
                .execution_options(synchronize_session=False)
            )


def new_domain() -> str:
    """Return a domain that no other test uses."""
    return f"d{secrets.token_hex(5)}.example"


@dataclass(frozen=True, slots=True)
class Places:
    """A factory for places, also for several with one domain."""

    make: Factory
    open_browser: OpenBrowser
    runtime: Runtime
    nameserver: FakeNameserver

    async def new(self, domain: str = "", *, has_address: bool = False) -> Place:
        """Make a place. ``has_address``: the admin's email address is at the domain."""
        domain = domain or new_domain()
        admin = await self.make.person("Ada", domain=domain if has_address else "example.test")
        organization = await self.make.empty_organization()
        await self.make.join(organization.id, admin, "admin")
        office = Office(
            organization.id,
            organization.name,
            {"admin": admin},
            {"admin": await self.open_browser(admin)},
            self.make.management,
        )
        return Place(**vars(office), domain=domain, runtime=self.runtime, nameserver=self.nameserver)


@pytest.fixture
def places(make: Factory, open_browser: OpenBrowser, runtime: Runtime, nameserver: FakeNameserver) -> Places:
    return Places(make, open_browser, runtime, nameserver)


@pytest.fixture
async def place(places: Places) -> Place:
    """A place whose admin has an address at another domain."""
    return await places.new()


@pytest.fixture(scope="module")
def shared_place(shared_acme: Office, runtime: Runtime, nameserver: FakeNameserver) -> Place:
    """A place for all tests of a module that are rejected and change nothing."""
    return Place(**vars(shared_acme), domain=new_domain(), runtime=runtime, nameserver=nameserver)


@pytest.fixture
async def verified(place: Place) -> Place:
    """A place whose domain is verified by a TXT record."""
    await place.claim()
    await place.publish()
    await place.verify()
    return place

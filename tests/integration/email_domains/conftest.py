"""An organization whose admin claims an email domain that only this test uses."""

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
from saas_app.logto import ManagementClient
from saas_app.models import AuditEvent, EmailDomain
from saas_app.operations.reconciliation.service import Reconciler
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import PASSWORD, Factory
from tests.integration.invitations.conftest import gate, mailbox, sign_up_by_email
from tests.integration.organizations.settings_pages import answer_of, text_of
from tests.nameserver import FakeNameserver

__all__ = ["gate", "mailbox", "sign_up_by_email"]

GRACE = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Place:
    """An organization, its admin's browser, and a domain nobody else has."""

    id: str
    admin: Person
    browser: Browser
    domain: str
    management: ManagementClient
    runtime: Runtime
    nameserver: FakeNameserver

    @property
    def root(self) -> str:
        return f"/o/{self.id}/settings"

    async def claim(self) -> None:
        """Put the domain on the list."""
        await self.browser.post(f"{self.root}/domains", {"domain": self.domain})

    async def publish(self) -> None:
        """Add the TXT record that the page asks for to the DNS."""
        page = await text_of(self.browser, self.root)
        value = re.search(r"(workroom-domain-verification=[\w-]+)", page)
        name = re.search(rf"<code>([\w.-]*{re.escape(self.domain)})</code>", page)
        assert value is not None, page
        assert name is not None, page
        self.nameserver.records.setdefault(name.group(1), []).append(value.group(1))

    def unpublish(self) -> None:
        """Take every record away."""
        self.nameserver.records.pop(f"_workroom.{self.domain}", None)

    async def verify(self, proof: str = "dns", expect: int = 303) -> str:
        """Press the button; what the page says when it did not work."""
        form = {"domain": self.domain, "proof": proof}
        if expect == 303:
            await self.browser.post(f"{self.root}/domains/verify", form)
            return ""
        return await answer_of(self.browser, f"{self.root}/domains/verify", form, expect)

    async def in_logto(self) -> list[str]:
        """The domains that let people join."""
        return await self.management.list_joining_domains(self.id)

    async def find_claim(self) -> Claim | None:
        async with self.runtime.work.reading() as db:
            return await queries.find_claim(db, self.id, self.domain)

    async def events(self) -> list[AuditEvent]:
        """What the trail tells of domains and of people who joined by one, the oldest first."""
        async with self.runtime.work.reading(self.id) as db:
            wanted = sa.or_(AuditEvent.action.startswith("domain."), AuditEvent.action == "member.join")
            return list(await db.scalars(sa.select(AuditEvent).where(wanted).order_by(AuditEvent.id)))

    async def actions(self) -> list[str]:
        return [event.action for event in await self.events()]

    async def reconcile(self, grace: timedelta = GRACE) -> list[str]:
        """What ``saas-app reconcile`` tells of this domain."""
        resolver = TxtResolver(self.runtime.settings.domain_nameservers, timeout=1)
        checks = DomainChecks(Systems(self.runtime.work, self.management, None), resolver, grace)
        found = [item async for item in Reconciler(self.runtime.work, self.management, checks).run(self.id)]
        return [item.what for item in found if self.domain in item.what.lower()]

    async def let_pass(self, span: timedelta) -> None:
        """As if the first check that failed had been so long ago."""
        async with self.runtime.work.writing() as db:
            await db.execute(
                sa.update(EmailDomain)
                .where(EmailDomain.organization_id == self.id)
                .values(failing_since=utc_now() - span)
                .execution_options(synchronize_session=False)
            )


def new_domain() -> str:
    """A domain nobody else has."""
    return f"d{secrets.token_hex(5)}.example"


@dataclass(frozen=True, slots=True)
class Places:
    """Makes places. ``email``: the admin's address is at the domain."""

    make: Factory
    open_browser: OpenBrowser
    runtime: Runtime
    nameserver: FakeNameserver

    async def new(self, domain: str = "", *, has_address: bool = False) -> Place:
        domain = domain or new_domain()
        admin = await self.person_at(domain if has_address else "example.test")
        organization_id = await self.make.organization("Acme", admin=admin)
        return Place(
            organization_id, admin, await self.open_browser(admin), domain,
            self.make.management, self.runtime, self.nameserver,
        )  # fmt: skip

    async def person_at(self, domain: str) -> Person:
        """Somebody with an address there."""
        username = f"p_{secrets.token_hex(5)}"
        user = await self.make.management.create_user(
            username=username, email=f"{username}@{domain}", name="Ada", password=PASSWORD
        )
        return Person(user.id, username, PASSWORD)


@pytest.fixture
def places(make: Factory, open_browser: OpenBrowser, runtime: Runtime, nameserver: FakeNameserver) -> Places:
    return Places(make, open_browser, runtime, nameserver)


@pytest.fixture
async def place(places: Places) -> Place:
    """One place whose admin's address is elsewhere."""
    return await places.new()

"""A company: an organization with a proved domain, its own identity provider, and people who sign in."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from local_logto.fakes.openid import FakeOpenId, OpenIdPerson
from quart import Quart
from quart.wrappers import Response

from saas_app.db.base import utc_now
from saas_app.email_domains import queries as domains
from saas_app.logto import LogtoUser, SsoConnector
from saas_app.models import AuditEvent, DomainProof, SessionRow
from saas_app.runtime import Runtime
from saas_app.single_sign_on.queries import (
    add_connection,
    change_connection,
    find_connection,
    save_secret,
)
from saas_app.single_sign_on.values import CONNECTOR_MARK, Connection, Stage
from tests.clients import Browser, Person, text_of
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.offices import Office

SCOPES: Final = "openid profile email"
_STAGES: Final = list(Stage)


@dataclass(frozen=True)
class Company(Office):
    """An organization whose admin, Ada, has an address at the domain that it holds by DNS.

    ``provider`` is the company's identity provider; a test decides what it asserts. There is no connection
    until :meth:`connect`, which makes one as the pages would, in Logto and here.
    """

    domain: str
    provider: FakeOpenId
    runtime: Runtime
    open_browser: OpenBrowser

    def address(self, name: str) -> str:
        """Return an address at the company's domain."""
        return f"{name}@{self.domain}"

    async def hold(self, domain: str, proof: DomainProof = DomainProof.DNS) -> str:
        """Let the organization hold one more domain."""
        now = utc_now()
        async with self.runtime.jobs.writing() as db:
            await domains.add_claim(db, self.id, domain, secrets.token_hex(8), now)
            await domains.hold(db, self.id, domain, proof, self.admin.id, now)
        return domain

    async def lose(self, domain: str = "") -> None:
        """Let the organization lose a domain here, without telling Logto."""
        async with self.runtime.jobs.writing() as db:
            await domains.release(db, self.id, domain or self.domain)

    async def connect(self, stage: Stage = Stage.ON, **values: Any) -> str:
        """Connect the provider, as far as ``stage``. Returns the connector's ID at Logto.

        ``values`` are further columns, such as ``group_claim``. ``domains`` are the company's by default.
        """
        management, name = self.management, f"{CONNECTOR_MARK}{self.id}"
        connector_id = (await management.create_sso_connector(name)).id
        now, reached = utc_now(), _STAGES.index(stage)
        columns: dict[str, Any] = {"domains": [self.domain], **values}
        if reached >= _STAGES.index(Stage.CONFIGURED):
            columns |= {"issuer": self.provider.issuer, "client_id": self.provider.client_id}
            columns |= {"scopes": SCOPES}
        if reached >= _STAGES.index(Stage.TESTED):
            columns |= {"tested_at": now, "tested_by": self.admin.id}
        if reached >= _STAGES.index(Stage.ON):
            columns |= {"on_at": now}
        if reached >= _STAGES.index(Stage.REQUIRED):
            columns |= {"required_at": now, "recovery_id": values.get("recovery_id", self.admin.id)}
        async with self.runtime.work.writing(self.id) as db:
            await add_connection(db, self.id, connector_id, "Corp", self.admin.id, now)
            await change_connection(db, self.id, **columns)
        if columns.get("issuer"):
            await self.save_secret()
        is_on = columns.get("on_at") is not None
        at_domains = columns["domains"] if is_on else []
        await self.runtime.registration.write(management, await self.connection(), at_domains)
        return connector_id

    async def save_secret(self) -> None:
        """Store the secret of our client at the provider, as if an admin had entered it."""
        async with self.runtime.work.writing(self.id) as db:
            await save_secret(db, self.id, self.runtime.vault.seal(self.provider.client_secret))

    async def point_elsewhere(self, provider: FakeOpenId | None = None) -> None:
        """Let the connector in Logto ask a provider itself, as somebody might set it in the Console."""
        asked, connection = provider or self.provider, await self.connection()
        await self.management.configure_sso_connector(
            connection.connector_id,
            display_name=connection.name,
            issuer=asked.issuer,
            client_id=asked.client_id,
            client_secret=asked.client_secret,
            scope=SCOPES,
            domains=list(connection.domains),
        )

    async def connection(self) -> Connection:
        """Return the connection as it is stored."""
        async with self.runtime.work.reading(self.id) as db:
            found = await find_connection(db, self.id)
        assert found is not None
        return found

    async def failure(self) -> str | None:
        """Return why sign-ins fail at the provider, as the admins see it, or None."""
        return (await self.connection()).failure

    async def connector(self) -> SsoConnector:
        """Return the connection's connector as Logto has it."""
        found = await self.management.find_sso_connector((await self.connection()).connector_id)
        assert found is not None
        return found

    async def change(self, **values: Any) -> None:
        """Set columns of the connection, without telling Logto."""
        async with self.runtime.work.writing(self.id) as db:
            await change_connection(db, self.id, **values)

    def asserts(self, email: str | None = "", *, sub: str = "", **claims: Any) -> OpenIdPerson:
        """Let the provider say this about the next person: by default, a new one with a verified address.

        None leaves the address out. ``claims`` are further ones; None leaves one out.
        """
        sub = sub or f"u_{secrets.token_hex(5)}"
        email = self.address(sub) if email == "" else email
        said = {"email": email, "email_verified": True, "name": "Carol", **claims}
        known = {name: value for name, value in said.items() if value is not None}
        self.provider.person = OpenIdPerson(sub, known)
        return self.provider.person

    async def way(self, browser: Browser, path: str = "/sign-in") -> str:
        """Begin a sign-in through the provider in this browser. Return the address at Logto."""
        mark = "&" if "?" in path else "?"
        connector_id = (await self.connection()).connector_id
        started = await browser.get(f"{path}{mark}direct_sign_in=sso:{connector_id}", 303)
        return str(started.headers["Location"])

    async def callback(self, browser: Browser, path: str = "/sign-in") -> str:
        """Go through the provider in this browser. Return the callback without opening it."""
        return await browser.callback_of(await self.way(browser, path), None)

    async def arrive(
        self, browser: Browser, expect: int | None = 303, path: str = "/sign-in?prompt=login"
    ) -> Response:
        """Go through the provider in this browser, and open the callback."""
        return await browser.get(await self.callback(browser, path), expect)

    async def refusal(self, browser: Browser, expect: int = 400, path: str = "/sign-in?prompt=login") -> str:
        """Go through the provider, be refused before Logto hears of it, and return the page."""
        page = await browser.stopped_at(await self.way(browser, path), None)
        assert page.status_code == expect, page.status_code
        return await text_of(page)

    async def late_refusal(
        self, browser: Browser, expect: int = 400, path: str = "/sign-in?prompt=login"
    ) -> str:
        """Go through the provider and Logto, be refused at our callback, and return the page."""
        return await text_of(await self.arrive(browser, expect, path))

    async def account(self, email: str) -> LogtoUser | None:
        """Return the account with this address at Logto."""
        return await self.management.find_user_by_email(email)

    async def sessions_here(self, user_id: str) -> list[str | None]:
        """Return, for each session of a person here, the connector through which they signed in."""
        async with self.runtime.jobs.reading() as db:
            statement = sa.select(SessionRow.sso_connector_id).where(SessionRow.subject == user_id)
            return list(await db.scalars(statement))

    async def events(self, *actions: str) -> list[AuditEvent]:
        """Return the audit events with these actions, by default those of single sign-on, oldest first."""
        wanted = AuditEvent.action.in_(actions) if actions else AuditEvent.action.startswith("sso.")
        async with self.runtime.work.writing(self.id) as db:
            return list(await db.scalars(sa.select(AuditEvent).where(wanted).order_by(AuditEvent.id)))

    async def failures_told(self) -> list[str]:
        """Return the failures of the provider in the audit log, oldest first."""
        return [(event.after or {})["reason"] for event in await self.events("sso.fail")]


async def arrive_by(connector_id: str, browser: Browser) -> None:
    """Sign in through any connector in this browser, such as one of the operator's own."""
    started = await browser.get(f"/sign-in?direct_sign_in=sso:{connector_id}", 303)
    await browser.get(await browser.callback_of(started.headers["Location"], None), 303)


RENEWAL: Final = "/sign-in/renew?for=x&next=/account"


async def callback_of_renewal(browser: Browser, path: str = RENEWAL) -> str:
    """Renew a session silently in this browser. Return the callback without opening it."""
    started = await browser.get(path, 303)
    return await browser.callback_of(started.headers["Location"], None)


SignInThroughCompany = Callable[..., Awaitable[Browser]]
"""``await sign_in_through_company(company, email="", verified=True, groups=None, sub="", at=app)``."""


def through_company(open_browser: OpenBrowser, app: Quart) -> SignInThroughCompany:
    """Return the function that signs a person in through a company, in a new browser."""

    async def sign_in(
        company: Company,
        email: str | None = "",
        *,
        verified: bool | None = True,
        groups: Any = None,
        sub: str = "",
        at: Quart = app,
        **claims: Any,
    ) -> Browser:
        company.asserts(email, sub=sub, email_verified=verified, groups=groups, **claims)
        browser = await open_browser(at=at)
        await company.arrive(browser)
        return browser

    return sign_in


def new_domain() -> str:
    """Return a domain that no other test uses."""
    return f"c{secrets.token_hex(5)}.example"


async def new_company(
    make: Factory,
    open_browser: OpenBrowser,
    runtime: Runtime,
    provider: FakeOpenId,
    *,
    domain: str = "",
    people: Mapping[str, str] | None = None,
) -> Company:
    """Make a company. ``people`` are further members at its domain, by role: ``{"viewer": "Vera"}``."""
    at = domain or new_domain()
    organization = await make.empty_organization()
    members: dict[str, Person] = {}
    for role, name in {"admin": "Ada", **(people or {})}.items():
        members[role] = await make.person(name, domain=at)
        await make.join(organization.id, members[role], role)
    browsers = {role: await open_browser(person) for role, person in members.items()}
    office = Office(organization.id, organization.name, members, browsers, make.management)
    company = Company(
        **vars(office), domain=at, provider=provider, runtime=runtime, open_browser=open_browser
    )
    await company.hold(at)
    return company

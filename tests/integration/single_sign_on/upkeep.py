"""What Logto has of a company's connection, and reconciling it."""

from __future__ import annotations

from datetime import timedelta

from saas_app.changes.organization_change import Systems
from saas_app.config import Settings
from saas_app.coordination.jobs import Failure
from saas_app.email_domains.dns_records import TxtResolver
from saas_app.email_domains.queries import find_claim
from saas_app.email_domains.rechecks import DomainChecks
from saas_app.email_domains.service import record_value
from saas_app.logto import ManagementClient
from saas_app.operations.reconciliation.service import Reconciler, Repair
from saas_app.runtime import Runtime
from saas_app.single_sign_on.rechecks import SsoChecks
from saas_app.single_sign_on.values import Stage
from tests.integration.faulty_logto import Gate
from tests.integration.single_sign_on.company import Company
from tests.nameserver import FakeNameserver

REFUSED = {"status": 422, "body": {"code": "request.invalid_input", "message": "No."}}
"""How Logto answers a change that it does not make."""


async def connect_all(company: Company, stage: Stage = Stage.REQUIRED, *more: str) -> None:
    """Connect a company whose people join by its domain and by signing in. ``more`` are further domains."""
    await company.management.add_joining_domain(company.id, company.domain)
    for domain in more:
        await company.hold(domain)
        await company.management.add_joining_domain(company.id, domain)
    await company.connect(stage, joins=True, domains=[company.domain, *more])


async def publish(company: Company, nameserver: FakeNameserver, *domains: str) -> None:
    """Publish the TXT records of the company's domains."""
    async with company.runtime.work.reading(company.id) as db:
        for domain in domains or (company.domain,):
            claim = await find_claim(db, company.id, domain)
            assert claim is not None
            nameserver.records[f"_workroom.{domain}"] = [record_value(claim.token)]


async def at_logto(company: Company) -> tuple[list[str], bool]:
    """Return the domains of the connector, and whether Logto makes its people members by itself."""
    connector = await company.connector()
    joining = await company.management.list_joining_connectors(company.id)
    return list(connector.domains), connector.id in joining


async def actions(company: Company) -> list[str]:
    """Return the actions of single sign-on in the audit log, oldest first."""
    return [event.action for event in await company.events()]


def through(gate: Gate, settings: Settings, runtime: Runtime) -> ManagementClient:
    """Return a client of the Management API behind the gate."""
    assert settings.management is not None
    behind = settings.management.model_copy(update={"endpoint": gate.url})
    return ManagementClient(behind, runtime.http, timeout=3)


def reconciler(
    company: Company,
    *,
    grace: timedelta,
    management: ManagementClient | None = None,
    offered: bool = True,
    self_service: bool = True,
    checks: SsoChecks | None = None,
) -> Reconciler:
    """Return what ``saas-app reconcile`` runs. ``offered``: with ``SINGLE_SIGN_ON``."""
    client, runtime = management or company.management, company.runtime
    systems = Systems(runtime.jobs, client, None)
    domains = DomainChecks(systems, TxtResolver(runtime.settings.domain_nameservers, timeout=1), grace)
    checks = checks or SsoChecks(systems, runtime.registration, self_service=self_service)
    return Reconciler(runtime.jobs, client, domains, checks if offered else None)


async def run(reconciler: Reconciler, company: Company) -> list[Repair | Failure]:
    """Reconcile the company."""
    return [found async for found in reconciler.run(company.id)]


async def reconcile(
    company: Company,
    *,
    grace: timedelta = timedelta(days=3),
    management: ManagementClient | None = None,
    offered: bool = True,
    self_service: bool = True,
) -> list[str]:
    """Reconcile the company and return what was said about single sign-on, with failures."""
    checked = reconciler(
        company, grace=grace, management=management, offered=offered, self_service=self_service
    )
    found = await run(checked, company)
    failed = [item.item for item in found if isinstance(item, Failure)]
    told = [item.what for item in found if isinstance(item, Repair)]
    return failed + [what for what in told if "single sign-on" in what or "sso." in what]

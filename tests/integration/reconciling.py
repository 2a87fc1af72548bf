"""Reconciling on the database of the tests."""

from __future__ import annotations

from datetime import timedelta

from cryptography.fernet import Fernet
from pydantic import SecretStr

from saas_app.changes.organization_change import Systems
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.email_domains.dns_records import TxtResolver
from saas_app.email_domains.rechecks import DomainChecks
from saas_app.identity.vault import Vault
from saas_app.logto import ManagementClient
from saas_app.operations.reconciliation.service import Reconciler
from saas_app.single_sign_on.broker.registration import Registration
from saas_app.single_sign_on.rechecks import SsoChecks
from tests.factories import Factory


def reconciler_of(
    work: UnitOfWork, make: Factory, *, management: ManagementClient | None = None, sso: bool = True
) -> Reconciler:
    """Return a reconciler of a database with the provider of the tests, or another way to reach it."""
    client = management or make.management
    systems = Systems(work, client, None)
    checks = DomainChecks(systems, TxtResolver(), timedelta(days=3))
    vault = Vault([SecretStr(Fernet.generate_key().decode())])  # for organizations without a connection
    registration = Registration("http://localhost:3000", "http://localhost:3001", vault)
    single_sign_on = SsoChecks(systems, registration, self_service=True) if sso else None
    return Reconciler(work, client, checks, single_sign_on)


async def repairs_of(reconciler: Reconciler, organization_id: str) -> list[str]:
    """Reconcile one organization and return what was repaired in it."""
    found = [repair async for repair in reconciler.run(organization_id)]
    return [repair.what for repair in found if repair.organization_id == organization_id]

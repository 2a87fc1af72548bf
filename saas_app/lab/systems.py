"""What the lab uses: our database, Logto's two interfaces, and the encryption of stored secrets."""

from __future__ import annotations

from dataclasses import dataclass

from saas_app.changes.organization_change import Systems
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.logto_client import LogtoProvider
from saas_app.identity.token_refresh import TokenRefresher
from saas_app.identity.vault import Vault
from saas_app.logto import ManagementClient


@dataclass(frozen=True, slots=True)
class LabSystems:
    """The systems that the lab works with.

    ``redirect_uri`` is that of the application, to which the scripted sign-ins of role-play members lead.
    """

    systems: Systems
    vault: Vault
    provider: LogtoProvider
    refresher: TokenRefresher
    redirect_uri: str
    api_resource: str

    @property
    def work(self) -> UnitOfWork:
        """Transactions of our database."""
        return self.systems.work

    @property
    def management(self) -> ManagementClient:
        """Logto's Management API."""
        return self.systems.management

"""An organization whose admin invites people, also while Logto fails."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from saas_app.logto import Invitation
from tests.clients import Browser, Person, text_of
from tests.conftest import APP_URL, OpenOffice
from tests.factories import Factory
from tests.integration.faulty_logto import Faulty
from tests.offices import Office

DAY = 86_400  # seconds


class Acme(Office):
    """An organization with an admin who invites people."""

    @property
    def invitations(self) -> str:
        """The path of the list."""
        return f"{self.root}/invitations"

    async def invite(
        self, addresses: str, *roles: str, expect: int = 303, days: str = "7", by: Browser | None = None
    ) -> str:
        """Send the form and return the page that answers it, or the page to which it redirects."""
        form = {"addresses": addresses, "roles": list(roles), "days": days}
        browser = by or self.browser
        answer = await browser.post(f"{self.invitations}/new", form, expect)
        return await text_of(await browser.follow(self.invitations) if expect == 303 else answer)

    async def found(self, address: str) -> Invitation:
        """Ask Logto for the newest invitation of an address."""
        invitations = await self.management.list_invitations(self.id)
        return next(entry for entry in invitations if entry.invitee == address)

    async def invited(self, address: str, *roles: str) -> Invitation:
        """Send the form for one address and return the invitation."""
        await self.invite(address, *(roles or ("viewer",)))
        return await self.found(address)

    async def expiring(self, address: str, seconds: float) -> Invitation:
        """Make an invitation that expires after so many seconds, as in Logto Console."""
        expires_at = int((time.time() + seconds) * 1000)
        return await self.management.create_invitation(self.id, address, role_ids=[], expires_at=expires_at)


@pytest.fixture
async def acme(open_office: OpenOffice) -> Acme:
    return Acme(**vars(await open_office(admin="Ada")))


@pytest.fixture
async def erin(make: Factory) -> Person:
    """A person who belongs to no organization."""
    return await make.person("Erin")


@pytest.fixture
def faulty(faulty: Faulty) -> Faulty:
    return replace(faulty, acme=Acme(**vars(faulty.acme)))


def link_of(invitation: Invitation) -> str:
    """Return the link that is sent and shown."""
    return f"{APP_URL}{path_of(invitation)}"


def path_of(invitation: Invitation) -> str:
    """Return the path of the page at which an invitation is accepted."""
    return f"/invitations/{invitation.id}"

"""An organization whose admin invites people, also while Logto fails."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from saas_app.logto import Invitation
from tests.clients import Browser, Person, text_of
from tests.conftest import OpenOffice
from tests.factories import Factory
from tests.integration.faulty_logto import Faulty
from tests.integration.mail import NOBODY, Mailbox, TokenSignIn
from tests.offices import Office
from tests.served import APP_URL

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


@dataclass(frozen=True, slots=True)
class Email:
    """The link in an emailed invitation: the path of its page, and the proof."""

    path: str
    proof: str

    @property
    def link(self) -> str:
        """The path with the proof, as the reader opens it."""
        return f"{self.path}?{urlencode({'mail': self.proof})}"

    async def press(self, browser: Browser, expect: int = 303) -> str:
        """Press the button of the page. Return the authorization request, or the page that answers."""
        answer = await browser.post(f"{self.path}/begin", {"mail": self.proof}, expect)
        return answer.headers["Location"] if expect == 303 else await text_of(answer)

    async def sign_in(self, browser: Browser) -> str:
        """Sign in to the account with the invited address, and return where the application leads."""
        await browser.forget_logto(TokenSignIn())
        return await browser.come_back(await self.press(browser), NOBODY)

    async def ask_again(self, browser: Browser, expect: int = 303) -> str:
        """Ask for a new link. Return the path to which the answer leads, or the page that answers."""
        answer = await browser.post(f"{self.path}/link", {"mail": self.proof}, expect)
        return answer.headers["Location"] if expect == 303 else await text_of(answer)


async def opened(mailbox: Mailbox, address: str) -> Email:
    """Return the link in the newest message to an address."""
    parts = urlsplit((await mailbox.links_for(address))[0].removeprefix(APP_URL))
    return Email(parts.path, parse_qs(parts.query)["mail"][0])


def asked_of_logto(request: str) -> dict[str, str]:
    """Return the parameters of an authorization request."""
    return dict(parse_qsl(urlsplit(request).query))


def link_of(invitation: Invitation) -> str:
    """Return the link that is sent and shown."""
    return f"{APP_URL}{path_of(invitation)}"


def path_of(invitation: Invitation) -> str:
    """Return the path of the page at which an invitation is accepted."""
    return f"/invitations/{invitation.id}"

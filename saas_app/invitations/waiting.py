"""Pending invitations for a person, on the list of their organizations. For display only."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from saas_app.errors import LogtoUnavailable
from saas_app.invitations.values import InvitationState, WaitingInvitation, state_of
from saas_app.logto import Invitation, ManagementClient, ManagementError, OrganizationInfo
from saas_app.text.addresses import address_key, spellings
from saas_app.text.branding import Branding

log = structlog.get_logger(__name__)

NONE_FOR: Final = 15.0
"""Seconds for which the answer that nothing waits counts.

An invitation by another worker or in Logto's Console may take this long to appear. Its link works at once.
"""

_MAX_SHOWN: Final = 5
_TIMEOUT: Final = 2.0  # seconds that a page waits for Logto
_MAX_KEPT: Final = 10_000  # addresses


class WaitingInvitations:
    """Asks Logto for pending invitations, and remembers for seconds which addresses have none.

    Nearly nobody has one, so nearly every page is shown without a call. An invitation is never remembered:
    one that was accepted, revoked or has expired is gone at the next request.
    ``clock`` returns monotonic seconds.
    """

    def __init__(
        self, management: ManagementClient | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._management = management
        self._clock = clock
        self._none_until: OrderedDict[str, float] = OrderedDict()

    async def list_for(self, claims: Mapping[str, Any]) -> tuple[WaitingInvitation, ...]:
        """Return pending invitations for the person of these ID-token claims, if their address is verified.

        They are not the main content of any page, so if Logto does not answer soon, the list is empty.
        """
        email = claims.get("email")
        if not isinstance(email, str) or not email or claims.get("email_verified") is not True:
            return ()
        address = address_key(email)
        if self._management is None or self._clock() < self._none_until.get(address, 0):
            return ()
        try:
            async with asyncio.timeout(_TIMEOUT):
                found = await _ask(self._management, email)
        except (ManagementError, LogtoUnavailable, TimeoutError) as error:
            log.warning("waiting invitations could not be read", reason=type(error).__name__)
            return ()
        if not found:
            self._remember_none(address)
        return found

    def forget_none(self, addresses: Iterable[str]) -> None:
        """Forget that nothing waits for these addresses, because they are invited."""
        for address in addresses:
            self._none_until.pop(address_key(address), None)

    def _remember_none(self, address: str) -> None:
        """Remember that nothing waits for an address. The oldest answers make room."""
        self._none_until.pop(address, None)
        self._none_until[address] = self._clock() + NONE_FOR
        if len(self._none_until) > _MAX_KEPT:
            self._none_until.popitem(last=False)


async def _ask(management: ManagementClient, email: str) -> tuple[WaitingInvitation, ...]:
    lists = await asyncio.gather(*map(management.list_invitations_for, spellings(email)))
    found = [entry for entries in lists for entry in entries]
    pending = [entry for entry in found if state_of(entry) is InvitationState.PENDING][:_MAX_SHOWN]
    organizations = await asyncio.gather(
        *(management.get_organization(entry.organization_id) for entry in pending)
    )
    return tuple(map(_as_waiting, pending, organizations))


def _as_waiting(entry: Invitation, organization: OrganizationInfo) -> WaitingInvitation:
    expires_at = datetime.fromtimestamp(entry.expires_at / 1000, UTC)
    branding = Branding.stored(organization.branding, organization.color)
    return WaitingInvitation(
        entry.id, organization.id, organization.name, entry.role_names, expires_at, branding
    )

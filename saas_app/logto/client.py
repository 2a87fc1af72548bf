"""The client of Logto's Management API. Bodies, statuses and quirks are those of Logto 1.42."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from saas_app.config import ManagementSettings
from saas_app.logto.access_model import AccessModelCalls
from saas_app.logto.applications import ApplicationCalls
from saas_app.logto.auto_join import AutoJoinCalls
from saas_app.logto.connectors import ConnectorCalls
from saas_app.logto.hooks import HookCalls
from saas_app.logto.http import open_http
from saas_app.logto.invitations import InvitationCalls
from saas_app.logto.machine_clients import MachineClientCalls
from saas_app.logto.members import MemberCalls
from saas_app.logto.organizations import OrganizationCalls
from saas_app.logto.provider_clock import ProviderClock
from saas_app.logto.sso_connectors import SsoConnectorCalls
from saas_app.logto.transport import ManagementTransport
from saas_app.logto.user_sessions import UserSessionCalls
from saas_app.logto.users import UserCalls

_COMMAND_TIMEOUT: Final = 8.0  # seconds


class ManagementClient(
    OrganizationCalls,
    AutoJoinCalls,
    MemberCalls,
    InvitationCalls,
    UserCalls,
    UserSessionCalls,
    MachineClientCalls,
    ApplicationCalls,
    AccessModelCalls,
    ConnectorCalls,
    SsoConnectorCalls,
    HookCalls,
):
    """Logto's Management API: one thin method for each call that we make.

    Every method may raise :class:`ManagementError` (Logto refused; ``status`` and ``code`` say why) and
    :class:`saas_app.errors.LogtoUnavailable` (it failed, or did not respond within ``timeout`` seconds).
    Docstrings name the statuses and codes that callers check.
    """

    def __init__(
        self, settings: ManagementSettings, http: aiohttp.ClientSession, *, timeout: float = 8
    ) -> None:
        self._transport = ManagementTransport(settings, http, timeout)

    @property
    def clock(self) -> ProviderClock:
        """Logto's clock, read from the tokens that it issues."""
        return self._transport.clock

    async def close(self) -> None:
        """Let running attempts finish when the application stops."""
        await self._transport.close()


@asynccontextmanager
async def connect(
    settings: ManagementSettings, *, patience: float = _COMMAND_TIMEOUT
) -> AsyncIterator[ManagementClient]:
    """Open a client with its own HTTP session, for a command. The application shares one session.

    ``patience`` is the time limit of a call, in seconds.
    """
    async with open_http(patience) as http:
        yield ManagementClient(settings, http, timeout=patience)

"""Signing out: in this browser, on one device, everywhere, and always at Logto too.

A person who is signed out only here can return without a password, through the browser's session at Logto. So
the session at Logto ends first, with its grants, then ours. Logto sends no back-channel logout for sessions
that end through its Management API, so our sessions are ended here. For sessions that end another way, see
:mod:`saas_app.webhooks.changes.backchannel`. If Logto fails, the person is told and can try again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from saas_app.errors import LogtoUnavailable, NotFound
from saas_app.identity.devices import Device, DeviceList, ProviderFailure, merge
from saas_app.identity.logto_client import LogtoProvider
from saas_app.identity.logto_messages import LogtoRefusal
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.session_tokens import SessionTokens
from saas_app.identity.sessions import SessionStore
from saas_app.logto import BrowserSession, ManagementClient, ManagementError
from saas_app.text.translation import _

log = structlog.get_logger(__name__)

_ROUNDS: Final = 3  # of ending all sessions at Logto, because new ones may start meanwhile

NOT_SET_UP: Final = ProviderFailure(
    _("This installation is not allowed to end Logto sessions."), can_retry=False
)


@dataclass(frozen=True, slots=True)
class Ended:
    """What a sign-out ended: sessions at Logto, grants at Logto without a session, and sessions here.

    ``failure`` is why some may continue at Logto. ``kept_current``: the current session was kept, so
    that its owner can try again.
    """

    at_provider: int = 0
    grants: int = 0
    here: int = 0
    failure: ProviderFailure | None = None
    kept_current: bool = False


@dataclass(slots=True)
class _Progress:
    """What has ended at Logto so far. It stays correct if Logto stops responding."""

    sessions: int = 0
    grants: int = 0
    current_ended: bool = False


class SignOut:
    """Ends sessions here and at Logto."""

    def __init__(
        self,
        provider: LogtoProvider,
        sessions: SessionStore,
        tokens: SessionTokens,
        management: ManagementClient | None,
        *,
        client_id: str,
        post_sign_out_uri: str,
    ) -> None:
        self._provider = provider
        self._sessions = sessions
        self._tokens = tokens
        self._management = management
        self._client_id = client_id
        self._post_sign_out_uri = post_sign_out_uri

    async def list_devices(self, principal: SessionPrincipal) -> DeviceList:
        """Return the person's devices. If Logto does not respond, only those with a session in Workroom."""
        own, at_provider = await asyncio.gather(
            self._sessions.list_own(principal), self._list_at_provider(principal.subject)
        )
        found, failure = at_provider
        return DeviceList(tuple(merge(own, found, self._client_id)), failure)

    async def end_current(self, principal: SessionPrincipal | None) -> str:
        """End this session and its grant, and return the URL where the browser signs out at Logto.

        The refresh token is revoked first, because signing out at Logto does not revoke it (Logto 1.42).
        """
        if principal is not None:
            await self._end_here([principal.session_id], principal.subject)
        try:
            client = await self._provider.client()
            return await client.signOut(self._post_sign_out_uri)
        except LogtoUnavailable:
            log.warning("logto did not respond, so the person is signed out only here")
            return self._post_sign_out_uri

    async def end_without_browser(self, principal: SessionPrincipal) -> None:
        """End this session with its grant, and its session at Logto, without going there.

        For a person who was signed in by script: the session of this browser at Logto is somebody else's. If
        Logto does not respond, its session there ends when it expires.
        """
        sid = await self._sessions.find_logto_session_id(principal.session_id)
        await self._end_here([principal.session_id], principal.subject)
        if sid is None or self._management is None:
            return
        try:
            for session in await self._management.list_user_sessions(principal.subject):
                if session.sids.get(self._client_id) == sid:
                    await self._management.end_user_session(principal.subject, session.uid)
        except (LogtoUnavailable, ManagementError) as error:
            log.warning("a session at logto could not be ended", reason=str(error))

    async def end_device(self, principal: SessionPrincipal, device_id: str) -> tuple[Device, Ended]:
        """End one device of the person: its session and grants at Logto, and its sessions here.

        The current browser is returned unchanged: :meth:`end_current` signs it out through Logto. Raises
        :class:`NotFound` if the person has no such device, and :class:`LogtoUnavailable` if only Logto knows.
        """
        listed = await self.list_devices(principal)
        device = listed.find(device_id)
        if device is None and listed.failure is not None and listed.failure.can_retry:
            raise LogtoUnavailable(_("No session was ended, because Logto did not respond."))
        if device is None:
            raise NotFound(_("This session does not exist. It may have already ended."))
        if device.is_current:
            return device, Ended()
        at_provider, failure = 0, listed.failure or _unknown_at_provider(device)
        if device.provider_uid is not None and self._management is not None:
            try:
                await self._management.end_user_session(principal.subject, device.provider_uid)
                at_provider = 1
            except (LogtoUnavailable, ManagementError) as error:
                failure = _failure(error)
        await self._end_here(device.session_ids, principal.subject)
        return device, Ended(at_provider, 0, len(device.session_ids), failure)

    async def end_everywhere(self, principal: SessionPrincipal) -> Ended:
        """End all sessions of the person at Logto with their grants, then other grants, then our sessions.

        The current browser's session at Logto ends last. If Logto stops responding before that, the person
        stays signed in here and can try again.
        """
        subject, progress, failure = principal.subject, _Progress(), None
        try:
            if self._management is None:
                failure = NOT_SET_UP
            else:
                await self._end_at_provider(self._management, principal, progress)
        except (LogtoUnavailable, ManagementError) as error:
            failure = _failure(error)
        kept_current = failure is not None and failure.can_retry and not progress.current_ended
        if kept_current:
            here = await self._sessions.end_all(subject, but=principal.session_id)
        elif failure is not None:  # revoke at least the grants that we know
            here = await self._end_here(await self._sessions.list_session_ids(subject), subject)
        else:
            here = await self._sessions.end_all(subject)
        return Ended(progress.sessions, progress.grants, here, failure, kept_current)

    async def _end_at_provider(
        self, management: ManagementClient, principal: SessionPrincipal, progress: _Progress
    ) -> None:
        subject, sid = principal.subject, await self._sessions.find_logto_session_id(principal.session_id)
        for _round in range(_ROUNDS):
            sessions = await management.list_user_sessions(subject)
            current = [one for one in sessions if sid is not None and one.sids.get(self._client_id) == sid]
            for session in sessions:
                if session not in current:
                    await management.end_user_session(subject, session.uid)
                    progress.sessions += 1
            of_current = {grant_id for one in current for grant_id in one.grant_ids}
            grants = [one for one in await management.list_user_grants(subject) if one.id not in of_current]
            for grant in grants:
                await management.end_user_grant(subject, grant.id)
                progress.grants += 1
            for session in current:
                progress.current_ended = True  # assumed even if the call fails, because it may have worked
                await management.end_user_session(subject, session.uid)
                progress.sessions += 1
            if not sessions and not grants:
                return
        raise LogtoUnavailable(_("New sessions started while the others were being ended."))

    async def _list_at_provider(self, subject: str) -> tuple[list[BrowserSession], ProviderFailure | None]:
        if self._management is None:
            return [], NOT_SET_UP
        try:
            return await self._management.list_user_sessions(subject), None
        except (LogtoUnavailable, ManagementError) as error:
            return [], _failure(error)

    async def _end_here(self, session_ids: Collection[UUID], subject: str) -> int:
        """End these sessions, then revoke their refresh tokens at Logto. Returns how many ended."""
        tokens = [await self._tokens.find_refresh_token(session_id) for session_id in session_ids]
        ended = [await self._sessions.end(session_id, subject=subject) for session_id in session_ids]
        await asyncio.gather(*(self._revoke(token) for token in tokens if token is not None))
        return sum(ended)

    async def _revoke(self, refresh_token: str) -> None:
        try:
            client = await self._provider.client({"refreshToken": refresh_token})
            await client.revoke_refresh_token()
        except (LogtoRefusal, LogtoUnavailable) as error:
            log.warning("a refresh token could not be revoked", reason=str(error))


def _unknown_at_provider(device: Device) -> ProviderFailure | None:
    """Return a failure if a session's ``sid`` is not known: then it cannot be found at Logto."""
    if device.provider_uid is None and any(session.logto_session_id is None for session in device.own):
        return ProviderFailure(_("Its Logto session is not known."), can_retry=False)
    return None


def _failure(error: LogtoUnavailable | ManagementError) -> ProviderFailure:
    """Return the failure to show. A rejection by Logto is final, except for a rate limit."""
    log.warning("sessions at logto could not be ended or listed", reason=str(error))
    if isinstance(error, LogtoUnavailable):
        return ProviderFailure(_("Logto did not respond."), can_retry=True)
    return ProviderFailure(_("Logto rejected the request."), can_retry=error.status == 429)

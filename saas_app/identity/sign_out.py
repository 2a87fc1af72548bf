"""Signing out: here, on one device, everywhere; each time at Logto as well.

Whoever is only signed out here comes back without a password, through the browser's session at Logto. So a
device's session there ends first, with its grants, and ours afterwards. Logto tells nobody of what ends
through its Management API, so what it leads to here is ended here (:mod:`saas_app.webhooks.backchannel`
hears of the other ways). What Logto cannot end just now is said, and can be tried again.
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
from saas_app.identity.logto_client import LogtoProvider, LogtoRefusal
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.session_tokens import SessionTokens
from saas_app.identity.sessions import SessionStore
from saas_app.logto import BrowserSession, ManagementClient, ManagementError

log = structlog.get_logger(__name__)

_ROUNDS: Final = 3  # looks at what is left at Logto: a browser may come back while the first is under way

NOT_SET_UP: Final = ProviderFailure(
    "This installation is not allowed to end Logto sessions.", can_retry=False
)


@dataclass(frozen=True, slots=True)
class Ended:
    """What a sign-out ended: sessions at the provider, grants that were left there, sessions here.

    ``failure`` says why some of it may live on at the provider; ``spared`` that this session was left, so
    that its owner can try again.
    """

    at_provider: int = 0
    grants: int = 0
    here: int = 0
    failure: ProviderFailure | None = None
    spared: bool = False


@dataclass(slots=True)
class _Progress:
    """What has been ended at Logto so far, also when it stops answering in the middle."""

    sessions: int = 0
    grants: int = 0
    this_one_ended: bool = False


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
        """Return where the person is signed in. If Logto does not answer, only sessions in Workroom."""
        own, at_provider = await asyncio.gather(
            self._sessions.list_own(principal), self._list_at_provider(principal.subject)
        )
        found, failure = at_provider
        return DeviceList(tuple(merge(own, found, self._client_id)), failure)

    async def here(self, principal: SessionPrincipal | None) -> str:
        """End this session and its grant; returns where the browser signs out at Logto.

        The refresh token is revoked first: Logto's own sign-out leaves it alive (Logto 1.42).
        """
        if principal is not None:
            await self._end_here([principal.session_id], principal.subject)
        try:
            client = await self._provider.client()
            return await client.signOut(self._post_sign_out_uri)
        except LogtoUnavailable:
            log.warning("logto is unreachable; signed out here only")
            return self._post_sign_out_uri

    async def device(self, principal: SessionPrincipal, device_id: str) -> tuple[Device, Ended]:
        """End one device of the person: its session and grants at Logto, and its sessions here.

        Raises :class:`NotFound` for what is none of theirs, :class:`LogtoUnavailable` when only Logto could
        tell. This browser itself is left to :meth:`here`, which takes it through Logto.
        """
        listed = await self.list_devices(principal)
        device = listed.find(device_id)
        if device is None and listed.failure is not None and listed.failure.can_retry:
            raise LogtoUnavailable("No session was ended, because Logto did not respond.")
        if device is None:
            raise NotFound("This session does not exist. It may have already ended.")
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

    async def everywhere(self, principal: SessionPrincipal) -> Ended:
        """End every session of the person at Logto with its grants, then every grant that is left, then ours.

        This browser's session there ends last: when Logto stops answering before, its owner can try again.
        """
        subject, progress, failure = principal.subject, _Progress(), None
        try:
            if self._management is None:
                failure = NOT_SET_UP
            else:
                await self._end_at_provider(self._management, principal, progress)
        except (LogtoUnavailable, ManagementError) as error:
            failure = _failure(error)
        spared = failure is not None and failure.can_retry and not progress.this_one_ended
        if spared:
            here = await self._sessions.end_all(subject, but=principal.session_id)
        elif failure is not None:  # the grants that we know of end at least
            here = await self._end_here(await self._sessions.list_session_ids(subject), subject)
        else:
            here = await self._sessions.end_all(subject)
        return Ended(progress.sessions, progress.grants, here, failure, spared)

    async def _end_at_provider(
        self, management: ManagementClient, principal: SessionPrincipal, progress: _Progress
    ) -> None:
        subject, sid = principal.subject, await self._sessions.find_logto_session_id(principal.session_id)
        for _ in range(_ROUNDS):
            sessions = await management.list_user_sessions(subject)
            this_one = [one for one in sessions if sid is not None and one.sids.get(self._client_id) == sid]
            for session in sessions:
                if session not in this_one:
                    await management.end_user_session(subject, session.uid)
                    progress.sessions += 1
            of_this_one = {grant_id for one in this_one for grant_id in one.grant_ids}
            grants = [one for one in await management.list_user_grants(subject) if one.id not in of_this_one]
            for grant in grants:
                await management.end_user_grant(subject, grant.id)
                progress.grants += 1
            for session in this_one:
                progress.this_one_ended = True  # whatever Logto answers: nobody knows any more
                await management.end_user_session(subject, session.uid)
                progress.sessions += 1
            if not sessions and not grants:
                return
        raise LogtoUnavailable("New sessions started while the others were being ended.")

    async def _list_at_provider(self, subject: str) -> tuple[list[BrowserSession], ProviderFailure | None]:
        if self._management is None:
            return [], NOT_SET_UP
        try:
            return await self._management.list_user_sessions(subject), None
        except (LogtoUnavailable, ManagementError) as error:
            return [], _failure(error)

    async def _end_here(self, session_ids: Collection[UUID], subject: str) -> int:
        """End these sessions, then revoke what they held, however long Logto takes. Returns how many."""
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
    """A session that never learned its ``sid`` cannot be found at Logto: only all of them can end."""
    if device.provider_uid is None and any(session.logto_session_id is None for session in device.own):
        return ProviderFailure("Its Logto session is not known.", can_retry=False)
    return None


def _failure(error: LogtoUnavailable | ManagementError) -> ProviderFailure:
    """Whatever Logto refuses now, it refuses the next time; except when it was asked too often."""
    log.warning("sessions at logto could not be ended or listed", reason=str(error))
    if isinstance(error, LogtoUnavailable):
        return ProviderFailure("Logto did not respond.", can_retry=True)
    return ProviderFailure("Logto rejected the request.", can_retry=error.status == 429)

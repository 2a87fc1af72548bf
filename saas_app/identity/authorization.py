"""Which token answers which permission, whether it is fresh, and how it is read again.

A cached token answers only while it is younger than ``ORGANIZATION_TOKEN_MAX_AGE`` and was fetched after
the last known change of the membership. One request at a time refreshes a session, on every worker; the
others wait and read what it brought.
"""

from __future__ import annotations

import asyncio
import uuid
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from saas_app.db.base import new_uuid, utc_now
from saas_app.errors import LogtoUnavailable, MfaRequired, NotFound, SignInRequired
from saas_app.identity.claims import ORGANIZATION_AUDIENCE, decode_unverified, organization_roles
from saas_app.identity.directory import Directory, organizations_of
from saas_app.identity.logto_client import GrantedTokens, LogtoProvider, LogtoRefusal
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.sessions import CachedToken, SessionAccess, SessionStore
from saas_app.identity.tenant import Tenant
from saas_app.identity.token_verifier import TokenRejected
from saas_app.rbac.permissions import Carrier, known_permissions

log = structlog.get_logger(__name__)

USERINFO_AUDIENCE = "userinfo"
_REFUSAL_MAX_AGE = timedelta(seconds=15)  # a stranger's knock is answered from memory this long
_MFA_REFUSAL_MAX_AGE = timedelta(seconds=1)  # a member may have set up their second factor since
_EXPIRY_MARGIN = timedelta(seconds=60)
_POLL_INTERVAL = 0.05  # seconds between two looks at what another worker is fetching

_NOT_A_MEMBER = "not-a-member"
_NEEDS_MFA = "mfa"
_NEEDS_CONSENT = "consent"


class ConsentRequired(Exception):
    """The grant does not cover what is asked for; an authorization round trip mends it."""


@dataclass(frozen=True, slots=True)
class Membership:
    """An organization the person belongs to, with their roles there."""

    organization_id: str
    organization_name: str
    role_names: frozenset[str]


@dataclass(frozen=True, slots=True)
class TokenDescription:
    """A token behind a tenant, decoded for the reader. It holds no token."""

    audience: str
    carrier: Carrier
    scopes: tuple[str, ...]
    claims: dict[str, Any]
    fetched_at: datetime
    read_again_at: datetime
    expires_at: datetime


class Authorization:
    """Turns a session and an organization id into a :class:`Tenant`, reading tokens when needed."""

    def __init__(
        self,
        sessions: SessionStore,
        directory: Directory,
        provider: LogtoProvider,
        *,
        api_resource: str,
        max_age: float,
        logto_timeout: float,
    ) -> None:
        self._sessions = sessions
        self._directory = directory
        self._provider = provider
        self._api_resource = api_resource
        self._max_age = timedelta(seconds=max_age)
        self._claim_time = timedelta(seconds=logto_timeout * 3)
        self._locks: weakref.WeakValueDictionary[uuid.UUID, asyncio.Lock] = weakref.WeakValueDictionary()

    async def get_access(self, cookie: str) -> SessionAccess:
        """The live session behind a cookie. Raises :class:`SignInRequired`."""
        access = await self._get_session(cookie, None)
        await self._sessions.touch(access, None)
        return access

    async def _get_session(self, cookie: str, organization_id: str | None) -> SessionAccess:
        access = await self._sessions.find_access(cookie, organization_id)
        if access is None:
            raise SignInRequired
        return access

    async def get_tenant(
        self, cookie: str, organization_id: str, carriers: Collection[Carrier], *, is_visit: bool = True
    ) -> tuple[Tenant, SessionAccess]:
        """The organization for this caller, with a fresh token of every kind asked for (none: either).

        ``is_visit``: it becomes the organization where they worked last.

        Raises :class:`SignInRequired`, :class:`NotFound` for who is not a member and for what does not
        exist alike, :class:`MfaRequired`, :class:`ConsentRequired`, :class:`LogtoUnavailable`.
        """
        access = await self._get_session(cookie, organization_id)
        for carrier in carriers or (self._fresh_carrier(access, organization_id),):
            audience = self._audience(carrier, organization_id)
            if not self._is_fresh(access, audience):
                access = await self._refresh(access.principal.session_id, organization_id, carrier)
            _raise_refusal(access.tokens[audience])
        await self._sessions.touch(access, organization_id if is_visit else None)
        return self._as_tenant(access, organization_id), access

    def _as_tenant(self, access: SessionAccess, organization_id: str) -> Tenant:
        fresh = {
            carrier: access.tokens[audience]
            for carrier in Carrier
            if self._is_fresh(access, audience := self._audience(carrier, organization_id))
            and access.tokens[audience].refusal is None
        }
        latest = max(fresh.values(), key=lambda token: token.fetched_at)
        return Tenant(
            organization_id=organization_id,
            organization_name=access.organization_name or organization_id,
            principal=access.principal,
            role_names=latest.role_names,
            granted=frozenset(
                permission
                for carrier, token in fresh.items()
                for permission in known_permissions(token.scopes)
                if permission.carrier is carrier
            ),
            carriers=frozenset(fresh),
            read_at=latest.fetched_at,
            changed_at=access.membership_changed_at,
            joined_by=access.joined_by,
        )

    def _audience(self, carrier: Carrier, organization_id: str) -> str:
        if carrier is Carrier.ORGANIZATION_TOKEN:
            return f"{ORGANIZATION_AUDIENCE}{organization_id}"
        return f"{self._api_resource}#{organization_id}"

    def _fresh_carrier(self, access: SessionAccess, organization_id: str) -> Carrier:
        """The kind of token that answers without a call; the organization token when none does."""
        fresh = (item for item in Carrier if self._is_fresh(access, self._audience(item, organization_id)))
        return next(fresh, Carrier.ORGANIZATION_TOKEN)

    def _is_fresh(self, access: SessionAccess, audience: str) -> bool:
        token = access.tokens.get(audience)
        if token is None or utc_now() >= self._read_again_at(token):
            return False
        changed_at = access.membership_changed_at
        return changed_at is None or token.fetched_at > changed_at

    def _read_again_at(self, token: CachedToken) -> datetime:
        longest = {None: self._max_age, _NEEDS_MFA: _MFA_REFUSAL_MAX_AGE}.get(token.refusal, _REFUSAL_MAX_AGE)
        return min(token.fetched_at + min(self._max_age, longest), token.expires_at - _EXPIRY_MARGIN)

    async def _refresh(self, session_id: uuid.UUID, organization_id: str, carrier: Carrier) -> SessionAccess:
        """One refresh for all who wait: in this process by a lock, across workers by a claim."""
        audience = self._audience(carrier, organization_id)

        async def look() -> SessionAccess | None:
            access = await self._sessions.find_access_by_id(session_id, organization_id)
            if access is None:
                raise SignInRequired
            return access if self._is_fresh(access, audience) else None

        async with self._lock(session_id):
            if (access := await look()) is not None:
                return access
            async with self._claim(session_id, look) as found:
                if found is not None:
                    return found
                await self._fetch(session_id, organization_id, carrier)
                await self._learn_name(session_id, organization_id)
        access = await self._sessions.find_access_by_id(session_id, organization_id)
        if access is None or audience not in access.tokens:
            raise SignInRequired
        return access

    def _lock(self, session_id: uuid.UUID) -> asyncio.Lock:
        return self._locks.setdefault(session_id, asyncio.Lock())

    @asynccontextmanager
    async def _claim(
        self, session_id: uuid.UUID, look: Callable[[], Awaitable[SessionAccess | None]]
    ) -> AsyncIterator[SessionAccess | None]:
        """Hold the session's refresh claim; or, when another worker held it, what that one brought."""
        owner, deadline = new_uuid(), utc_now() + self._claim_time
        while not await self._sessions.claim_refresh(session_id, owner, utc_now() + self._claim_time):
            if utc_now() > deadline:
                raise LogtoUnavailable("Reading your access took too long.")
            await asyncio.sleep(_POLL_INTERVAL)
            if (found := await look()) is not None:
                yield found
                return
        try:
            yield await look()
        finally:
            await self._sessions.release_refresh(session_id, owner)

    async def _fetch(self, session_id: uuid.UUID, organization_id: str, carrier: Carrier) -> None:
        audience, fetched_at = self._audience(carrier, organization_id), utc_now()
        resource = self._api_resource if carrier is Carrier.API_TOKEN else None
        try:
            granted = await self._call(session_id, organization_id, resource)
        except LogtoRefusal as refusal:
            log.info("logto refused a token", error=refusal.error, status=refusal.status)
            cached = CachedToken(
                audience=audience,
                scopes=frozenset(),
                role_names=frozenset(),
                refusal=_refusal_of(refusal),
                fetched_at=fetched_at,
                expires_at=fetched_at + timedelta(hours=1),
            )
            await self._sessions.save_token(session_id, organization_id, cached, None)
            return
        claims = await self._verify(granted, carrier, organization_id)
        cached = CachedToken(
            audience=audience,
            scopes=frozenset((claims.get("scope") or "").split()),
            role_names=organization_roles(granted.id_claims or {}, organization_id),
            refusal=None,
            fetched_at=fetched_at,
            expires_at=fetched_at + timedelta(seconds=granted.expires_in),
        )
        await self._sessions.save_token(session_id, organization_id, cached, granted.access_token)

    async def _learn_name(self, session_id: uuid.UUID, organization_id: str) -> None:
        """Ask userinfo what an organization is called that was joined since the sign-in."""
        access = await self._sessions.find_access_by_id(session_id, organization_id)
        if access is None or access.organization_name is not None:
            return
        token = await self._sessions.find_token(session_id, USERINFO_AUDIENCE)
        if token is None or not any(cached.refusal is None for cached in access.tokens.values()):
            return
        try:
            info = await (await self._provider.core()).fetch_user_info(token)
        except (LogtoRefusal, LogtoUnavailable) as error:
            log.info("the organization's name could not be read", reason=str(error))
            return
        await self._directory.remember_organizations(organizations_of(info))

    async def _call(
        self, session_id: uuid.UUID, organization_id: str | None, resource: str | None
    ) -> GrantedTokens:
        """One refresh call. Ends the session when the grant is gone; other refusals are raised."""
        refresh_token = await self._sessions.find_refresh_token(session_id)
        if refresh_token is None:
            raise SignInRequired
        client = await self._provider.client({"refreshToken": refresh_token})
        try:
            granted = await client.refresh(
                lambda token: self._sessions.save_refresh_token(session_id, token),
                organization_id=organization_id,
                resource=resource,
            )
        except LogtoRefusal as refusal:
            if refusal.error != "invalid_grant":
                raise
            await self._sessions.forget(session_id)
            raise SignInRequired("Your sign-in has ended at Logto.") from None
        except TokenRejected as rejected:
            raise _unverified(rejected) from None
        if granted.id_token:
            await self._sessions.save_id_token(session_id, granted.id_token)
        return granted

    async def _verify(self, granted: GrantedTokens, carrier: Carrier, organization_id: str) -> dict[str, Any]:
        core = await self._provider.core()
        is_api = carrier is Carrier.API_TOKEN
        expected = self._api_resource if is_api else self._audience(carrier, organization_id)
        try:
            claims = await core.verifier.verify_access_token(granted.access_token, audience=expected)
        except TokenRejected as rejected:
            raise _unverified(rejected) from None
        if is_api and claims.get("organization_id") != organization_id:
            raise _unverified(TokenRejected("token of another organization"))
        return claims

    async def fetch_user_info(self, principal: SessionPrincipal) -> dict[str, Any]:
        """What Logto knows of the person now. Raises :class:`LogtoUnavailable` or :class:`SignInRequired`."""
        token = await self._sessions.find_token(principal.session_id, USERINFO_AUDIENCE)
        core = await self._provider.core()
        try:
            if token is not None:
                return await core.fetch_user_info(token)
        except LogtoRefusal:
            log.info("the cached userinfo token is no longer good")

        async def look() -> None:
            if await self._sessions.find_access_by_id(principal.session_id, None) is None:
                raise SignInRequired  # the session ended meanwhile: nobody will ever get its claim

        async with self._lock(principal.session_id), self._claim(principal.session_id, look):
            granted = await self._call(principal.session_id, None, None)
        await self.keep_user_info_token(principal.session_id, granted)
        return await core.fetch_user_info(granted.access_token)

    async def keep_user_info_token(self, session_id: uuid.UUID, granted: GrantedTokens) -> None:
        """Keep the opaque token of a sign-in, which only userinfo accepts."""
        now = utc_now()
        cached = CachedToken(
            audience=USERINFO_AUDIENCE,
            scopes=granted.scopes,
            role_names=frozenset(),
            refusal=None,
            fetched_at=now,
            expires_at=now + timedelta(seconds=granted.expires_in) - _EXPIRY_MARGIN,
        )
        await self._sessions.save_token(session_id, "", cached, granted.access_token)

    async def list_memberships(self, principal: SessionPrincipal) -> list[Membership]:
        """The organizations of the latest ID token, by name, with the roles it tells."""
        claims = await self.get_claims(principal)
        ids: list[str] = claims.get("organizations") or []
        names, gone = await self._directory.list_names(ids), await self._directory.list_gone(ids)
        memberships = [
            Membership(item, names.get(item, item), organization_roles(claims, item))
            for item in ids
            if item not in gone
        ]
        return sorted(memberships, key=lambda membership: membership.organization_name.casefold())

    async def get_claims(self, principal: SessionPrincipal) -> dict[str, Any]:
        """The claims of the session's ID token, which was verified when it came."""
        return decode_unverified(await self._sessions.get_id_token(principal.session_id))

    async def describe_tokens(self, tenant: Tenant) -> list[TokenDescription]:
        """The tokens behind a tenant, decoded; never the tokens themselves."""
        session_id = _session_of(tenant)
        access = await self._sessions.find_access_by_id(session_id, tenant.organization_id)
        descriptions = []
        for carrier in Carrier:
            audience = self._audience(carrier, tenant.organization_id)
            cached = access.tokens.get(audience) if access else None
            token = await self._sessions.find_token(session_id, audience)
            if cached is None or token is None:
                continue
            descriptions.append(
                TokenDescription(
                    audience=audience,
                    carrier=carrier,
                    scopes=tuple(sorted(cached.scopes)),
                    claims=decode_unverified(token),
                    fetched_at=cached.fetched_at,
                    read_again_at=self._read_again_at(cached),
                    expires_at=cached.expires_at,
                )
            )
        return descriptions

    async def read_again(self, tenant: Tenant) -> None:
        """Drop what is cached of this organization, so that the next request reads it from Logto."""
        await self._sessions.forget_tokens(_session_of(tenant), tenant.organization_id)

    async def note_membership_change(self, organization_id: str, user_id: str) -> None:
        """Make every cached token of this membership stale, in every session and on every worker."""
        await self._directory.note_membership_change(organization_id, user_id)


def _session_of(tenant: Tenant) -> uuid.UUID:
    if not isinstance(tenant.principal, SessionPrincipal):
        raise SignInRequired("Only a signed-in browser keeps tokens here.")
    return tenant.principal.session_id


def _unverified(rejected: TokenRejected) -> LogtoUnavailable:
    log.error("a token from logto was rejected", reason=str(rejected))
    return LogtoUnavailable("Logto's answer could not be verified.")


def _refusal_of(refusal: LogtoRefusal) -> str:
    if refusal.error == "access_denied" and "MFA" in refusal.description:
        return _NEEDS_MFA
    if refusal.error == "access_denied":
        return _NOT_A_MEMBER
    if refusal.error in ("insufficient_scope", "invalid_target", "invalid_scope"):
        return _NEEDS_CONSENT
    log.error("logto refused our application", error=refusal.error, description=refusal.description)
    raise LogtoUnavailable("Logto does not accept this application just now.")


def _raise_refusal(token: CachedToken) -> None:
    if token.refusal is None:
        return
    if token.refusal == _NEEDS_MFA:
        raise MfaRequired("Set up a second factor in your account at the sign-in provider, then try again.")
    if token.refusal == _NEEDS_CONSENT:
        raise ConsentRequired
    raise NotFound("There is no such organization, or you do not belong to it.")

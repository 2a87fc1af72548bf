"""Which token answers which permission, and whether it is fresh.

A cached token answers only while it is younger than ``ORGANIZATION_TOKEN_MAX_AGE`` and no change of the
membership has become known since fetching it began. While a change of the membership has begun whose end is
not known, every request fetches its own. How a token is fetched again is in
:mod:`saas_app.identity.token_refresh`.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from saas_app.db.base import utc_now
from saas_app.errors import LogtoUnavailable, MfaRequired, NotFound, SignInRequired
from saas_app.identity.claims import decode_unverified, organization_roles
from saas_app.identity.logto_client import GrantedTokens, LogtoRefusal
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.sessions import CachedToken, SessionAccess
from saas_app.identity.tenant import Tenant
from saas_app.identity.token_refresh import (
    EXPIRY_MARGIN,
    NEEDS_CONSENT,
    NEEDS_MFA,
    USERINFO_AUDIENCE,
    TokenRefresher,
)
from saas_app.rbac.permissions import Carrier, known_permissions
from saas_app.text.order import order_key

log = structlog.get_logger(__name__)

_REFUSAL_MAX_AGE = timedelta(seconds=15)  # a stranger's knock is answered from memory this long
_MFA_REFUSAL_MAX_AGE = timedelta(seconds=1)  # a member may have set up their second factor since
_GRACE: Final = 0.5  # seconds a request waits longer than a call to Logto may take
_MOST_READINGS: Final = 10  # of a membership that changes again while it is read


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
    """Turns a session and an organization id into a :class:`Tenant`, fetching tokens when needed.

    ``max_age`` is how many seconds a cached token is used.
    """

    def __init__(self, refresher: TokenRefresher, *, max_age: float) -> None:
        self._refresher = refresher
        self._sessions = refresher.sessions
        self._directory = refresher.directory
        self._provider = refresher.provider
        self._max_age = timedelta(seconds=max_age)
        self._patience = refresher.timeout + _GRACE

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
        """Return the organization for this caller, with a fresh token of each kind in ``carriers``.

        Without ``carriers``, a token of either kind is enough. ``is_visit``: remember it as the organization
        where they worked last. Raises :class:`SignInRequired`; :class:`NotFound` if the caller is not a
        member or there is no such organization; :class:`MfaRequired`, :class:`ConsentRequired` and
        :class:`LogtoUnavailable`.
        """
        access = await self._get_session(cookie, organization_id)
        deadline, read_now = time.monotonic() + self._patience, set[str]()
        for _ in range(_MOST_READINGS):
            stale = self._find_stale(access, organization_id, carriers, read_now)
            if stale is None:
                await self._sessions.touch(access, organization_id if is_visit else None)
                return self._as_tenant(access, organization_id, read_now), access
            access = await self._refresher.refresh(
                access.principal.session_id,
                organization_id,
                stale,
                self._is_fresh,
                patience=deadline - time.monotonic(),
            )
            read_now.add(self._audience(stale, organization_id))
        raise LogtoUnavailable("Your access is being changed. Try again in a moment.", retry_after=1)

    def _find_stale(
        self,
        access: SessionAccess,
        organization_id: str,
        carriers: Collection[Carrier],
        read_now: Collection[str],
    ) -> Carrier | None:
        """The first kind of token that has to be read; None when all that is asked for answers.

        What was read for this request answers it, however short a token lives, unless the membership changed
        meanwhile. Raises what a refusal means.
        """
        for carrier in carriers or (self._fresh_carrier(access, organization_id, read_now),):
            audience = self._audience(carrier, organization_id)
            if not self._answers(access, audience, read_now):
                return carrier
            _raise_refusal(access.tokens[audience])
        return None

    def _as_tenant(
        self, access: SessionAccess, organization_id: str, read_now: Collection[str] = ()
    ) -> Tenant:
        answering = {
            carrier: access.tokens[audience]
            for carrier in Carrier
            if self._answers(access, audience := self._audience(carrier, organization_id), read_now)
            and access.tokens[audience].refusal is None
        }
        latest = max(answering.values(), key=lambda token: token.fetched_at)
        return Tenant(
            organization_id=organization_id,
            organization_name=access.organization_name or organization_id,
            principal=access.principal,
            role_names=latest.role_names,
            granted=frozenset(
                permission
                for carrier, token in answering.items()
                for permission in known_permissions(token.scopes)
                if permission.carrier is carrier
            ),
            carriers=frozenset(answering),
            read_at=latest.fetched_at,
            membership_version=access.membership_version,
            joined_by=access.joined_by,
        )

    def _audience(self, carrier: Carrier, organization_id: str) -> str:
        return self._refresher.audience(carrier, organization_id)

    def _fresh_carrier(
        self, access: SessionAccess, organization_id: str, read_now: Collection[str]
    ) -> Carrier:
        """The kind of token that answers without a call; the organization token when none does."""
        answering = (
            item for item in Carrier if self._answers(access, self._audience(item, organization_id), read_now)
        )
        return next(answering, Carrier.ORGANIZATION_TOKEN)

    def _answers(self, access: SessionAccess, audience: str, read_now: Collection[str]) -> bool:
        if audience in read_now:
            return _is_current(access, access.tokens.get(audience))
        return self._is_fresh(access, audience)

    def _is_fresh(self, access: SessionAccess, audience: str) -> bool:
        token = access.tokens.get(audience)
        if token is None or access.is_membership_changing:
            return False
        return utc_now() < self._read_again_at(token) and _is_current(access, token)

    def _read_again_at(self, token: CachedToken) -> datetime:
        longest = {None: self._max_age, NEEDS_MFA: _MFA_REFUSAL_MAX_AGE}.get(token.refusal, _REFUSAL_MAX_AGE)
        return min(token.fetched_at + min(self._max_age, longest), token.expires_at - EXPIRY_MARGIN)

    async def fetch_user_info(self, principal: SessionPrincipal) -> dict[str, Any]:
        """What Logto knows of the person now. Raises :class:`LogtoUnavailable` or :class:`SignInRequired`."""
        deadline = time.monotonic() + self._patience
        try:
            async with asyncio.timeout(self._patience):  # a token's refresh goes on by itself
                return await self._fetch_user_info(principal.session_id, deadline)
        except TimeoutError:
            raise LogtoUnavailable("Logto did not answer in time.") from None

    async def _fetch_user_info(self, session_id: uuid.UUID, deadline: float) -> dict[str, Any]:
        token = await self._sessions.find_token(session_id, USERINFO_AUDIENCE)
        core = await self._provider.core()
        try:
            if token is not None:
                return await core.fetch_user_info(token)
        except LogtoRefusal:
            log.info("the cached userinfo token is no longer good")
        fresh = await self._refresher.refresh_user_info_token(
            session_id, patience=deadline - time.monotonic()
        )
        return await core.fetch_user_info(fresh)

    async def keep_user_info_token(self, session_id: uuid.UUID, granted: GrantedTokens) -> None:
        """Store the opaque token of a sign-in, which only userinfo accepts."""
        await self._refresher.keep_user_info_token(session_id, granted)

    async def close(self) -> None:
        """Let running refreshes finish when the application stops."""
        await self._refresher.close()

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
        return sorted(memberships, key=lambda membership: order_key(membership.organization_name))

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
        raise SignInRequired("Only a signed-in browser has tokens here.")
    return tenant.principal.session_id


def _is_current(access: SessionAccess, token: CachedToken | None) -> bool:
    """Whether no change of the membership has become known since fetching the token began."""
    if token is None:
        return False
    if token.membership_version is not None:
        return token.membership_version == access.membership_version
    changed_at = access.membership_changed_at
    return changed_at is None or token.fetched_at > changed_at


def _raise_refusal(token: CachedToken) -> None:
    if token.refusal is None:
        return
    if token.refusal == NEEDS_MFA:
        raise MfaRequired("Set up a second factor in your account at the sign-in provider, then try again.")
    if token.refusal == NEEDS_CONSENT:
        raise ConsentRequired
    raise NotFound("There is no such organization, or you do not belong to it.")

"""Finds the tenant of a signed-in person from their session's tokens, and fetches stale tokens again.

:mod:`saas_app.identity.freshness` decides which tokens may be used, and
:mod:`saas_app.identity.token_refresh` fetches new ones.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from saas_app import signals
from saas_app.db.base import utc_now
from saas_app.errors import LogtoUnavailable, MfaRequired, NotFound, SignInRequired
from saas_app.identity.claims import decode_unverified
from saas_app.identity.freshness import Freshness, Reading
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.renewal import RenewalRequired
from saas_app.identity.session_access import CachedToken, Refusal, SessionAccess
from saas_app.identity.session_tokens import SessionTokens
from saas_app.identity.sessions import SessionStore
from saas_app.identity.tenant import Tenant
from saas_app.identity.token_refresh import TokenRefresher
from saas_app.rbac.endings import have_ended, still_granted
from saas_app.rbac.permissions import Carrier, known_permissions
from saas_app.text.translation import _

_MAX_ATTEMPTS: Final = 10  # if the membership keeps changing meanwhile


@dataclass(frozen=True, slots=True)
class TokenDescription:
    """The contents of a token behind a tenant, for display, without the token itself."""

    audience: str
    carrier: Carrier
    scopes: tuple[str, ...]
    claims: dict[str, Any]
    fetched_at: datetime
    stale_at: datetime
    expires_at: datetime


class Tenants:
    """Turns a session and an organization id into a :class:`Tenant`.

    ``patience`` is how many seconds a request waits for its tokens.
    """

    def __init__(
        self,
        sessions: SessionStore,
        tokens: SessionTokens,
        refresher: TokenRefresher,
        freshness: Freshness,
        *,
        patience: float,
    ) -> None:
        self._sessions = sessions
        self._tokens = tokens
        self._refresher = refresher
        self._freshness = freshness
        self._patience = patience

    async def get_tenant(
        self,
        access: SessionAccess,
        organization_id: str,
        carriers: Collection[Carrier] = (),
        *,
        is_visit: bool = True,
    ) -> Tenant:
        """Return the organization for this session, with a fresh token of each kind in ``carriers``.

        Without ``carriers``, a token of either kind is enough. ``is_visit``: remember the organization as the
        last one the person worked in. Raises :class:`NotFound` if the person is not a member or there is no
        such organization, :class:`SignInRequired` if Logto has ended the grant, :class:`MfaRequired`,
        :class:`SsoRequired`, :class:`RenewalRequired`, and :class:`LogtoUnavailable`.
        """
        reading = Reading(access, organization_id, self._freshness)
        deadline = time.monotonic() + self._patience
        for _attempt in range(_MAX_ATTEMPTS):
            require_single_sign_on(reading)
            stale = find_stale(reading, carriers)
            if stale is None:
                await self._sessions.touch(reading.access, organization_id if is_visit else None)
                return as_tenant(reading)
            audience = self._freshness.audience(stale, organization_id)
            signals.token_missed.send(reason=self._freshness.why_stale(reading.access, audience))
            refreshed = await self._refresher.refresh(
                access.principal.session_id, organization_id, stale, patience=deadline - time.monotonic()
            )
            reading = reading.read(stale, refreshed)
        raise LogtoUnavailable(_("Your access is being updated. Try again in a moment."), retry_after=1)

    def find_cached_tenant(self, access: SessionAccess, organization_id: str) -> Tenant | None:
        """Return the organization if the session has a fresh token for it, else None. Never asks Logto.

        None, too, if the organization requires another way to sign in.
        """
        reading = Reading(access, organization_id, self._freshness)
        return as_tenant(reading) if reading.granted() and access.unmet_requirement is None else None

    async def describe_tokens(self, tenant: Tenant) -> list[TokenDescription]:
        """Return the contents of the tokens behind a tenant."""
        session_id = _session_of(tenant)
        access = await self._sessions.find_access_by_id(session_id, tenant.organization_id)
        descriptions = []
        for carrier in Carrier:
            audience = self._freshness.audience(carrier, tenant.organization_id)
            cached = access.tokens.get(audience) if access else None
            token = await self._tokens.find_token(session_id, audience)
            if cached is not None and token is not None:
                descriptions.append(self._describe(carrier, cached, token))
        return descriptions

    def _describe(self, carrier: Carrier, cached: CachedToken, token: str) -> TokenDescription:
        return TokenDescription(
            audience=cached.audience,
            carrier=carrier,
            scopes=tuple(sorted(cached.scopes)),
            claims=decode_unverified(token),
            fetched_at=cached.fetched_at,
            stale_at=self._freshness.stale_at(cached),
            expires_at=cached.expires_at,
        )

    async def forget_tokens(self, tenant: Tenant) -> None:
        """Delete the cached tokens for this organization, so that the next request fetches new ones."""
        await self._tokens.forget_tokens(_session_of(tenant), tenant.organization_id)


def require_single_sign_on(reading: Reading) -> None:
    """Raise :class:`SsoRequired` for a member who signed in another way than their organization requires.

    Only a fresh token proves that they are a member. Until there is one, nothing is said, so that strangers
    learn nothing about the organization.
    """
    required = reading.access.unmet_requirement
    if required is not None and reading.granted():
        organization_id = reading.organization_id
        raise required.refusal(organization_id, reading.access.organization_name or organization_id)


def find_stale(reading: Reading, carriers: Collection[Carrier]) -> Carrier | None:
    """Return the first kind of token that must be fetched, or None if all required tokens may be used.

    Without ``carriers``, any one token is enough. Raises the error for a refusal by Logto.
    """
    for carrier in carriers or (reading.any_carrier(),):
        answer = reading.find_usable(carrier)
        if answer is None:
            return carrier
        _raise_refusal(answer, reading.organization_id)
    return None


def as_tenant(reading: Reading) -> Tenant:
    """Return the tenant with the permissions of its tokens. Each kind of token counts for its own only.

    Tokens may still name a role that has ended, and carry its permissions. It counts no longer.
    """
    answering, access = reading.granted(), reading.access
    latest = max(answering.values(), key=lambda token: token.fetched_at)
    ended = have_ended(access.role_ends, utc_now())
    role_names = latest.role_names - ended
    granted = frozenset(
        permission
        for carrier, token in answering.items()
        for permission in known_permissions(token.scopes)
        if permission.carrier is carrier
    )
    return Tenant(
        organization_id=reading.organization_id,
        organization_name=access.organization_name or reading.organization_id,
        principal=access.principal,
        role_names=role_names,
        granted=still_granted(granted, ended, role_names),
        carriers=frozenset(answering),
        read_at=latest.fetched_at,
        membership_version=access.membership_version,
        joined_by=access.joined_by,
        branding=access.organization_branding,
        role_ends={name: ends_at for name, ends_at in access.role_ends.items() if name not in ended},
        ended_roles=ended,
    )


def _raise_refusal(token: CachedToken, organization_id: str) -> None:
    if token.refusal is None:
        return
    if token.refusal is Refusal.NEEDS_MFA:
        raise MfaRequired(_("Set up a second factor on your Logto account page, then try again."))
    if token.refusal is Refusal.NEEDS_CONSENT:
        raise RenewalRequired(f"{organization_id} consent")
    raise NotFound(_("This organization does not exist, or you are not a member."))


def _session_of(tenant: Tenant) -> uuid.UUID:
    if not isinstance(tenant.principal, SessionPrincipal):
        raise SignInRequired(_("Tokens are available only to signed-in browsers."))
    return tenant.principal.session_id

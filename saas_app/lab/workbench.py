"""The token workbench: the tokens of one session for one organization or two, each with where it comes from.

It shows what is cached, also what the product would not use any more. Only a token that is missing is
fetched, as the pages of the organization would do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from saas_app.db.base import utc_now
from saas_app.errors import LogtoUnavailable, MfaRequired, NotFound, SignInRequired, SsoRequired
from saas_app.identity.freshness import Freshness
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.profiles import Membership
from saas_app.identity.renewal import RenewalRequired
from saas_app.identity.session_access import SessionAccess
from saas_app.identity.sessions import SessionStore
from saas_app.identity.tenants import Tenants
from saas_app.identity.token_inspection import TokenInspector
from saas_app.lab.bench import Bench, Column, HeldToken
from saas_app.lab.what_if import Frozen, Prediction, predict
from saas_app.logto import ManagementClient, ManagementError
from saas_app.rbac.endings import have_ended
from saas_app.rbac.permissions import OPERATOR_PERMISSIONS, Carrier, Permission, Role, known_permissions
from saas_app.text.translation import Sentence


class Workbench:
    """Reads tokens of sessions for their owners."""

    def __init__(
        self, sessions: SessionStore, tenants: Tenants, inspector: TokenInspector, freshness: Freshness
    ) -> None:
        self._sessions = sessions
        self._tenants = tenants
        self._inspector = inspector
        self._freshness = freshness

    async def read(self, principal: SessionPrincipal, memberships: Sequence[Membership]) -> Bench:
        """Return the bench for these organizations of the person. Fetches only tokens that are missing.

        Raises :class:`SignInRequired` if the session or its grant has ended.
        """
        columns, failure = [], None
        for membership in memberships:
            access, failure = await self._fetch_missing(principal, membership.organization_id, failure)
            columns.append(await self._column(access, membership, failure))
        access = await self._access(principal, None)
        id_token = await self._inspector.inspect_id_token(principal.session_id)
        if id_token is None:
            raise SignInRequired
        return Bench(id_token, tuple(columns), access.granted_at, await self._inspector.describe_sign_in())

    async def require_single_sign_on(self, principal: SessionPrincipal, membership: Membership) -> None:
        """Raise :class:`SsoRequired` if the organization requires another sign-in of the person.

        A raw token opens more than pages, so nobody takes it away from such a session.
        """
        access = await self._access(principal, membership.organization_id)
        if (required := access.unmet_requirement) is not None:
            raise required.refusal(membership.organization_id, membership.organization_name)

    async def _fetch_missing(
        self, principal: SessionPrincipal, organization_id: str, failure: Sentence | None
    ) -> tuple[SessionAccess, Sentence | None]:
        """Fetch the tokens that are missing, unless Logto failed before. Its failure is returned too."""
        access = await self._access(principal, organization_id)
        for carrier in Carrier:
            if failure is not None or self._has(access, organization_id, carrier):
                continue
            try:
                await self._tenants.get_tenant(access, organization_id, (carrier,), is_visit=False)
            except LogtoUnavailable as unavailable:
                failure = unavailable.detail
            except (NotFound, MfaRequired, RenewalRequired, SsoRequired):
                pass  # the refusal, or the token that opens nothing here, is cached, and shown
            access = await self._access(principal, organization_id)
        return access, failure

    async def _access(self, principal: SessionPrincipal, organization_id: str | None) -> SessionAccess:
        access = await self._sessions.find_access_by_id(principal.session_id, organization_id)
        if access is None:
            raise SignInRequired
        return access

    def _has(self, access: SessionAccess, organization_id: str, carrier: Carrier) -> bool:
        """Return whether there is a token that has not expired, or a refusal that still counts."""
        audience = self._freshness.audience(carrier, organization_id)
        cached = access.tokens.get(audience)
        if cached is None:
            return False
        if cached.refusal is not None:
            return self._freshness.is_fresh(access, audience)
        return cached.expires_at > utc_now()

    async def _column(
        self, access: SessionAccess, membership: Membership, failure: Sentence | None
    ) -> Column:
        organization_id = membership.organization_id
        return Column(
            membership,
            await self._held(access, organization_id, Carrier.ORGANIZATION_TOKEN, failure),
            await self._held(access, organization_id, Carrier.API_TOKEN, failure),
            ended=have_ended(access.role_ends, utc_now()),
            is_closed=access.unmet_requirement is not None,
        )

    async def _held(
        self, access: SessionAccess, organization_id: str, carrier: Carrier, failure: Sentence | None
    ) -> HeldToken:
        audience = self._freshness.audience(carrier, organization_id)
        cached = access.tokens.get(audience)
        session_id = access.principal.session_id
        inspection = await self._inspector.inspect(session_id, organization_id, carrier)
        return HeldToken(
            carrier,
            cached,
            inspection,
            await self._inspector.describe_request(organization_id, carrier),
            stale_at=None if cached is None else self._freshness.stale_at(cached),
            is_outdated=cached is not None and not self._freshness.is_fresh(access, audience),
            failure=failure if inspection is None and (cached is None or cached.refusal is None) else None,
        )


@dataclass(frozen=True, slots=True)
class Preview:
    """The permissions of a member with another role. ``role`` is None for no role.

    ``frozen`` are the API-resource scopes in the grant of the session, or None if they are not known.
    """

    column: Column
    role: Role | None
    predictions: tuple[Prediction, ...]
    frozen: tuple[Permission, ...] | None


async def preview(
    grants: Grants, principal: SessionPrincipal, bench: Bench, column: Column, role: Role | None
) -> Preview:
    """Return what the tokens for an organization would carry if this were the person's only role there."""
    granted = await grants.find_frozen(principal)
    frozen = frozen_by_tokens(bench.columns) if granted is None else Frozen.exactly(granted)
    names = frozenset() if role is None else frozenset({role.value})
    return Preview(
        column,
        role,
        tuple(
            one
            for one in predict(names, column.carried, frozen)
            if one.now or one.after_consent or one.permission not in OPERATOR_PERMISSIONS
        ),
        None if granted is None else tuple(one for one in Permission if one in granted),
    )


@dataclass(frozen=True, slots=True)
class Grants:
    """Reads what is frozen in the grants of sessions, from Logto's Management API."""

    management: ManagementClient | None
    sessions: SessionStore
    client_id: str
    api_resource: str

    async def find_frozen(self, principal: SessionPrincipal) -> frozenset[Permission] | None:
        """Return the API-resource scopes that are frozen in the grant of the person's session.

        None if that is not known: without credentials for the Management API, while Logto is down, or if the
        browser's session at Logto has ended and the person has several grants.
        """
        sid = await self.sessions.find_logto_session_id(principal.session_id)
        if self.management is None:
            return None
        try:
            browsers, grants = await asyncio.gather(
                self.management.list_user_sessions(principal.subject),
                self.management.list_user_grants(principal.subject),
            )
        except (LogtoUnavailable, ManagementError):
            return None
        ids = {
            browser.authorizations[self.client_id].grant_id
            for browser in browsers
            if sid is not None and browser.sids.get(self.client_id) == sid
        }
        ours = [grant for grant in grants if grant.client_id == self.client_id]
        found = [grant for grant in ours if grant.id in ids] or ours
        if len(found) != 1:
            return None
        return known_permissions(frozenset(found[0].resource_scopes.get(self.api_resource, "").split()))


def frozen_by_tokens(columns: Sequence[Column]) -> Frozen:
    """Return what the tokens on the bench tell about their grant."""
    return Frozen.shown_by(
        (column.api_token.cached.role_names, column.api_token.carried)
        for column in columns
        if column.api_token.cached is not None and column.api_token.inspection is not None
    )

"""The token workbench: the tokens of one session for one organization or two, each with where it comes from.

It shows what is cached, also what the product would not use any more. Only a token that is missing is
fetched, as the pages of the organization would do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from saas_app.db.base import utc_now
from saas_app.errors import LogtoUnavailable, MfaRequired, NotFound, SignInRequired
from saas_app.identity.freshness import Freshness
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.profiles import Membership
from saas_app.identity.renewal import RenewalRequired
from saas_app.identity.session_access import CachedToken, Refusal, SessionAccess
from saas_app.identity.sessions import SessionStore
from saas_app.identity.tenants import Tenants
from saas_app.identity.token_inspection import Inspection, TokenInspector
from saas_app.identity.wire import TokenRequest
from saas_app.lab.evidence import Comparison, Side, TokenShown
from saas_app.lab.what_if import Frozen, Prediction, predict
from saas_app.logto import ManagementClient, ManagementError
from saas_app.rbac.permissions import Carrier, Permission, Role, known_permissions
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated

_CLOCKS_DIFFER: Final = 3.0  # seconds between the times of Logto and ours, at most

REFUSALS: Final[Mapping[Refusal, Sentence]] = {
    Refusal.NOT_A_MEMBER: _(
        "403 access_denied: user is not a member of the organization. You were removed, or the organization "
        "was deleted."
    ),
    Refusal.NEEDS_MFA: _(
        "403 access_denied: organization requires MFA but user has no MFA configured. Set up a second factor "
        "to get a token."
    ),
    Refusal.NEEDS_CONSENT: _(
        "The grant does not cover this token. A new consent, which takes a silent round trip to Logto, "
        "fixes that."
    ),
}
"""Why Logto refused a token, in its own words and in ours (Logto 1.42)."""


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A token of one kind for one organization, or why there is none.

    ``cached`` is what Logto granted or refused. ``failure`` says why Logto could not be asked. ``stale_at``
    is when the product fetches the token again, and ``is_outdated`` whether it does so at the next request.
    """

    carrier: Carrier
    cached: CachedToken | None
    inspection: Inspection | None
    request: TokenRequest | None
    stale_at: datetime | None = None
    is_outdated: bool = False
    failure: Sentence | None = None

    @property
    def shown(self) -> TokenShown | None:
        """The token's header and claims, if there is a token."""
        return None if self.inspection is None else shown_of(self.inspection)

    @property
    def refusal(self) -> Sentence | None:
        """Why Logto refused the token, if it did."""
        refused = self.cached.refusal if self.cached else None
        return None if refused is None else REFUSALS[refused]

    @property
    def carried(self) -> frozenset[Permission]:
        """The permissions that count in this kind of token."""
        scopes = self.cached.scopes if self.cached and self.inspection else frozenset()
        return frozenset(one for one in known_permissions(scopes) if one.carrier is self.carrier)


@dataclass(frozen=True, slots=True)
class Column:
    """One organization on the workbench, with both kinds of its tokens."""

    membership: Membership
    organization_token: HeldToken
    api_token: HeldToken

    @property
    def name(self) -> str:
        """The name of the organization."""
        return self.membership.organization_name

    @property
    def id(self) -> str:
        """The id of the organization."""
        return self.membership.organization_id

    @property
    def held(self) -> tuple[HeldToken, HeldToken]:
        """Both tokens."""
        return self.organization_token, self.api_token

    @property
    def carried(self) -> dict[Carrier, frozenset[Permission]]:
        """What the tokens carry, by kind. Kinds without a token are missing."""
        return {held.carrier: held.carried for held in self.held if held.inspection is not None}

    @property
    def can_see_members(self) -> bool:
        """Whether the person may see changes of roles in the organization.

        A token that the product does not use any more is shown, but it opens nothing here either.
        """
        held = self.organization_token
        return not held.is_outdated and bool(held.carried & {Permission.AUDIT_READ, Permission.MEMBERS_READ})

    def token(self, carrier: Carrier) -> HeldToken:
        """Return one of both tokens."""
        return self.organization_token if carrier is Carrier.ORGANIZATION_TOKEN else self.api_token


@dataclass(frozen=True, slots=True)
class Bench:
    """What the workbench shows: the ID token, and one organization or two, or none.

    ``granted_at`` is when Logto last froze scopes in the grant of the session, and ``grant_request`` the
    request that fetched the tokens then.
    """

    id_token: Inspection
    columns: tuple[Column, ...]
    granted_at: datetime
    grant_request: TokenRequest | None

    @property
    def id_token_shown(self) -> TokenShown:
        """The header and the claims of the ID token."""
        return shown_of(self.id_token)

    @property
    def came_with(self) -> tuple[Column, HeldToken] | None:
        """The access token that Logto returned together with the ID token, if it is on the bench.

        Logto returns a new ID token with each access token, and the session keeps the latest one.
        """
        issued = self.id_token.claims.get("iat")
        found = [
            (held.cached.fetched_at, column, held)
            for column in self.columns
            for held in column.held
            if held.cached is not None
            and held.inspection is not None
            and held.inspection.claims.get("iat") == issued
        ]
        return max(found, key=lambda one: one[0])[1:] if found else None

    @property
    def id_token_has_expired(self) -> bool:
        """Whether the ID token has expired since it was fetched."""
        expires = self.id_token.claims.get("exp")
        return isinstance(expires, int | float) and expires < utc_now().timestamp()

    @property
    def id_token_is_from_consent(self) -> bool:
        """Whether the ID token came at the sign-in or the renewal, and not with a later access token."""
        issued = self.id_token.claims.get("iat")
        if self.came_with is not None or not isinstance(issued, int | float):
            return False
        return abs(issued - self.granted_at.timestamp()) < _CLOCKS_DIFFER

    def held(self, carrier: Carrier) -> tuple[HeldToken, ...]:
        """Return the tokens of a kind, one for each organization."""
        return tuple(column.token(carrier) for column in self.columns)

    def comparison(self, carrier: Carrier) -> Comparison | None:
        """Return both tokens of a kind side by side, or None with one organization."""
        if len(self.columns) != 2:
            return None
        left, right = (
            Side(Sentence("%(name)s", {"name": isolated(column.name)}), column.token(carrier).shown)
            for column in self.columns
        )
        return Comparison(left, right)


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
            except (NotFound, MfaRequired, RenewalRequired):
                pass  # the refusal is cached, and shown
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
        held = [await self._held(access, membership.organization_id, one, failure) for one in Carrier]
        return Column(membership, *held)

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
        predict(names, column.carried, frozen),
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


def shown_of(inspection: Inspection) -> TokenShown:
    """Return the header and the claims of an inspected token."""
    return TokenShown(inspection.header, inspection.claims)

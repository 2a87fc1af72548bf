"""What the token workbench shows: tokens of one session, by organization, with what is known about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from saas_app.db.base import utc_now
from saas_app.identity.profiles import Membership
from saas_app.identity.session_access import CachedToken, Refusal
from saas_app.identity.token_inspection import Inspection
from saas_app.identity.wire import TokenRequest
from saas_app.lab.evidence import Comparison, Side, TokenShown
from saas_app.rbac.endings import still_granted
from saas_app.rbac.names import listed
from saas_app.rbac.permissions import Carrier, Permission, known_permissions
from saas_app.text.translation import Sentence, _, ngettext
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
    """One organization on the workbench, with both kinds of its tokens.

    ``ended`` are roles of the person that have ended. Tokens may still carry what they grant. ``is_closed``:
    the organization requires its single sign-on, and the person signed in another way.
    """

    membership: Membership
    organization_token: HeldToken
    api_token: HeldToken
    ended: frozenset[str] = frozenset()
    is_closed: bool = False

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
    def role_names(self) -> frozenset[str]:
        """The roles of the person that have not ended."""
        return self.membership.role_names - self.ended

    @property
    def ended_note(self) -> Sentence | None:
        """What the end of a role means for the tokens, or None if no role has ended."""
        if not self.ended:
            return None
        return ngettext(
            "Your %(roles)s role in %(organization)s has ended. Your tokens may still carry what it grants, "
            "and Workroom ignores that. It takes the role away at Logto as soon as it can.",
            "Your roles %(roles)s in %(organization)s have ended. Your tokens may still carry what they "
            "grant, and Workroom ignores that. It takes the roles away at Logto as soon as it can.",
            len(self.ended),
            roles=listed(sorted(self.ended)),
            organization=isolated(self.name),
        )

    @property
    def can_see_members(self) -> bool:
        """Whether the person may see changes of roles in the organization.

        A token that the product does not use any more is shown, but it opens nothing here either, and nor
        does what a role grants that has ended.
        """
        held = self.organization_token
        if self.is_closed or held.is_outdated or held.cached is None:
            return False
        granted = still_granted(held.carried, self.ended, held.cached.role_names - self.ended)
        return bool(granted & {Permission.AUDIT_READ, Permission.MEMBERS_READ})

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


def shown_of(inspection: Inspection) -> TokenShown:
    """Return the header and the claims of an inspected token."""
    return TokenShown(inspection.header, inspection.claims)

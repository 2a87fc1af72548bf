"""Decides which cached tokens of a session may be used for a request. Pure.

A token may be used while it is younger than ``ORGANIZATION_TOKEN_MAX_AGE`` and no change of the membership
has become known since fetching it began. While a change has begun whose result is not known, no cached token
may be used, and each request fetches a new one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Self

from saas_app.db.base import utc_now
from saas_app.identity.claims import ORGANIZATION_AUDIENCE
from saas_app.identity.session_access import CachedToken, Refusal, SessionAccess
from saas_app.rbac.permissions import Carrier

EXPIRY_MARGIN: Final = timedelta(seconds=60)
_REFUSAL_MAX_AGE: Final = timedelta(seconds=15)  # meanwhile, strangers are rejected without a call to Logto
_MFA_REFUSAL_MAX_AGE: Final = timedelta(seconds=1)  # a member may set up a second factor at any time


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long cached tokens may be used, and by which audiences they are stored.

    ``max_age`` is ``ORGANIZATION_TOKEN_MAX_AGE``; ``api_resource`` is the audience of API-resource tokens.
    """

    max_age: timedelta
    api_resource: str

    def audience(self, carrier: Carrier, organization_id: str) -> str:
        """Return the audience by which one kind of token for an organization is stored."""
        if carrier is Carrier.ORGANIZATION_TOKEN:
            return f"{ORGANIZATION_AUDIENCE}{organization_id}"
        return f"{self.api_resource}#{organization_id}"

    def is_fresh(self, access: SessionAccess, audience: str) -> bool:
        """Return whether the session's token for ``audience`` may be used without a call to Logto."""
        token = access.tokens.get(audience)
        if token is None or access.is_membership_changing:
            return False
        return utc_now() < self.stale_at(token) and is_current(access, token)

    def why_stale(self, access: SessionAccess, audience: str) -> str:
        """Return why :meth:`is_fresh` is false, in a word or two, for metrics."""
        token = access.tokens.get(audience)
        if token is None:
            return "absent"
        if access.is_membership_changing:
            return "change in progress"
        return "age" if is_current(access, token) else "changed"

    def stale_at(self, token: CachedToken) -> datetime:
        """Return when a token, or a refusal, becomes too old to be used."""
        longest = {None: self.max_age, Refusal.NEEDS_MFA: _MFA_REFUSAL_MAX_AGE}
        max_age = min(self.max_age, longest.get(token.refusal, _REFUSAL_MAX_AGE))
        return min(token.fetched_at + max_age, token.expires_at - EXPIRY_MARGIN)


@dataclass(frozen=True, slots=True)
class Reading:
    """A session's tokens for one organization, during one request.

    ``read_now`` are the kinds of token that were fetched for this request. They may be used for it even if
    they are about to expire, unless the membership has changed meanwhile.
    """

    access: SessionAccess
    organization_id: str
    freshness: Freshness
    read_now: frozenset[Carrier] = frozenset()

    def read(self, carrier: Carrier, access: SessionAccess) -> Self:
        """Return the reading after one kind of token was fetched. ``access`` is the session with it."""
        return replace(self, access=access, read_now=self.read_now | {carrier})

    def find_token(self, carrier: Carrier) -> CachedToken | None:
        """Return the session's token, or refusal, of one kind, even if it may not be used."""
        return self.access.tokens.get(self.freshness.audience(carrier, self.organization_id))

    def find_usable(self, carrier: Carrier) -> CachedToken | None:
        """Return the token, or refusal, of one kind if it may be used for this request."""
        token = self.find_token(carrier)
        if token is None:
            return None
        if carrier in self.read_now:
            return token if is_current(self.access, token) else None
        audience = self.freshness.audience(carrier, self.organization_id)
        return token if self.freshness.is_fresh(self.access, audience) else None

    def granted(self) -> dict[Carrier, CachedToken]:
        """Return the tokens that may be used for this request, without refusals."""
        answers = {carrier: self.find_usable(carrier) for carrier in Carrier}
        return {
            carrier: token
            for carrier, token in answers.items()
            if token is not None and token.refusal is None
        }

    def any_carrier(self) -> Carrier:
        """Return a kind of token that may be used without a call to Logto, else the organization token."""
        answering = (carrier for carrier in Carrier if self.find_usable(carrier) is not None)
        return next(answering, Carrier.ORGANIZATION_TOKEN)


def is_current(access: SessionAccess, token: CachedToken) -> bool:
    """Return whether no change of the membership has become known since fetching the token began."""
    if token.membership_version is not None:
        return token.membership_version == access.membership_version
    changed_at = access.membership_changed_at
    return changed_at is None or token.fetched_at > changed_at

"""What each token of a person would carry if their role in an organization changed. Pure.

The rules of Logto 1.42, each of which a test holds against the provider:

* An issued token stays as it is.
* Organization permissions follow the role at the next refresh.
* API-resource scopes are frozen in the grant at consent: those that the person held in any organization then.
  A refresh issues those of the role that are frozen as well. A new consent adds what the role grants by then.
* Losing a permission therefore takes effect at the next refresh for both kinds of token.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from saas_app.rbac.permissions import Carrier, Permission, permissions_of


@dataclass(frozen=True, slots=True)
class Frozen:
    """The API-resource scopes that are frozen in a grant. None for a scope: it is not known."""

    scopes: Mapping[Permission, bool | None]

    @classmethod
    def exactly(cls, scopes: Iterable[Permission]) -> Frozen:
        """Return a grant of which everything is known."""
        known = frozenset(scopes)
        return cls({permission: permission in known for permission in Permission})

    @classmethod
    def shown_by(cls, tokens: Iterable[tuple[frozenset[str], frozenset[Permission]]]) -> Frozen:
        """Return what API-resource tokens tell about their grant, from the roles and scopes of each.

        A scope in a token is frozen. A scope that the role grants and the token lacks is not. Nothing is
        known about the others.
        """
        scopes: dict[Permission, bool | None] = dict.fromkeys(Permission)
        for role_names, carried in tokens:
            lacking = permissions_of(role_names) - carried
            scopes |= dict.fromkeys(carried, True) | dict.fromkeys(lacking, False)
        return cls(scopes)

    def includes(self, permission: Permission) -> bool | None:
        """Return whether a scope is frozen in the grant, or None if that is not known."""
        return self.scopes.get(permission)


class Outcome(StrEnum):
    """When a permission comes or goes."""

    STAYS = "stays"
    COMES = "comes"  # with the next refresh
    COMES_WITH_CONSENT = "consent"
    DEPENDS = "depends"  # on what the grant froze
    GOES = "goes"  # with the next refresh


@dataclass(frozen=True, slots=True)
class Prediction:
    """Whether the token of a permission carries it: now, after a refresh, and after a new consent.

    ``now`` is None without a token, and ``after_refresh`` if what the grant froze is not known.
    """

    permission: Permission
    now: bool | None
    after_refresh: bool | None
    after_consent: bool

    @property
    def outcome(self) -> Outcome:
        """When the permission comes or goes."""
        if not self.after_consent:
            return Outcome.GOES if self.now else Outcome.STAYS
        if self.after_refresh is None:
            return Outcome.STAYS if self.now else Outcome.DEPENDS
        if not self.after_refresh:
            return Outcome.COMES_WITH_CONSENT
        return Outcome.COMES if self.now is False else Outcome.STAYS


def predict(
    role_names: frozenset[str],
    carried: Mapping[Carrier, frozenset[Permission]],
    frozen: Frozen,
) -> tuple[Prediction, ...]:
    """Predict the tokens of a member for one organization, if these were their roles there from now on.

    ``carried`` is what the tokens that were fetched for this organization carry, by their kind.
    """
    granted = permissions_of(role_names)
    return tuple(_predict(permission, permission in granted, carried, frozen) for permission in Permission)


def _predict(
    permission: Permission,
    is_granted: bool,
    carried: Mapping[Carrier, frozenset[Permission]],
    frozen: Frozen,
) -> Prediction:
    held = carried.get(permission.carrier)
    is_frozen = frozen.includes(permission) if permission.carrier is Carrier.API_TOKEN else True
    return Prediction(
        permission,
        now=None if held is None else permission in held,
        after_refresh=is_frozen if is_granted else False,
        after_consent=is_granted,
    )

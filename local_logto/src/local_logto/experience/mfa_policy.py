"""When a sign-in requires a second factor, and when it requires enrolling one. Pure: no database, no request.

The rules are those of Logto 1.42, without passkeys, adaptive MFA and trusted devices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_logto.experience.json_access import strings, text
from local_logto.second_factors import (
    BACKUP_CODE,
    EMAIL_CODE,
    PHONE_CODE,
    TOTP,
    Factors,
    provable_kinds,
)

_NEVER_SKIPPED = ("Mandatory", "PromptAtSignInAndSignUpMandatory", "PromptOnlyAtSignInMandatory")
_ONLY_AT_SIGN_IN = ("PromptOnlyAtSignIn", "PromptOnlyAtSignInMandatory")
_ORDER = (TOTP, PHONE_CODE, EMAIL_CODE)


@dataclass(frozen=True)
class MfaPolicy:
    """``mfa`` of the sign-in experience: the enabled factors, and who must have one."""

    factors: tuple[str, ...] = ()
    prompt: str = "UserControlled"
    follows_organizations: bool = False

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> MfaPolicy:
        return cls(
            factors=tuple(kind for kind in strings(value, "factors") if kind in (*_ORDER, BACKUP_CODE)),
            prompt=text(value, "policy") or "UserControlled",
            follows_organizations=text(value, "organizationRequiredMfaPolicy") == "Mandatory",
        )

    @property
    def is_mandatory(self) -> bool:
        return self.prompt in _NEVER_SKIPPED

    @property
    def enrollable(self) -> tuple[str, ...]:
        """The factors that can be enrolled first. Backup codes need another factor."""
        return tuple(kind for kind in _ORDER if kind in self.factors)


@dataclass(frozen=True)
class Standing:
    """An account's MFA state: stored factors, addresses, and the owner's choices.

    ``organization_requires`` means that one of the person's organizations requires a factor. ``pending`` are
    the kinds of factor that this interaction is about to add.
    """

    factors: Factors
    email: str | None
    phone: str | None
    config: Mapping[str, Any]
    organization_requires: bool
    pending: tuple[str, ...] = ()

    def _choice(self, name: str) -> bool | None:
        value = (self.config.get("mfa") or {}).get(name)
        return value if isinstance(value, bool) else None

    @property
    def is_enabled(self) -> bool | None:
        """Whether the account has MFA on. None if its owner was never asked."""
        return self._choice("enabled")

    @property
    def was_skipped(self) -> bool:
        return self._choice("skipped") is True

    @property
    def skips_at_sign_in(self) -> bool:
        return self._choice("skipMfaOnSignIn") is True


@dataclass(frozen=True)
class Demand:
    """What must be enrolled before a sign-in continues: the code of Logto's 422, and the factors to choose
    from.
    """

    code: str
    kinds: tuple[str, ...] = ()
    is_skippable: bool = False

    @property
    def data(self) -> dict[str, object] | None:
        if not self.kinds:
            return None
        return {"availableFactors": list(self.kinds)} | ({"skippable": True} if self.is_skippable else {})


def usable_kinds(policy: MfaPolicy, standing: Standing) -> tuple[str, ...]:
    """Return the enabled factors that the account can verify, backup codes last. Addresses count too."""
    stored = [kind for kind in provable_kinds(standing.factors) if kind in policy.factors]
    implicit = _implicit_kinds(policy, standing)
    kinds = [kind for kind in stored if kind != BACKUP_CODE] + implicit
    return tuple(kinds + [kind for kind in stored if kind == BACKUP_CODE])


def requires_verification(policy: MfaPolicy, standing: Standing) -> bool:
    """Return whether a sign-in must verify a second factor."""
    chose_not_to = standing.is_enabled is False or standing.skips_at_sign_in
    if chose_not_to and not policy.is_mandatory:
        return False
    return bool(usable_kinds(policy, standing))


def is_skippable(policy: MfaPolicy, standing: Standing) -> bool:
    """Return whether the person may continue without enrolling."""
    return not policy.is_mandatory and not _is_forced(policy, standing)


def find_demand(policy: MfaPolicy, standing: Standing, *, is_registration: bool) -> Demand | None:
    """Return what the account lacks under this policy, or None if it has enough."""
    if not policy.factors or (is_registration and policy.prompt in _ONLY_AT_SIGN_IN):
        return None
    is_forced = _is_forced(policy, standing)
    if not is_forced and not policy.is_mandatory:
        if policy.prompt == "NoPrompt" or standing.was_skipped:
            return None
        has_chosen = standing.is_enabled or (
            standing.is_enabled is None and bool(usable_kinds(policy, standing) or standing.pending)
        )
        if not has_chosen:
            return Demand("user.suggest_mfa")
    return _find_missing(policy, standing)


def may_have_backup_codes(policy: MfaPolicy, standing: Standing) -> bool:
    """Return whether there is another factor that backup codes can replace."""
    return bool({*usable_kinds(policy, standing), *standing.pending} - {BACKUP_CODE})


def _is_forced(policy: MfaPolicy, standing: Standing) -> bool:
    return policy.follows_organizations and standing.organization_requires


def _find_missing(policy: MfaPolicy, standing: Standing) -> Demand | None:
    held = {*usable_kinds(policy, standing), *standing.pending}
    if not held & set(policy.enrollable):
        return Demand("user.missing_mfa", policy.enrollable, is_skippable(policy, standing))
    if BACKUP_CODE in policy.factors and BACKUP_CODE not in held:
        return Demand("session.mfa.backup_code_required")
    return None


def _implicit_kinds(policy: MfaPolicy, standing: Standing) -> list[str]:
    addresses = ((PHONE_CODE, standing.phone), (EMAIL_CODE, standing.email))
    return [kind for kind, address in addresses if address and kind in policy.factors]

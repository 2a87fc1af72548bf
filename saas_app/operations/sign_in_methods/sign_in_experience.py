"""Turns a declaration into the objects of the sign-in experience that Logto 1.42 accepts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from saas_app.operations.sign_in_methods.model import Declaration, Mfa, SignIn, SignUp, Social

Json = Mapping[str, object]

_FORGOT_PASSWORD: Final = {"email": "EmailVerificationCode", "phone": "PhoneVerificationCode"}


def sign_in_experience_of(declaration: Declaration, found: Json, others: frozenset[str]) -> dict[str, object]:
    """Return the declared objects, merged into those in Logto, because Logto replaces each as a whole.

    ``others`` are the social targets of connectors that are not declared: their buttons stay.
    """
    wanted: dict[str, object] = {}
    if language := declaration.language:
        info = {"autoDetect": language.auto_detect, "fallbackLanguage": language.fallback}
        wanted["languageInfo"] = _merged(found, "languageInfo", info)
    if declaration.sign_in:
        wanted |= _sign_in(declaration.sign_in)
    if declaration.sign_up:
        wanted["signUp"] = _merged(found, "signUp", _sign_up(declaration.sign_up))
    if declaration.mfa:
        wanted["mfa"] = _merged(found, "mfa", _mfa(declaration.mfa))
    if declaration.social:
        wanted |= _social(declaration.social, found, others)
    if codes := declaration.verification_code:
        policy = {"expirationDuration": codes.expires_after, "maxRetryAttempts": codes.max_attempts}
        wanted["verificationCodePolicy"] = _merged(found, "verificationCodePolicy", policy)
    if lockout := declaration.lockout:
        policy = {"maxAttempts": lockout.max_attempts, "lockoutDuration": lockout.minutes}
        wanted["sentinelPolicy"] = _merged(found, "sentinelPolicy", policy)
    return wanted


def _sign_in(sign_in: SignIn) -> dict[str, object]:
    wanted: dict[str, object] = {}
    if sign_in.mode is not None:
        wanted["signInMode"] = sign_in.mode
    if sign_in.forgot_password is not None:
        wanted["forgotPasswordMethods"] = [_FORGOT_PASSWORD[way] for way in sign_in.forgot_password]
    if sign_in.methods is not None:
        wanted["signIn"] = {
            "methods": [
                {
                    "identifier": identifier,
                    "password": "password" in proofs,
                    "verificationCode": "code" in proofs,
                    "isPasswordPrimary": proofs[0] == "password",
                }
                for identifier, proofs in sign_in.methods.items()
            ]
        }
    return wanted


def _sign_up(sign_up: SignUp) -> dict[str, object]:
    return {
        "identifiers": list(sign_up.identifiers),
        "password": sign_up.password,
        "verify": sign_up.verify,
        "secondaryIdentifiers": [
            {"identifier": identifier, "verify": identifier != "username"} for identifier in sign_up.also
        ],
    }


def _mfa(mfa: Mfa) -> dict[str, object]:
    return {
        "factors": None if mfa.factors is None else list(mfa.factors),
        "policy": mfa.policy,
        "organizationRequiredMfaPolicy": mfa.organizations,
    }


def _social(social: Social, found: Json, others: frozenset[str]) -> dict[str, object]:
    linking = {
        "automaticAccountLinking": social.link_accounts,
        "skipRequiredIdentifiers": social.skip_required,
    }
    wanted: dict[str, object] = {"socialSignIn": _merged(found, "socialSignIn", linking)}
    if social.buttons is not None:
        kept = [name for name in _list(found.get("socialSignInConnectorTargets")) if name in others]
        wanted["socialSignInConnectorTargets"] = [*social.buttons, *kept]
    return wanted


def _merged(found: Json, name: str, declared: Json) -> dict[str, object]:
    existing = found.get(name)
    kept = dict(existing) if isinstance(existing, Mapping) else {}
    return kept | {key: value for key, value in declared.items() if value is not None}


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []

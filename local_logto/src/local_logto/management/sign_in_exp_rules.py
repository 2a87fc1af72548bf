"""Rules for changes of the sign-in settings: combinations that would lock people out are rejected.

Pure; ``sign_in_exp`` says which kinds of messages can be sent. The rules and their order are Logto 1.42's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from local_logto.connectors.languages import BUILT_IN
from local_logto.errors import RequestError
from local_logto.management.failures import invalid_input

Values = Mapping[str, Any]

_CONNECTORS: Final = {"email": "Email", "phone": "Sms"}
_CODE_FACTORS: Final = {"email": "EmailVerificationCode", "phone": "PhoneVerificationCode"}
_CODE_TWICE: Final = {
    "email_verification_code_cannot_be_used_for_sign_in": (
        "Email verification code cannot be used for sign-in when it is enabled for MFA."
    ),
    "phone_verification_code_cannot_be_used_for_sign_in": (
        "SMS verification code cannot be used for sign-in when it is enabled for MFA."
    ),
    "email_verification_code_cannot_be_used_for_mfa": (
        "Email verification code cannot be used for MFA when email verification is enabled for sign-in."
    ),
    "phone_verification_code_cannot_be_used_for_mfa": (
        "SMS verification code cannot be used for MFA when SMS verification is enabled for sign-in."
    ),
}
_NOT_SKIPPABLE: Final = ("PromptAtSignInAndSignUpMandatory", "PromptOnlyAtSignInMandatory")


def check_changes(changes: Values, values: Values, sendable: Collection[str]) -> None:
    """Raise the 400 or 422 of the first rule that the changed parts of ``values`` break.

    ``values`` are the settings after the change. ``sendable`` are the types of address, "email" and "phone",
    to which codes can be sent.
    """
    if "languageInfo" in changes:
        _check_language(values["languageInfo"]["fallbackLanguage"])
    if "signUp" in changes:
        _check_sign_up(values["signUp"], sendable)
    if "signIn" in changes:
        _check_sign_in(values["signIn"]["methods"], values["signUp"], sendable)
        _refuse_code_twice(values, "sign_in")
    if "mfa" in changes:
        _check_factors(values["mfa"]["factors"])
        _refuse_code_twice(values, "mfa")
    _check_prompt_policy(changes, values)
    _check_forgot_password(changes.get("forgotPasswordMethods", ()), sendable)


def refuse_cloud_only(changes: Values) -> None:
    """Raise 400 ``request.invalid_input`` for settings that only the hosted Logto supports."""
    if changes.get("hideLogtoBranding"):
        raise invalid_input(400, "Hide Logto branding is not supported in this environment")
    if any(changes.get("customUiCsp", {}).values()):
        raise invalid_input(400, "Custom UI CSP configuration is not available")


def _check_language(language: str) -> None:
    if language not in BUILT_IN:
        raise _refusal(
            "unsupported_default_language", f"This language - {language} is not supported at the moment."
        )


def _check_sign_up(sign_up: Values, sendable: Collection[str]) -> None:
    first, others = sign_up["identifiers"], sign_up.get("secondaryIdentifiers", [])
    second = [other["identifier"] for other in others]
    if second and not first:
        raise _refusal("missing_sign_up_identifiers", "Primary sign-up identifier cannot be empty.")
    if "username" in first and not sign_up["password"]:
        raise _refusal(
            "username_requires_password", "Must enable set a password for username sign up identifier."
        )
    asked = [*first, *second]
    has_either_twice = "emailOrPhone" in second and bool({"email", "phone"} & set(first))
    if len(set(asked)) < len(asked) or has_either_twice:
        raise _refusal("duplicated_sign_up_identifiers", "Duplicate sign-up identifiers detected.")
    addresses = set(asked) - {"username"}
    unverified = [o for o in others if o["identifier"] != "username" and not o.get("verify")]
    if unverified or (addresses and not sign_up["verify"]):
        raise _refusal(
            "passwordless_requires_verify", "Must enable verify for email/phone sign up identifier."
        )
    for kind in ("email", "phone"):
        if addresses & {kind, "emailOrPhone"}:
            _require_connector(kind, sendable)


def _check_sign_in(methods: list[Values], sign_up: Values, sendable: Collection[str]) -> None:
    for kind in ("email", "phone"):
        if _signs_in_by_code(methods, kind):
            _require_connector(kind, sendable)
    if any(not method["password"] and not method["verificationCode"] for method in methods):
        raise _refusal(
            "at_least_one_authentication_factor", "You have to select at least one authentication factor."
        )
    is_passwordless = sign_up["verify"] and not sign_up["password"]
    by_address = [method for method in methods if method["identifier"] != "username"]
    if is_passwordless and any(not method["verificationCode"] for method in by_address):
        raise _refusal(
            "code_sign_in_must_be_enabled",
            "Verification code sign in must be enabled when set a password is not required in sign up.",
        )


def _check_factors(factors: list[str]) -> None:
    if len(set(factors)) < len(factors):
        raise _refusal("duplicated_mfa_factors", "Duplicated MFA factors.")
    if factors == ["BackupCode"]:
        raise _refusal("backup_code_cannot_be_enabled_alone", "Backup code cannot be enabled alone.")


def _refuse_code_twice(values: Values, purpose: str) -> None:
    """Refuse a code to an address as both first and second factor. The error names what was changed."""
    for kind, factor in _CODE_FACTORS.items():
        if factor in values["mfa"]["factors"] and _signs_in_by_code(values["signIn"]["methods"], kind):
            name = f"{kind}_verification_code_cannot_be_used_for_{purpose}"
            raise _refusal(name, _CODE_TWICE[name])


def _check_prompt_policy(changes: Values, values: Values) -> None:
    """Require a policy that can't be skipped for adaptive MFA, and one that can be skipped without it."""
    mfa, given = values["mfa"], changes.get("adaptiveMfa", {}).get("enabled")
    if given and not mfa["factors"]:
        raise _refusal(
            "adaptive_mfa_requires_mfa", "MFA must be enabled before enabling adaptive MFA.", status=422
        )
    is_checked = given is not None or ("adaptiveMfa" not in changes and "mfa" in changes and mfa["factors"])
    is_adaptive, cannot_be_skipped = values["adaptiveMfa"].get("enabled"), mfa["policy"] in _NOT_SKIPPABLE
    if is_checked and is_adaptive and not cannot_be_skipped:
        raise _refusal(
            "adaptive_mfa_requires_non_skippable_policy",
            "Adaptive MFA requires a non-skippable MFA prompt policy. "
            "Use PromptOnlyAtSignInMandatory or PromptAtSignInAndSignUpMandatory.",
            status=422,
        )
    if is_checked and not is_adaptive and cannot_be_skipped:
        raise _refusal(
            "non_adaptive_mfa_requires_skippable_policy",
            "When adaptive MFA is disabled, MFA prompt policy must be skippable. "
            "Do not use PromptOnlyAtSignInMandatory or PromptAtSignInAndSignUpMandatory.",
            status=422,
        )


def _check_forgot_password(methods: Collection[str], sendable: Collection[str]) -> None:
    for kind, method in _CODE_FACTORS.items():
        if method in methods and kind not in sendable:
            name = "email" if kind == "email" else "sms"
            raise _refusal(
                "forgot_password_method_requires_connector",
                f"Forgot password method requires a corresponding {name} connector to be configured.",
            )


def _signs_in_by_code(methods: list[Values], kind: str) -> bool:
    return any(method["identifier"] == kind and method["verificationCode"] for method in methods)


def _require_connector(kind: str, sendable: Collection[str]) -> None:
    if kind not in sendable:
        raise _refusal("enabled_connector_not_found", f"Enabled {_CONNECTORS[kind]} connector not found.")


def _refusal(reason: str, message: str, *, status: int = 400) -> RequestError:
    return RequestError(status, f"sign_in_experiences.{reason}", message)

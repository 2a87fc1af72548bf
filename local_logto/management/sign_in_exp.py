"""``/sign-in-exp``: how people may sign in and sign up, for admins and, less of it, for the sign-in page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from quart import Blueprint, Response

from local_logto.context import current_store
from local_logto.errors import RequestError
from local_logto.management.entities import TENANT, Entity
from local_logto.management.guard import AnyObject, Choice, Flag, Kind, ListOf, OrNull, Shape, Text, read_body
from local_logto.management.settings_rows import read_setting, write_setting
from local_logto.responses import json_response

KEY: Final = "sign-in-exp"

_IDENTIFIERS: Final = ("username", "email", "phone")
_SIGN_IN: Final = Shape(
    required={
        "methods": ListOf(
            Shape(
                required={
                    "identifier": Choice(_IDENTIFIERS),
                    "password": Flag(),
                    "verificationCode": Flag(),
                    "isPasswordPrimary": Flag(),
                }
            )
        )
    }
)
_SIGN_UP: Final = Shape(
    required={"identifiers": ListOf(Choice(_IDENTIFIERS)), "password": Flag(), "verify": Flag()},
    optional={
        "secondaryIdentifiers": ListOf(
            Shape(
                required={"identifier": Choice((*_IDENTIFIERS, "emailOrPhone"))},
                optional={"verify": Flag()},
            )
        )
    },
)
_OBJECTS: Final = (
    "color",
    "branding",
    "languageInfo",
    "socialSignIn",
    "customContent",
    "customUiCsp",
    "passwordPolicy",
    "mfa",
    "adaptiveMfa",
    "captchaPolicy",
    "sentinelPolicy",
    "emailBlocklistPolicy",
    "verificationCodePolicy",
    "passkeySignIn",
    "passwordExpiration",
    "usernamePolicy",
)
_TEXTS_OR_NULL: Final = (
    "termsOfUseUrl",
    "privacyPolicyUrl",
    "customCss",
    "supportEmail",
    "supportWebsiteUrl",
    "unknownSessionRedirectUrl",
)
_CHANGES: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(_OBJECTS, AnyObject()),
    **dict.fromkeys(_TEXTS_OR_NULL, OrNull(Text())),
    "hideLogtoBranding": Flag(),
    "singleSignOnEnabled": Flag(),
    "agreeToTermsPolicy": Choice(("Automatic", "ManualRegistrationOnly", "Manual")),
    "signInMode": Choice(("SignIn", "Register", "SignInAndRegister")),
    "signIn": _SIGN_IN,
    "signUp": _SIGN_UP,
    "socialSignInConnectorTargets": ListOf(Text()),
    "forgotPasswordMethods": ListOf(Choice(("EmailVerificationCode", "PhoneVerificationCode"))),
}

# As Logto seeds it, but people may also sign in by their e-mail address.
SEED: Final[Mapping[str, Any]] = {
    "color": {"primaryColor": "#6139F6", "isDarkModeEnabled": False, "darkPrimaryColor": "#8768F8"},
    "branding": {
        "logoUrl": "https://logto.io/logo.svg",
        "darkLogoUrl": "https://logto.io/logo-dark.svg",
    },
    "hideLogtoBranding": False,
    "languageInfo": {"autoDetect": True, "fallbackLanguage": "en"},
    "termsOfUseUrl": None,
    "privacyPolicyUrl": None,
    "agreeToTermsPolicy": "Automatic",
    "signIn": {
        "methods": [
            {"identifier": name, "password": True, "verificationCode": False, "isPasswordPrimary": True}
            for name in ("username", "email")
        ]
    },
    "signUp": {"identifiers": ["username"], "password": True, "verify": False},
    "socialSignIn": {},
    "socialSignInConnectorTargets": [],
    "signInMode": "SignInAndRegister",
    "customCss": None,
    "customContent": {},
    "customUiAssets": None,
    "customUiCsp": {},
    "passwordPolicy": {},
    "mfa": {"factors": [], "policy": "UserControlled"},
    "adaptiveMfa": {},
    "singleSignOnEnabled": False,
    "supportEmail": None,
    "supportWebsiteUrl": None,
    "unknownSessionRedirectUrl": None,
    "captchaPolicy": {},
    "sentinelPolicy": {},
    "emailBlocklistPolicy": {},
    "verificationCodePolicy": {},
    "forgotPasswordMethods": [],
    "passkeySignIn": {},
    "signUpProfileFields": None,
    "passwordExpiration": {},
    "usernamePolicy": {
        "caseSensitive": True,
        "minLength": 1,
        "maxLength": 128,
        "allowedChars": {"lowercase": True, "uppercase": True, "numbers": True, "underscore": True},
    },
}

blueprint = Blueprint("sign_in_exp", __name__, url_prefix="/sign-in-exp")
public_blueprint = Blueprint("public_sign_in_exp", __name__, url_prefix="/.well-known/sign-in-exp")


@blueprint.get("")
async def get_sign_in_experience() -> Response:
    return json_response(_shown(await read_setting(current_store(), KEY)))


@blueprint.patch("")
async def change_sign_in_experience() -> Response:
    """Change what is named; every object is replaced whole. Social targets need a connector: none is kept."""
    changes = await read_body(Shape(optional=_CHANGES))
    if "socialSignInConnectorTargets" in changes:
        changes["socialSignInConnectorTargets"] = []
    values = {**await read_setting(current_store(), KEY), **changes}
    _check_sign_up(values["signUp"])
    _check_sign_in(values["signIn"]["methods"], values["signUp"])
    await write_setting(current_store(), KEY, values)
    return json_response(_shown(values))


@public_blueprint.get("")
async def get_public_sign_in_experience() -> Response:
    """What a sign-in page reads, without signing in."""
    values = await read_setting(current_store(), KEY)
    shown = _shown(values)
    del shown["emailBlocklistPolicy"], shown["forgotPasswordMethods"]
    methods = values["forgotPasswordMethods"] or []
    return json_response(
        shown
        | {"socialConnectors": [], "ssoConnectors": []}
        | {
            "forgotPassword": {
                "phone": "PhoneVerificationCode" in methods,
                "email": "EmailVerificationCode" in methods,
            },
            "isDevelopmentTenant": False,
            "customProfileFields": [],
            "customProfileFieldCatalog": [],
        }
    )


def _shown(values: Mapping[str, Any]) -> Entity:
    return TENANT | {"id": "default"} | dict(values)


def _check_sign_up(sign_up: Mapping[str, Any]) -> None:
    identifiers = set(sign_up["identifiers"])
    if "username" in identifiers and not sign_up["password"]:
        raise _refusal(
            "username_requires_password", "Must enable set a password for username sign up identifier."
        )
    if identifiers & {"email", "phone"} and not sign_up["verify"]:
        raise _refusal(
            "passwordless_requires_verify", "Must enable verify for email/phone sign up identifier."
        )


def _check_sign_in(methods: list[Mapping[str, Any]], sign_up: Mapping[str, Any]) -> None:
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


def _refusal(reason: str, message: str) -> RequestError:
    return RequestError(400, f"sign_in_experiences.{reason}", message)

"""The shape of ``PATCH /sign-in-exp``, as the guard of Logto 1.42 defines it.

``sign_in_exp_rules`` checks combinations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from local_logto.connectors.languages import LANGUAGE_TAGS
from local_logto.values import (
    AnyOf,
    Anything,
    Choice,
    Exactly,
    Filled,
    Flag,
    Kind,
    ListOf,
    MapOf,
    Number,
    OrNull,
    Refined,
    Rule,
    Shape,
    Text,
)

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
_CODES_BY: Final = ("EmailVerificationCode", "PhoneVerificationCode")
_MFA: Final = Shape(
    required={
        "factors": ListOf(Choice(("Totp", "WebAuthn", "BackupCode", *_CODES_BY))),
        "policy": Choice(
            (
                "UserControlled",
                "Mandatory",
                "PromptOnlyAtSignIn",
                "PromptAtSignInAndSignUp",
                "NoPrompt",
                "PromptAtSignInAndSignUpMandatory",
                "PromptOnlyAtSignInMandatory",
            )
        ),
    },
    optional={"organizationRequiredMfaPolicy": Choice(("NoPrompt", "Mandatory"))},
)
_CODE_POLICY: Final = Shape(
    optional={
        "expirationDuration": Number(is_integer=True, min=60, max=3600),
        "maxRetryAttempts": Number(is_integer=True, min=1, max=100),
    }
)
COLOR: Final = Text(pattern=r"#(?:[\da-fA-F]{3}){1,2}")
_URL: Final = Text(is_url=True)
_LANGUAGE: Final = Refined(
    Anything(), (Rule(lambda tag: isinstance(tag, str) and tag.lower() in LANGUAGE_TAGS, "Invalid input"),)
)
_PASSWORD_POLICY: Final = Shape(
    optional={
        "length": Filled(
            Shape(optional={"min": Number(is_integer=True, min=1), "max": Number(is_integer=True, min=1)}),
            {"min": 8, "max": 256},
        ),
        "characterTypes": Filled(Shape(optional={"min": Number(is_integer=True, min=1, max=4)}), {"min": 1}),
        "rejects": Filled(
            Shape(
                optional={
                    **dict.fromkeys(("pwned", "repetitionAndSequence", "userInfo"), Flag()),
                    "words": ListOf(Text()),
                }
            ),
            {"pwned": True, "repetitionAndSequence": True, "userInfo": True, "words": []},
        ),
    }
)
_LENGTH: Final = Number(is_integer=True, min=1, max=128)
_CHARACTERS: Final = ("lowercase", "uppercase", "numbers", "underscore")
_USERNAME_POLICY: Final = Refined(
    Shape(
        {
            "caseSensitive": Flag(),
            "minLength": _LENGTH,
            "maxLength": _LENGTH,
            "allowedChars": Shape(dict.fromkeys(_CHARACTERS, Flag())),
        }
    ),
    (
        Rule(
            lambda policy: policy["minLength"] <= policy["maxLength"],
            "Minimum length cannot exceed maximum length.",
            ("maxLength",),
        ),
        Rule(
            lambda policy: any(
                policy["allowedChars"][name] for name in ("lowercase", "uppercase", "underscore")
            ),
            "At least one of lowercase, uppercase, or underscore must be enabled. "
            "Usernames cannot start with a number, so numbers alone are not allowed.",
            ("allowedChars",),
        ),
    ),
)
_PASSWORD_EXPIRATION: Final = AnyOf(
    (
        Shape(optional={"enabled": Exactly(False)}),
        Shape({"enabled": Exactly(True), "validPeriodDays": Number(is_integer=True, min=1)}),
    )
)

_OBJECTS: Final[Mapping[str, Kind]] = {
    "color": Shape({"primaryColor": COLOR, "isDarkModeEnabled": Flag(), "darkPrimaryColor": COLOR}),
    "branding": Shape(optional=dict.fromkeys(("logoUrl", "darkLogoUrl", "favicon", "darkFavicon"), _URL)),
    "customContent": MapOf(Text()),
    "customUiCsp": Shape(optional=dict.fromkeys(("scriptSrc", "connectSrc"), ListOf(Text()))),
    "passwordPolicy": _PASSWORD_POLICY,
    "captchaPolicy": Shape(optional={"enabled": Flag()}),
    "emailBlocklistPolicy": Shape(
        optional={
            **dict.fromkeys(("blockDisposableAddresses", "blockSubaddressing"), Flag()),
            **dict.fromkeys(("customAllowlist", "customBlocklist"), ListOf(Text())),
        }
    ),
    "passkeySignIn": Shape(optional=dict.fromkeys(("enabled", "showPasskeyButton", "allowAutofill"), Flag())),
    "passwordExpiration": _PASSWORD_EXPIRATION,
    "usernamePolicy": _USERNAME_POLICY,
    "languageInfo": Shape({"autoDetect": Flag(), "fallbackLanguage": _LANGUAGE}),
    "socialSignIn": Shape(optional={"automaticAccountLinking": Flag(), "skipRequiredIdentifiers": Flag()}),
    "mfa": _MFA,
    "adaptiveMfa": Shape(optional={"enabled": Flag()}),
    "sentinelPolicy": Shape(optional={"maxAttempts": Number(), "lockoutDuration": Number()}),
    "verificationCodePolicy": _CODE_POLICY,
}
_URLS_OR_NOTHING: Final = (
    "termsOfUseUrl",
    "privacyPolicyUrl",
    "supportWebsiteUrl",
    "unknownSessionRedirectUrl",
)
CHANGES: Final = Shape(
    optional={
        **_OBJECTS,
        **dict.fromkeys(_URLS_OR_NOTHING, OrNull(Text(is_url=True, may_be_empty=True))),
        "supportEmail": OrNull(Text(is_email=True, may_be_empty=True)),
        "customCss": OrNull(Text()),
        "hideLogtoBranding": Flag(),
        "singleSignOnEnabled": Flag(),
        "agreeToTermsPolicy": Choice(("Automatic", "ManualRegistrationOnly", "Manual")),
        "signInMode": Choice(("SignIn", "Register", "SignInAndRegister")),
        "signIn": _SIGN_IN,
        "signUp": _SIGN_UP,
        "socialSignInConnectorTargets": ListOf(Text()),
        "forgotPasswordMethods": ListOf(Choice(_CODES_BY)),
    }
)

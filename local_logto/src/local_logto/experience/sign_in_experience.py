"""How people may sign in and sign up: the stored ``sign-in-exp`` as the sign-in pages need it.

The Management API changes it. The services of this package decide by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from local_logto.experience.json_access import boolean, mapping, mappings, strings, text
from local_logto.experience.mfa_policy import MfaPolicy
from local_logto.experience.password_policy import PasswordPolicy
from local_logto.experience.sentinel import LockoutPolicy
from local_logto.experience.username_policy import UsernamePolicy
from local_logto.settings_rows import SIGN_IN_EXP, read_setting
from local_logto.store import Store
from local_logto.verification_codes import CodePolicy

IDENTIFIER_TYPES = ("username", "email", "phone")


@dataclass(frozen=True)
class SignInMethod:
    """One way to sign in: the identifier, and what proves it."""

    identifier: str
    password: bool
    verification_code: bool
    is_password_primary: bool


@dataclass(frozen=True)
class SocialPolicy:
    """Which social connectors have a button, and what people who use one are asked.

    ``links_automatically`` links an identity to the account with its email address without asking.
    ``skips_required_identifiers`` lets an account lack what signing up otherwise requires.
    """

    targets: tuple[str, ...] = ()
    links_automatically: bool = False
    skips_required_identifiers: bool = False


@dataclass(frozen=True)
class SignInExperience:
    """The settings that decide what sign-in pages offer and what the Experience API accepts."""

    sign_in_mode: str
    methods: tuple[SignInMethod, ...]
    sign_up_identifiers: tuple[str, ...]
    secondary_identifiers: tuple[str, ...]
    sign_up_password: bool
    forgot_password_methods: tuple[str, ...]
    password_policy: PasswordPolicy
    username_policy: UsernamePolicy
    code_policy: CodePolicy
    unknown_session_url: str | None
    social: SocialPolicy
    single_sign_on: bool
    mfa: MfaPolicy
    lockout: LockoutPolicy
    email_blocklist: Mapping[str, object]

    @property
    def allows_sign_in(self) -> bool:
        return self.sign_in_mode != "Register"

    @property
    def has_registration_off(self) -> bool:
        """Whether new accounts are impossible. A sign-up without identifiers still allows them."""
        return self.sign_in_mode == "SignIn"

    @property
    def allows_registration(self) -> bool:
        return self.sign_in_mode != "SignIn" and bool(self.sign_up_identifiers)

    def find_method(self, identifier_type: str) -> SignInMethod | None:
        return next((method for method in self.methods if method.identifier == identifier_type), None)

    def signs_in_by_code(self, identifier_type: str) -> bool:
        method = self.find_method(identifier_type)
        return self.allows_sign_in and method is not None and method.verification_code

    def registers_by_code(self, identifier_type: str) -> bool:
        """Return whether a new account may be created with a verified address of this type."""
        return self.allows_registration and self.asks_for(identifier_type)

    def asks_for(self, identifier_type: str) -> bool:
        """Return whether signing up asks for an address of this type, alone or as one of two."""
        asked_for = {*self.sign_up_identifiers, *self.secondary_identifiers}
        return bool(asked_for & {identifier_type, "emailOrPhone"})

    def forgot_password_identifiers(self) -> tuple[str, ...]:
        """Return the types of address that can receive a code for a new password."""
        by_method = {"EmailVerificationCode": "email", "PhoneVerificationCode": "phone"}
        return tuple(by_method[name] for name in self.forgot_password_methods if name in by_method)

    def required_profile(self) -> tuple[str, ...]:
        """Return what an account must have, in the order in which Logto asks for it."""
        required = [_primary_requirement(self.sign_up_identifiers), *self.secondary_identifiers]
        if self.sign_up_password:
            required.append("password")
        return tuple(dict.fromkeys(name for name in required if name))


def read_sign_in_experience(store: Store) -> SignInExperience:
    """Read the settings that the Management API stores."""
    return parse_sign_in_experience(read_setting(store, SIGN_IN_EXP))


def parse_sign_in_experience(value: Mapping[str, object]) -> SignInExperience:
    """Parse the stored object, with Logto's defaults for missing policies."""
    sign_up = mapping(value, "signUp")
    social = mapping(value, "socialSignIn")
    return SignInExperience(
        sign_in_mode=text(value, "signInMode") or "SignInAndRegister",
        methods=tuple(_method(item) for item in mappings(mapping(value, "signIn"), "methods")),
        sign_up_identifiers=strings(sign_up, "identifiers"),
        secondary_identifiers=tuple(
            text(item, "identifier") or "" for item in mappings(sign_up, "secondaryIdentifiers")
        ),
        sign_up_password=boolean(sign_up, "password", default=False),
        forgot_password_methods=strings(value, "forgotPasswordMethods"),
        password_policy=PasswordPolicy.from_json(mapping(value, "passwordPolicy")),
        username_policy=UsernamePolicy.from_json(mapping(value, "usernamePolicy")),
        code_policy=CodePolicy.from_json(mapping(value, "verificationCodePolicy")),
        unknown_session_url=text(value, "unknownSessionRedirectUrl"),
        social=SocialPolicy(
            strings(value, "socialSignInConnectorTargets"),
            boolean(social, "automaticAccountLinking", default=False),
            boolean(social, "skipRequiredIdentifiers", default=False),
        ),
        single_sign_on=boolean(value, "singleSignOnEnabled", default=False),
        mfa=MfaPolicy.from_json(mapping(value, "mfa")),
        lockout=LockoutPolicy.from_json(mapping(value, "sentinelPolicy")),
        email_blocklist=mapping(value, "emailBlocklistPolicy"),
    )


def _method(value: Mapping[str, object]) -> SignInMethod:
    return SignInMethod(
        identifier=text(value, "identifier") or "",
        password=boolean(value, "password", default=False),
        verification_code=boolean(value, "verificationCode", default=False),
        is_password_primary=boolean(value, "isPasswordPrimary", default=False),
    )


def _primary_requirement(identifiers: tuple[str, ...]) -> str | None:
    if "username" in identifiers:
        return "username"
    if {"email", "phone"} <= set(identifiers):
        return "emailOrPhone"
    return identifiers[0] if identifiers else None

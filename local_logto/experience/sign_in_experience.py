"""How people may sign in and sign up: the stored ``sign-in-exp`` as the sign-in pages need it.

Changing it belongs to the Management API; deciding by it belongs to the services of this package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from local_logto.experience.json_access import boolean, integer, mapping, mappings, strings, text
from local_logto.experience.password_policy import PasswordPolicy
from local_logto.experience.username_policy import UsernamePolicy
from local_logto.management.settings_rows import read_setting
from local_logto.management.sign_in_exp import KEY
from local_logto.store import Store

IDENTIFIER_TYPES = ("username", "email", "phone")


@dataclass(frozen=True)
class SignInMethod:
    """One way to sign in: what is typed first, and what proves it."""

    identifier: str
    password: bool
    verification_code: bool
    is_password_primary: bool


@dataclass(frozen=True)
class CodePolicy:
    """How long a verification code lives, in seconds, and how many wrong tries it survives."""

    expires_after: int = 600
    max_tries: int = 10


@dataclass(frozen=True)
class SignInExperience:
    """The settings that decide what a sign-in page offers and what the Experience API accepts."""

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

    @property
    def allows_sign_in(self) -> bool:
        return self.sign_in_mode != "Register"

    @property
    def allows_registration(self) -> bool:
        return self.sign_in_mode != "SignIn" and bool(self.sign_up_identifiers)

    @property
    def is_password_only(self) -> bool:
        """Whether identifier and password stand on one page, as Logto shows them."""
        return all(method.password and not method.verification_code for method in self.methods)

    def find_method(self, identifier_type: str) -> SignInMethod | None:
        return next((method for method in self.methods if method.identifier == identifier_type), None)

    def forgot_password_identifiers(self) -> tuple[str, ...]:
        """The kinds of address to which a code for a new password may be sent."""
        by_method = {"EmailVerificationCode": "email", "PhoneVerificationCode": "phone"}
        return tuple(by_method[name] for name in self.forgot_password_methods if name in by_method)

    def required_profile(self) -> tuple[str, ...]:
        """What an account must have, in the order in which Logto asks for it."""
        required = [_primary_requirement(self.sign_up_identifiers), *self.secondary_identifiers]
        if self.sign_up_password:
            required.append("password")
        return tuple(dict.fromkeys(name for name in required if name))


async def read_sign_in_experience(store: Store) -> SignInExperience:
    """The settings as the Management API keeps them."""
    return parse_sign_in_experience(await read_setting(store, KEY))


def parse_sign_in_experience(value: Mapping[str, object]) -> SignInExperience:
    """Understand the stored object; policies it lacks are Logto's defaults."""
    sign_up, codes = mapping(value, "signUp"), mapping(value, "verificationCodePolicy")
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
        code_policy=CodePolicy(
            integer(codes, "expirationDuration", 600), integer(codes, "maxRetryAttempts", 10)
        ),
        unknown_session_url=text(value, "unknownSessionRedirectUrl"),
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

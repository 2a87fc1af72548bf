"""The ways to sign in that the front page offers besides a password. Read once, at startup."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SocialButton:
    """A button for a social provider, which ``direct_sign_in=social:<target>`` leads to."""

    target: str
    name: str


@dataclass(frozen=True, slots=True)
class OfferedMethods:
    """The ways to sign in that are declared in ``connectors.toml``. Without it, there are none."""

    email_code: bool = False
    sms_code: bool = False
    social: tuple[SocialButton, ...] = ()

    def __bool__(self) -> bool:
        return self.email_code or self.sms_code or bool(self.social)

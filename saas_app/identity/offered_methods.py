"""What the front page offers beside a password: frozen values, read once when the application starts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SocialButton:
    """One social provider: ``direct_sign_in=social:<target>`` leads to it, ``name`` stands on the button."""

    target: str
    name: str


@dataclass(frozen=True, slots=True)
class OfferedMethods:
    """The ways in that the declaration has; with nothing declared there are none."""

    email_code: bool = False
    sms_code: bool = False
    social: tuple[SocialButton, ...] = ()

    def __bool__(self) -> bool:
        return self.email_code or self.sms_code or bool(self.social)

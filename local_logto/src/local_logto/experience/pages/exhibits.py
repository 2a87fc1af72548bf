"""Pages that show something to be kept: the secret of an authenticator app, backup codes. Pure.

The sign-in pages and the account page show the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from markupsafe import Markup

from local_logto.experience.pages.forms import Exhibit, FormPage, code_field


def totp_page(secret: str, qr_code: Markup) -> FormPage:
    """Scan or type the secret, then prove that it arrived."""
    exhibit = Exhibit(
        "Step 1: Scan this QR code",
        "Scan it with your authenticator app, such as Google Authenticator, Duo Mobile or Authy.",
        picture=qr_code,
        instead="Can’t scan the QR code?",
        hint="Copy this key and paste it into your authenticator app.",
        lines=(secret,),
    )
    field = code_field("Step 2: Enter the one-time code")
    return FormPage("Add authenticator app", "Continue", (field,), exhibit=exhibit)


def backup_codes_page(codes: Sequence[str]) -> FormPage:
    """Codes that are shown this once."""
    exhibit = Exhibit(
        hint="Copy them and keep them in a safe place: they are not shown again.",
        lines=tuple(codes),
        download="data:text/plain;charset=utf-8," + quote("\n".join(codes)),
    )
    text = (
        "With one of these backup codes you get into your account when you have trouble with 2-step "
        "verification. Each code may be used only once."
    )
    return FormPage("Save your backup code", "Continue", (), text, exhibit=exhibit)

"""Pages that set up a second factor: the secret of an authenticator app, or backup codes. Pure.

The sign-in pages and the account page share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from markupsafe import Markup

from local_logto.experience.pages.forms import FormPage, Secret, code_field
from local_logto.translation import _


def totp_page(secret: str, qr_code: Markup) -> FormPage:
    """Show the secret as a QR code and as text, with a field for the first code."""
    shown_secret = Secret(
        _("Step 1: Scan this QR code"),
        _("Scan it with your authenticator app, such as Google Authenticator, Duo Mobile or Authy."),
        picture=qr_code,
        instead=_("Can’t scan the QR code?"),
        hint=_("Copy this key and paste it into your authenticator app."),
        lines=(secret,),
    )
    field = code_field(_("Step 2: Enter the one-time code"))
    return FormPage(_("Add authenticator app"), _("Continue"), (field,), shown_secret=shown_secret)


def backup_codes_page(codes: Sequence[str]) -> FormPage:
    """Show new backup codes. They are not shown again."""
    shown_secret = Secret(
        hint=_("Copy the codes and keep them in a safe place. They are not shown again."),
        lines=tuple(codes),
        download="data:text/plain;charset=utf-8," + quote("\n".join(codes)),
    )
    text = _(
        "If you can’t complete 2-step verification, sign in with one of these backup codes. "
        "Each code works once."
    )
    return FormPage(_("Save your backup code"), _("Continue"), (), text, shown_secret=shown_secret)

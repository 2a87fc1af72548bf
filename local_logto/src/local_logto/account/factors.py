"""Second factors on the account page: an authenticator app, backup codes, and removing them.

The rules are those of Logto's Account API: a factor must be enabled for sign-in, an account has at most one
authenticator, and backup codes need another factor.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from quart import request

from local_logto import second_factors
from local_logto.account.changes import store_values
from local_logto.account.visitor import Visitor
from local_logto.context import origin_of
from local_logto.refusals import refusal
from local_logto.second_factors import BACKUP_CODE, TOTP, Factor
from local_logto.store import now_ms


async def begin_totp(visitor: Visitor) -> str:
    """Return the secret that is being enrolled: a new one, or one from the last ten minutes."""
    _refuse_disabled(visitor, TOTP)
    if second_factors.find_factor(visitor.user["mfa_verifications"], TOTP):
        raise refusal("user.totp_already_in_use")
    secret = visitor.progress.totp_secret
    if secret is None:
        secret = second_factors.new_totp_secret()
        await visitor.save(replace(visitor.progress, totp_secret=secret, shown_at=now_ms()))
    return secret


def totp_uri(visitor: Visitor, secret: str) -> str:
    """Return the content of the QR code for this secret."""
    service = urlsplit(origin_of(request)).hostname or ""
    return second_factors.key_uri(secret, second_factors.account_label(visitor.user), service)


async def add_totp(visitor: Visitor, secret: str, code: str) -> None:
    """Add the authenticator to the account. Raises 400 ``session.mfa.invalid_totp_code`` for a wrong code."""
    if second_factors.find_time_step(secret, code, now_ms()) is None:
        raise refusal("session.mfa.invalid_totp_code")
    await _add(visitor, second_factors.totp_factor(secret, now_ms()))


async def begin_backup_codes(visitor: Visitor) -> tuple[str, ...]:
    """Return codes that will replace the old ones. Raises 422 if the account has no other factor."""
    _refuse_disabled(visitor, BACKUP_CODE)
    if second_factors.find_factor(visitor.user["mfa_verifications"], TOTP) is None:
        raise refusal("session.mfa.backup_code_can_not_be_alone")
    codes = visitor.progress.backup_codes
    if not codes:
        codes = tuple(second_factors.new_backup_codes())
        await visitor.save(replace(visitor.progress, backup_codes=codes, shown_at=now_ms()))
    return codes


async def add_backup_codes(visitor: Visitor, codes: tuple[str, ...]) -> None:
    """Store the codes in place of the account's old ones."""
    await _add(visitor, second_factors.backup_code_factor(codes, now_ms()))


async def remove(visitor: Visitor, kind: str) -> None:
    """Remove the factor. Backup codes are removed with the last other factor."""
    kept = second_factors.without_factor(visitor.user["mfa_verifications"], kind)
    store_values(visitor, mfa_verifications=kept)


async def _add(visitor: Visitor, factor: Factor) -> None:
    user = visitor.user
    store_values(
        visitor,
        mfa_verifications=second_factors.with_factor(user["mfa_verifications"], factor),
        logto_config=second_factors.with_choices(user["logto_config"], enabled=True),
    )
    await visitor.save(replace(visitor.progress, totp_secret=None, backup_codes=()))


def _refuse_disabled(visitor: Visitor, kind: str) -> None:
    if kind not in visitor.settings.mfa.factors:
        raise refusal("session.mfa.mfa_factor_not_enabled")

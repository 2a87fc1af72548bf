"""The second factors in a user's row: created, shown, used. Pure.

An authenticator's codes follow RFC 6238 (30 s, six digits, one step early or late is accepted). Each time
step and each backup code works once. Logto 1.42 stores both in ``mfaVerifications`` in this form. Which
factors the tenant enables is decided elsewhere.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyotp
import segno
import sqlalchemy as sa
from markupsafe import Markup

from local_logto.store import new_id
from local_logto.webhooks import iso_moment

TOTP: Final = "Totp"
BACKUP_CODE: Final = "BackupCode"
EMAIL_CODE: Final = "EmailVerificationCode"
PHONE_CODE: Final = "PhoneVerificationCode"

BACKUP_CODES: Final = 10
_STEP_SECONDS: Final = 30
_STEPS_ACCEPTED: Final = (0, -1, 1)
_CODE: Final = re.compile(r"[0-9a-f]{10}")

Factor = Mapping[str, Any]
Factors = Sequence[Factor]


def new_totp_secret() -> str:
    """Return 160 random bits in base32, as RFC 4226 §4 recommends."""
    return pyotp.random_base32()


def is_totp_secret(secret: str) -> bool:
    """Return whether an authenticator can use the secret: 16 to 32 characters of base32."""
    try:
        return 16 <= len(secret) <= 32 and bool(base64.b32decode(secret))
    except binascii.Error:
        return False


def new_backup_codes() -> list[str]:
    return [secrets.token_hex(5) for _ in range(BACKUP_CODES)]


def are_backup_codes(codes: Sequence[str]) -> bool:
    return len(codes) == BACKUP_CODES and all(_CODE.fullmatch(code.lower()) for code in codes)


def totp_factor(secret: str, moment_ms: int) -> Factor:
    return {"id": new_id(), "createdAt": iso_moment(moment_ms), "type": TOTP, "key": secret}


def backup_code_factor(codes: Sequence[str], moment_ms: int) -> Factor:
    kept = [{"code": code} for code in codes]
    return {"id": new_id(), "createdAt": iso_moment(moment_ms), "type": BACKUP_CODE, "codes": kept}


def find_factor(factors: Factors, kind: str) -> Factor | None:
    return next((factor for factor in factors if factor["type"] == kind), None)


def unused_codes(factor: Factor) -> int:
    """Return the number of unused backup codes."""
    return sum("usedAt" not in entry for entry in factor["codes"])


def provable_kinds(factors: Factors) -> tuple[str, ...]:
    """Return the kinds that can still prove something. Backup codes are included while one is left, and come
    last.
    """
    kinds = {factor["type"] for factor in factors if factor["type"] != BACKUP_CODE or unused_codes(factor)}
    return tuple(sorted(kinds, key=lambda kind: (kind == BACKUP_CODE, kind)))


def with_factor(factors: Factors, factor: Factor) -> list[Factor]:
    """Return the factors with this one added. New backup codes replace the old ones."""
    replaced = BACKUP_CODE if factor["type"] == BACKUP_CODE else None
    return [*(kept for kept in factors if kept["type"] != replaced), factor]


def without_factor(factors: Factors, kind: str) -> list[Factor]:
    """Return the factors without this kind. Backup codes go too if no other factor is left."""
    kept = [factor for factor in factors if factor["type"] != kind]
    return kept if any(factor["type"] != BACKUP_CODE for factor in kept) else []


def shown(factor: Factor) -> dict[str, Any]:
    """Return the public part of a factor, without its key or codes."""
    public = {name: factor[name] for name in ("id", "createdAt", "type")}
    return public | ({"remainCodes": unused_codes(factor)} if factor["type"] == BACKUP_CODE else {})


def find_time_step(secret: str, code: str, moment_ms: int) -> int | None:
    """Return the time step of this code (the current, previous or next one), or None if the code is wrong."""
    now = moment_ms // 1000 // _STEP_SECONDS
    totp = pyotp.TOTP(secret)
    for step in (now + offset for offset in _STEPS_ACCEPTED):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()):
            return step
    return None


def use_totp(factors: Factors, code: str, moment_ms: int) -> list[Factor] | None:
    """Return the factors with the code's time step used up, or None if the code is wrong or was used."""
    totp = find_factor(factors, TOTP)
    if totp is None:
        return None
    step = find_time_step(totp["key"], code, moment_ms)
    if step is None or step <= totp.get("lastUsedTimeStep", -1):
        return None
    return _replaced(factors, {**totp, "lastUsedAt": iso_moment(moment_ms), "lastUsedTimeStep": step})


def use_backup_code(factors: Factors, code: str, moment_ms: int) -> list[Factor] | None:
    """Return the factors with this backup code used up, or None if it is wrong or was used."""
    backup = find_factor(factors, BACKUP_CODE)
    if backup is None:
        return None
    is_it = [
        "usedAt" not in entry and hmac.compare_digest(entry["code"].encode(), code.encode())
        for entry in backup["codes"]
    ]
    if not any(is_it):
        return None
    codes = [
        {**entry, "usedAt": iso_moment(moment_ms)} if chosen else entry
        for entry, chosen in zip(backup["codes"], is_it, strict=True)
    ]
    return _replaced(factors, {**backup, "codes": codes})


def _replaced(factors: Factors, changed: Factor) -> list[Factor]:
    return [changed if factor["id"] == changed["id"] else factor for factor in factors]


def account_label(user: sa.RowMapping) -> str:
    """Return the account's name in authenticator apps: the first identifier that its row has."""
    names = ("username", "primary_email", "primary_phone", "name", "id")
    return next(str(user[name]) for name in names if user[name])


def key_uri(secret: str, account: str, service: str) -> str:
    """Return the ``otpauth:`` URI that authenticator apps read from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=service)


def qr_data_uri(content: str) -> str:
    """Return a QR code as a PNG in a ``data:`` URI, as Logto's API does."""
    uri: str = segno.make_qr(content).png_data_uri(scale=4)
    return uri


def qr_svg(content: str) -> Markup:
    """Return a QR code as SVG without styles: black on white in every color scheme, sized by CSS."""
    svg = segno.make_qr(content).svg_inline(omitsize=True, dark="#000", light="#fff")
    return Markup(svg)  # noqa: S704 - drawn by the library; the content is not in it as text


def with_choices(config: Mapping[str, Any], **choices: bool) -> dict[str, Any]:
    """Return the account's configuration with these MFA choices: ``enabled``, ``skipped``."""
    known = config.get("mfa") or {}
    return {**config, **({"mfa": {**known, **choices}} if choices else {})}

"""Confirming one's identity before security settings are changed.

The proof is the password, or a code sent to one of the account's addresses (Logto's
``UserPermissionValidation``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from quart import request

from local_logto.account.progress import SentCode
from local_logto.account.visitor import Visitor
from local_logto.connectors.context import message_context
from local_logto.connectors.languages import preferred_language
from local_logto.connectors.sending import Kind, Outgoing
from local_logto.context import current_settings
from local_logto.crypto.passwords import verify_password
from local_logto.experience import sentinel
from local_logto.experience.code_delivery import as_unsent
from local_logto.experience.json_access import mapping
from local_logto.experience.sentinel import Pool
from local_logto.refusals import refusal
from local_logto.settings_rows import SIGN_IN_EXP, read_setting
from local_logto.store import new_id, now_ms
from local_logto.verification_codes import send_code, use_code

COLUMNS = {"email": "primary_email", "phone": "primary_phone"}
_TEMPLATES = {"verify": "UserPermissionValidation", "bind": "BindNewIdentifier"}


async def prove_password(visitor: Visitor, password: str) -> None:
    """Accept the account's password. Raises 422 ``session.invalid_credentials``, or 400 during a lockout."""
    attempt = _check_password(visitor, password)
    await sentinel.watch(visitor.store, visitor.settings.lockout, Pool.FIRST_FACTOR, visitor.id, attempt)
    await _save_proof(visitor)


async def send_proof_code(visitor: Visitor, address_type: str) -> None:
    """Send a code to the account's own address of this type."""
    await send_code_to(visitor, "verify", address_type, visitor.user[COLUMNS[address_type]])


async def prove_code(visitor: Visitor, code: str) -> None:
    """Accept the code that was sent to one of the account's addresses. Raises 400 for a wrong or expired
    code.
    """
    await use_sent_code(visitor, "verify", code)
    await _save_proof(visitor)


async def send_code_to(visitor: Visitor, purpose: str, address_type: str, address: str) -> None:
    """Send a code and remember its purpose. It replaces the code sent before."""
    settings = read_setting(visitor.store, SIGN_IN_EXP)
    locale = preferred_language(mapping(settings, "languageInfo"), None, request.accept_languages)
    payload = {"locale": locale, **message_context(visitor.store, user=visitor.id)}
    message = Outgoing(cast(Kind, address_type), address, _TEMPLATES[purpose], payload)
    verification_id = new_id()
    with as_unsent():
        await send_code(visitor.store, current_settings(), verification_id, message)
    sent = SentCode(verification_id, purpose, address_type, address)
    await visitor.save(replace(visitor.progress, code=sent))


async def use_sent_code(visitor: Visitor, purpose: str, code: str) -> SentCode:
    """Use up the code sent for this purpose and return its recipient. Raises 400 if it is wrong."""
    sent = visitor.progress.code
    if sent is None or sent.purpose != purpose:
        raise refusal("verification_code.not_found")
    policy, kind = visitor.settings.code_policy, sent.address_type
    attempt = use_code(visitor.store, sent.verification_id, kind, sent.address, code, policy)
    await sentinel.watch(visitor.store, visitor.settings.lockout, Pool.FIRST_FACTOR, sent.address, attempt)
    await visitor.save(replace(visitor.progress, code=None))
    return sent


async def _check_password(visitor: Visitor, password: str) -> None:
    if not await verify_password(visitor.user["password_hash"], password):
        raise refusal("session.invalid_credentials")


async def _save_proof(visitor: Visitor) -> None:
    await visitor.save(replace(visitor.progress, proved_at=now_ms()))

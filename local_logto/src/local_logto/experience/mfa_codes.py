"""Codes by email or text message as a second factor, sent to the account's own address."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from local_logto.experience import mfa, sentinel
from local_logto.experience.code_delivery import send_new_code
from local_logto.experience.mfa_state import MfaProof, MfaState
from local_logto.experience.sentinel import Pool
from local_logto.experience.session import ExperienceSession
from local_logto.experience.state import Identifier
from local_logto.refusals import refusal
from local_logto.second_factors import EMAIL_CODE, PHONE_CODE
from local_logto.store import new_id
from local_logto.verification_codes import use_code

KINDS: Final = {"email": EMAIL_CODE, "phone": PHONE_CODE}
ADDRESS_TYPES: Final = {kind: address_type for address_type, kind in KINDS.items()}
_TEMPLATE: Final = "MfaVerification"


def find_address(session: ExperienceSession, address_type: str) -> str | None:
    """Return the identified person's own address of this type."""
    standing = mfa.read_standing(session.store, mfa.get_user_id(session), MfaState())
    return standing.email if address_type == "email" else standing.phone


async def send_mfa_code(session: ExperienceSession, address_type: str) -> str:
    """Send a code to the account's own address. Returns the verification ID.

    Raises 400 ``session.mfa.mfa_factor_not_enabled`` if the account has no such address, and the errors of
    ``code_delivery``.
    """
    address = find_address(session, address_type)
    if address is None:
        raise refusal("session.mfa.mfa_factor_not_enabled")
    known = session.experience.mfa.find_proof(KINDS[address_type])
    verification_id = known.id if known else new_id()
    await send_new_code(session, verification_id, Identifier(address_type, address), _TEMPLATE)
    proof = MfaProof(verification_id, KINDS[address_type], mfa.get_user_id(session), recipient=address)
    return await mfa.save_proof(session, proof)


async def verify_mfa_code(
    session: ExperienceSession, verification_id: str, address_type: str, code: str
) -> str:
    """Consume the code and mark the factor as verified. Raises 404 for an unknown verification, otherwise
    400.
    """
    proof = session.experience.mfa.find_proof(KINDS[address_type], verification_id)
    if proof is None or proof.recipient is None:
        raise refusal("session.verification_session_not_found")
    policy = session.settings.code_policy
    attempt = use_code(session.store, proof.id, address_type, proof.recipient, code, policy)
    await sentinel.watch(session.store, session.settings.lockout, Pool.FIRST_FACTOR, proof.recipient, attempt)
    return await mfa.save_proof(session, replace(proof, is_verified=True))

"""Second factors during a sign-in: verifying one, enrolling one, and what a submission requires.

``mfa_policy`` decides what is required when. ``second_factors`` creates and uses an account's factors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import sqlalchemy as sa

from local_logto import second_factors
from local_logto.context import origin_of
from local_logto.experience import mfa_policy, sentinel, sso
from local_logto.experience.mfa_policy import Demand, Standing
from local_logto.experience.mfa_state import MfaProof, MfaState
from local_logto.experience.sentinel import Pool
from local_logto.experience.session import ExperienceSession
from local_logto.experience.state import Event
from local_logto.refusals import refusal
from local_logto.second_factors import BACKUP_CODE, EMAIL_CODE, PHONE_CODE, TOTP, Factor, Factors
from local_logto.store import Store, new_id, now_ms
from local_logto.tables import organization_users, organizations, users

_Use = Callable[[Factors, str, int], list[Factor] | None]


@dataclass(frozen=True)
class NewTotp:
    """A secret for an authenticator app. ``uri`` is the content of its QR code."""

    verification_id: str
    secret: str
    uri: str


async def create_totp(session: ExperienceSession) -> NewTotp:
    """Create a secret for the identified person. Raises 404 ``session.identifier_not_found`` if nobody is
    identified.
    """
    user_id = get_user_id(session)
    secret = second_factors.new_totp_secret()
    proof = MfaProof(new_id(), TOTP, user_id, secret=secret)
    await save_proof(session, proof)
    return NewTotp(proof.id, secret, totp_uri(session, secret))


def totp_uri(session: ExperienceSession, secret: str) -> str:
    """Return the content of the QR code for this secret: the account's identifier at this host."""
    query = sa.select(users).where(users.c.id == get_user_id(session))
    with session.store.begin() as connection:
        user = connection.execute(query).mappings().one()
    service = urlsplit(origin_of(session.request)).hostname or ""
    return second_factors.key_uri(secret, second_factors.account_label(user), service)


async def verify_new_totp(session: ExperienceSession, verification_id: str, code: str) -> str:
    """Verify that the app has the new secret. Raises 404 for an unknown secret, 400 for a wrong code."""
    proof = session.experience.mfa.find_proof(TOTP, verification_id)
    if proof is None or proof.user_id != get_user_id(session):
        raise refusal("session.verification_session_not_found")
    if proof.secret is None or second_factors.find_time_step(proof.secret, code, now_ms()) is None:
        raise refusal("session.mfa.invalid_totp_code")
    return await save_proof(session, replace(proof, is_verified=True))


async def verify_totp(session: ExperienceSession, code: str) -> str:
    """Verify the enrolled authenticator. Raises 400 ``session.mfa.invalid_totp_code``, also if used."""
    attempt = _use_factor(session, second_factors.use_totp, code, "session.mfa.invalid_totp_code")
    await sentinel.watch(session.store, session.settings.lockout, Pool.TOTP, get_user_id(session), attempt)
    return await save_proof(session, MfaProof(new_id(), TOTP, get_user_id(session), is_verified=True))


async def create_backup_codes(session: ExperienceSession) -> MfaProof:
    """Create ten codes for the identified person. They work once they are bound and the sign-in has ended."""
    codes = tuple(second_factors.new_backup_codes())
    proof = MfaProof(new_id(), BACKUP_CODE, get_user_id(session), codes=codes)
    await save_proof(session, proof)
    return proof


async def verify_backup_code(session: ExperienceSession, code: str) -> str:
    """Use up a backup code. Raises 400 ``session.mfa.invalid_backup_code`` if it is wrong or was used."""
    attempt = _use_factor(session, second_factors.use_backup_code, code, "session.mfa.invalid_backup_code")
    user_id = get_user_id(session)
    await sentinel.watch(session.store, session.settings.lockout, Pool.BACKUP_CODE, user_id, attempt)
    return await save_proof(session, MfaProof(new_id(), BACKUP_CODE, user_id, is_verified=True))


async def bind(session: ExperienceSession, kind: str, verification_id: str) -> None:
    """Add the factor to the account when the sign-in is submitted, after the checks that Logto makes at this
    point.
    """
    _refuse_unready(session)
    mfa = session.experience.mfa
    proof = mfa.find_proof(kind, verification_id)
    if proof is None:
        raise refusal("session.verification_session_not_found")
    added = _with_bound_proof(mfa, proof)
    if kind not in session.settings.mfa.factors:
        raise refusal("session.mfa.mfa_factor_not_enabled")
    standing = _read_future_standing(session)
    if kind == TOTP and second_factors.find_factor(standing.factors, TOTP):
        raise refusal("user.totp_already_in_use")
    if kind == BACKUP_CODE and not mfa_policy.may_have_backup_codes(session.settings.mfa, standing):
        raise refusal("session.mfa.backup_code_can_not_be_alone")
    await _save(session, replace(added, is_enabled=True))


async def enable(session: ExperienceSession) -> None:
    """Record that the person wants MFA. Choosing a factor comes next."""
    _refuse_unready(session)
    await _save(session, replace(session.experience.mfa, is_enabled=True))


async def skip(session: ExperienceSession) -> None:
    """Continue without a factor. Raises 422 ``session.mfa.mfa_policy_not_user_controlled`` if one is
    mandatory.
    """
    _refuse_unready(session)
    standing = read_standing(session.store, get_user_id(session), session.experience.mfa)
    if not mfa_policy.is_skippable(session.settings.mfa, standing):
        raise refusal("session.mfa.mfa_policy_not_user_controlled")
    await _save(session, replace(session.experience.mfa, is_skipped=True))


def usable_kinds(session: ExperienceSession) -> tuple[str, ...]:
    """Return the factors with which the identified person can complete this sign-in."""
    standing = read_standing(session.store, get_user_id(session), MfaState())
    return mfa_policy.usable_kinds(session.settings.mfa, standing)


def refuse_unproved(session: ExperienceSession) -> None:
    """Raise 403 ``session.mfa.require_mfa_verification`` until the account's factor is verified."""
    if session.experience.event is not Event.SIGN_IN or sso.has_identified(session):
        return
    policy, user_id = session.settings.mfa, get_user_id(session)
    standing = read_standing(session.store, user_id, MfaState())
    if not mfa_policy.requires_verification(policy, standing):
        return
    kinds = mfa_policy.usable_kinds(policy, standing)
    # The backup code that was just used may have been the last one. It still counts.
    provable = {*kinds, *(factor["type"] for factor in standing.factors)} & set(policy.factors)
    proofs = session.experience.mfa.proofs
    if not any(
        proof.proves_sign_in and proof.user_id == user_id and proof.kind in provable for proof in proofs
    ):
        data = {"availableFactors": list(kinds), "maskedIdentifiers": _masked(kinds, standing)}
        raise refusal("session.mfa.require_mfa_verification", data=data)


def find_demand(session: ExperienceSession) -> Demand | None:
    """Return what the identified person must still enroll before this sign-in can end."""
    standing = _read_future_standing(session)
    is_registration = session.experience.event is Event.REGISTER
    return mfa_policy.find_demand(session.settings.mfa, standing, is_registration=is_registration)


def refuse_unenrolled(session: ExperienceSession) -> None:
    """Raise 422 for a factor that must be enrolled, or 400 for one that was disabled meanwhile."""
    if set(session.experience.mfa.pending_kinds) - set(session.settings.mfa.factors):
        raise refusal("session.mfa.mfa_factor_not_enabled")
    demand = None if sso.has_identified(session) else find_demand(session)
    if demand is not None:
        raise refusal(demand.code, data=demand.data)


def store_changes(session: ExperienceSession) -> bool:
    """Store new factors and choices in the account. Returns whether its factors changed."""
    mfa = session.experience.mfa
    if not mfa.pending_kinds and not mfa.choices:
        return False
    mine = users.c.id == get_user_id(session)
    query = sa.select(users.c.mfa_verifications, users.c.logto_config).where(mine)
    with session.store.begin() as connection:
        row = connection.execute(query).one()
        factors = list(row.mfa_verifications)
        if mfa.totp_secret:
            factors = second_factors.with_factor(
                factors, second_factors.totp_factor(mfa.totp_secret, now_ms())
            )
        if mfa.backup_codes:
            codes = second_factors.backup_code_factor(mfa.backup_codes, now_ms())
            factors = second_factors.with_factor(factors, codes)
        config = second_factors.with_choices(row.logto_config, **mfa.choices)
        change = users.update().where(mine)
        connection.execute(change.values(mfa_verifications=factors, logto_config=config))
    return bool(mfa.pending_kinds)


def read_standing(store: Store, user_id: str, mfa: MfaState) -> Standing:
    """Read the account's MFA state, including what this interaction is about to change."""
    columns = (users.c.mfa_verifications, users.c.primary_email, users.c.primary_phone, users.c.logto_config)
    demanding = sa.exists().where(
        organization_users.c.user_id == users.c.id,
        organizations.c.id == organization_users.c.organization_id,
        organizations.c.is_mfa_required,
    )
    query = sa.select(*columns, demanding.label("is_demanded")).where(users.c.id == user_id)
    with store.begin() as connection:
        row = connection.execute(query).one()
    return Standing(
        factors=row.mfa_verifications,
        email=row.primary_email,
        phone=row.primary_phone,
        config=second_factors.with_choices(row.logto_config, **mfa.choices),
        organization_requires=row.is_demanded,
        pending=mfa.pending_kinds,
    )


def _read_future_standing(session: ExperienceSession) -> Standing:
    """Read the account's MFA state after this sign-in. Addresses added in it count."""
    standing = read_standing(session.store, get_user_id(session), session.experience.mfa)
    profile = session.experience.profile
    return replace(standing, email=profile.email or standing.email, phone=profile.phone or standing.phone)


def _masked(kinds: tuple[str, ...], standing: Standing) -> dict[str, str]:
    """Return where codes would go, masked as in Logto: enough for the owner to recognize the address."""
    masked = {}
    if EMAIL_CODE in kinds and standing.email:
        local, _, domain = standing.email.partition("@")
        masked[EMAIL_CODE] = f"{local[: len(local) // 2][:4]}****@{domain}"
    if PHONE_CODE in kinds and standing.phone:
        masked[PHONE_CODE] = f"****{standing.phone[-4:]}"
    return masked


def _with_bound_proof(mfa: MfaState, proof: MfaProof) -> MfaState:
    """Return the state with the bound proof. Raises 400 for a proof of an existing factor or an unverified
    one.
    """
    if proof.kind == BACKUP_CODE and proof.codes:
        return replace(mfa, backup_codes=proof.codes)
    if proof.kind == BACKUP_CODE:
        raise refusal("session.mfa.pending_info_not_found")
    if not proof.is_verified:
        raise refusal("session.verification_failed")
    if proof.secret is None:
        raise refusal("session.mfa.pending_info_not_found")
    return replace(mfa, totp_secret=proof.secret)


async def _use_factor(session: ExperienceSession, use: _Use, code: str, code_of_refusal: str) -> None:
    """Use up the code in the account's row. Of several concurrent uses, exactly one succeeds."""
    mine = users.c.id == get_user_id(session)
    query = sa.select(users.c.mfa_verifications).where(mine)
    with session.store.begin() as connection:
        factors = connection.execute(query).scalar_one()
        used = use(factors, code, now_ms())
        if used is not None:
            unchanged = users.update().where(mine, users.c.mfa_verifications == factors)
            written = connection.execute(unchanged.values(mfa_verifications=used))
            if written.rowcount == 1:
                return
    raise refusal(code_of_refusal)


def _refuse_unready(session: ExperienceSession) -> None:
    """Refuse changes to MFA unless a person is identified and has verified their existing factor."""
    if session.experience.event is Event.FORGOT_PASSWORD:
        raise refusal("session.not_supported_for_forgot_password")
    get_user_id(session)
    refuse_unproved(session)


def get_user_id(session: ExperienceSession) -> str:
    """Return the identified user's ID. Raises 404 ``session.identifier_not_found`` if there is none."""
    user_id = session.experience.user_id
    if user_id is None:
        raise refusal("session.identifier_not_found")
    return user_id


async def save_proof(session: ExperienceSession, proof: MfaProof) -> str:
    """Store the proof and return its verification ID."""
    await _save(session, session.experience.mfa.with_proof(proof))
    return proof.id


async def _save(session: ExperienceSession, mfa: MfaState) -> None:
    await session.save(replace(session.experience, mfa=mfa))

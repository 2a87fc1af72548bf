"""The profile of an account in the making: additions during a sign-in, and what is still missing.

``flow`` stores them when the interaction is submitted or the account is created.
"""

from __future__ import annotations

from dataclasses import replace

from local_logto.crypto.passwords import hash_password, verify_password
from local_logto.email_blocklist import refuse_blocked
from local_logto.experience import mfa, sso
from local_logto.experience.departures import get_proof
from local_logto.experience.password_policy import PersonalInformation
from local_logto.experience.session import ExperienceSession
from local_logto.experience.social import profile_of_known_user, profile_of_new_user
from local_logto.experience.social_proof import SocialProof
from local_logto.experience.state import Event, PendingProfile, Proof, VerificationRecord
from local_logto.experience.username_policy import find_username_violation
from local_logto.experience.users import User, find_user_by_id, refuse_taken_identifiers
from local_logto.experience.verification import refuse_weak_password
from local_logto.refusals import refusal

ADDRESS_PROOFS = {Proof.EMAIL_CODE: "email", Proof.PHONE_CODE: "phone"}


async def add_username(session: ExperienceSession, username: str) -> None:
    """Add a username to the account. Raises 422 if the policy rejects it or it is taken."""
    _refuse_profile_change(session)
    await stage(session, PendingProfile(username=username))


async def add_verified_address(
    session: ExperienceSession, identifier_type: str, verification_id: str
) -> None:
    """Add a verified email address or phone number to the account. Raises 404 unless the proof is of that
    type.
    """
    _refuse_profile_change(session)
    record = get_record(session, verification_id)
    if ADDRESS_PROOFS.get(record.proof) != identifier_type:
        raise refusal("session.verification_session_not_found")
    await stage(session, acceptable_profile_of(session, record))


async def add_social_identity(session: ExperienceSession, verification_id: str) -> None:
    """Link the verified social identity to the account. Raises 422 if another account has it."""
    _refuse_profile_change(session, may_precede_mfa=True)
    proof = get_proof(session, SocialProof, verification_id)
    refuse_social_email(session, proof)
    if _find_identified_user(session):
        addition = profile_of_known_user(session, proof, links=True)
    else:
        addition = profile_of_new_user(session, proof)
    known = session.experience.profile
    kept = {name: None for name in ("email", "name", "avatar") if getattr(known, name)}
    await stage(session, replace(addition, **kept))


async def add_password(session: ExperienceSession, password: str) -> None:
    """Set the account's first password. Raises 422 ``password.rejected``, or if it has a password."""
    _refuse_profile_change(session)
    user = _find_identified_user(session)
    if user and user.password_hash:
        raise refusal("user.password_exists_in_profile")
    await _stage_password(session, user, password)


async def replace_password(session: ExperienceSession, password: str) -> None:
    """Set a new password for a person who forgot the old one. ``submit`` stores it."""
    if session.experience.event is not Event.FORGOT_PASSWORD:
        raise refusal("session.invalid_interaction_type")
    user = get_identified_user(session)
    await _stage_password(session, user, password)


async def stage(session: ExperienceSession, addition: PendingProfile) -> None:
    """Add to the profile after the checks that Logto makes at this point."""
    user, policy = _find_identified_user(session), session.settings.username_policy
    for kind in ("username", "email", "phone"):
        if user and getattr(addition, kind) and getattr(user, kind):
            raise refusal(f"user.{kind}_exists_in_profile")
    violation = find_username_violation(addition.username, policy) if addition.username else None
    if violation:
        raise refusal(f"user.username_{violation}")
    refuse_taken_identifiers(session.store, addition, case_sensitive=policy.case_sensitive)
    await add_to_profile(session, addition)


def profile_of(record: VerificationRecord) -> PendingProfile:
    """Return what a proof adds to a profile. Raises 400 for the proof of an existing account."""
    if not record.verified or record.proof is Proof.PASSWORD:
        raise refusal("session.verification_failed")
    if record.proof is Proof.NEW_PASSWORD_IDENTITY:
        return PendingProfile(username=record.identifier.value, password_hash=record.password_hash)
    address = record.identifier.value
    is_email = ADDRESS_PROOFS.get(record.proof, record.identifier.type) == "email"
    return PendingProfile(email=address) if is_email else PendingProfile(phone=address)


def acceptable_profile_of(session: ExperienceSession, record: VerificationRecord) -> PendingProfile:
    """Return what a proof adds to a profile. Raises 422 for an address of a connector or a blocked one."""
    sso.refuse_address_of_connector(session, email_of(record))
    profile = profile_of(record)
    refuse_blocked_email(session, profile.email)
    return profile


def email_of(record: VerificationRecord) -> str | None:
    """Return the email address that the proof is about, verified or not."""
    return record.identifier.value if record.identifier.type == "email" else None


def refuse_social_email(session: ExperienceSession, proof: SocialProof) -> None:
    """Raise 422 if the identity's address belongs to a connector or is blocked."""
    email = proof.user.email if proof.user else None
    sso.refuse_address_of_connector(session, email)
    refuse_blocked_email(session, email)


def get_record(session: ExperienceSession, verification_id: str) -> VerificationRecord:
    record = session.experience.find_record(verification_id)
    if record is None:
        raise refusal("session.verification_session_not_found")
    return record


def refuse_missing_profile(session: ExperienceSession, user: User | None) -> None:
    if sso.has_identified(session):
        return
    social = session.experience.social
    if session.settings.social.skips_required_identifiers and social and social.user:
        return
    missing = [name for name in session.settings.required_profile() if not _has(name, session, user)]
    if missing:
        raise refusal("user.missing_profile", data={"missingProfile": missing})


def _has(name: str, session: ExperienceSession, user: User | None) -> bool:
    if name == "emailOrPhone":
        return _has("email", session, user) or _has("phone", session, user)
    profile = session.experience.profile
    if name == "password":  # a social identity replaces it
        return any((profile.password_hash, profile.social_identity)) or (
            user is not None and any((user.password_hash, user.identities))
        )
    return any(getattr(owner, name) for owner in (profile, user) if owner)


def refuse_blocked_email(session: ExperienceSession, email: str | None) -> None:
    refuse_blocked(session.settings.email_blocklist, email)


def _find_identified_user(session: ExperienceSession) -> User | None:
    user_id = session.experience.user_id
    return find_user_by_id(session.store, user_id) if user_id else None


def get_identified_user(session: ExperienceSession) -> User:
    user = _find_identified_user(session)
    if user is None:
        raise refusal("session.identifier_not_found")
    return user


def _refuse_profile_change(session: ExperienceSession, *, may_precede_mfa: bool = False) -> None:
    event = session.experience.event
    if event is Event.FORGOT_PASSWORD:
        raise refusal("session.not_supported_for_forgot_password")
    if event is Event.SIGN_IN:
        get_identified_user(session)
        if not may_precede_mfa:
            mfa.refuse_unproved(session)


async def _stage_password(session: ExperienceSession, user: User | None, password: str) -> None:
    profile = session.experience.profile
    person = PersonalInformation(
        name=user.name if user else None,
        username=profile.username or (user.username if user else None),
        email=profile.email or (user.email if user else None),
        phone=profile.phone or (user.phone if user else None),
    )
    refuse_weak_password(password, session.settings, person)
    if user and user.password_hash and await verify_password(user.password_hash, password):
        raise refusal("user.same_password")
    await add_to_profile(session, PendingProfile(password_hash=await hash_password(password)))


async def add_to_profile(session: ExperienceSession, addition: PendingProfile) -> None:
    values = {name: value for name, value in vars(addition).items() if value is not None}
    current = session.experience
    await session.save(replace(current, profile=replace(current.profile, **values)))

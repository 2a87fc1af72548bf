"""Proofs: a correct password, a code that was sent and entered, a new username with its password."""

from __future__ import annotations

from dataclasses import replace

from local_logto.crypto.passwords import hash_password, verify_password
from local_logto.email_blocklist import refuse_blocked
from local_logto.experience import sentinel
from local_logto.experience.code_delivery import send_new_code
from local_logto.experience.password_policy import PersonalInformation, find_password_issues
from local_logto.experience.sentinel import Pool
from local_logto.experience.session import ExperienceSession
from local_logto.experience.sign_in_experience import SignInExperience
from local_logto.experience.state import Event, Identifier, PendingProfile, Proof, VerificationRecord
from local_logto.experience.users import User, find_user, refuse_taken_identifiers
from local_logto.one_time_tokens import use_token
from local_logto.refusals import refusal
from local_logto.store import new_id
from local_logto.verification_codes import use_code

_CODE_PROOFS = {"email": Proof.EMAIL_CODE, "phone": Proof.PHONE_CODE}
_BINDS_A_FACTOR = "BindMfa"  # Logto's template type


async def verify_identifier_password(
    session: ExperienceSession, identifier: Identifier, password: str
) -> str:
    """Check the password and store the proof. Returns the verification ID.

    Raises 422 ``session.invalid_credentials`` for an unknown user and for a wrong password alike, 401
    ``user.suspended`` only if the password is correct, and 400 during a lockout.
    """
    attempt = _check_password(session, identifier, password)
    await sentinel.watch(
        session.store, session.settings.lockout, Pool.FIRST_FACTOR, identifier.value, attempt
    )
    return await _save(session, VerificationRecord(new_id(), Proof.PASSWORD, identifier, verified=True))


async def _check_password(session: ExperienceSession, identifier: Identifier, password: str) -> None:
    user = _find_user(session, identifier)
    if not await verify_password(user.password_hash if user else None, password) or user is None:
        raise refusal("session.invalid_credentials")
    if user.is_suspended:
        raise refusal("user.suspended")


async def verify_new_password_identity(
    session: ExperienceSession, identifier: Identifier, password: str
) -> str:
    """Check that the username is free and the password is accepted. Returns the verification ID."""
    profile = PendingProfile(username=identifier.value)
    refuse_taken_identifiers(
        session.store, profile, case_sensitive=session.settings.username_policy.case_sensitive
    )
    refuse_weak_password(password, session.settings, PersonalInformation(username=identifier.value))
    record = VerificationRecord(
        new_id(),
        Proof.NEW_PASSWORD_IDENTITY,
        identifier,
        verified=True,
        password_hash=await hash_password(password),
    )
    return await _save(session, record)


def refuse_weak_password(password: str, settings: SignInExperience, person: PersonalInformation) -> None:
    """Raise 422 ``password.rejected`` with every reason in ``data``."""
    issues = find_password_issues(password, settings.password_policy, person)
    if issues:
        raise refusal("password.rejected", data=[issue.to_json() for issue in issues])


async def send_code(session: ExperienceSession, recipient: Identifier, event: Event) -> str:
    """Create a code and send it. Returns the verification ID.

    Raises 422 ``session.email_blocklist.…`` for a registration with a blocked address. An address without an
    account gets no code if that would reveal who has an account; the answer is the same. Raises 429
    ``request.message_rate_limited`` after the tenth message in ten minutes, and ``UnsentMessage`` if the
    connector fails: then a code that was sent before still works.
    """
    if event is Event.REGISTER and recipient.type == "email":
        refuse_blocked(session.settings.email_blocklist, recipient.value)
    usage = _BINDS_A_FACTOR if _binds_a_factor(session, recipient) else event.value
    record = VerificationRecord(new_id(), _CODE_PROOFS[recipient.type], recipient, template_type=usage)
    delivered = _is_deliverable(session, recipient, event)
    await send_new_code(session, record.id, recipient, usage, is_delivered=delivered)
    return await _save(session, record)


async def verify_code(
    session: ExperienceSession, verification_id: str, recipient: Identifier, code: str
) -> str:
    """Consume the code and mark its proof as verified. Returns the verification ID.

    Raises 404 for a verification that this interaction doesn't have, otherwise the 400s of ``use_code`` and
    of a lockout.
    """
    record = session.experience.find_record(verification_id, _CODE_PROOFS[recipient.type])
    if record is None:
        raise refusal("session.verification_session_not_found")
    attempt = use_code(
        session.store, record.id, recipient.type, recipient.value, code, session.settings.code_policy
    )
    await sentinel.watch(session.store, session.settings.lockout, Pool.FIRST_FACTOR, recipient.value, attempt)
    return await _save(session, replace(record, verified=True))


async def verify_one_time_token(session: ExperienceSession, identifier: Identifier, token: str) -> str:
    """Consume a token that proves an address. Returns the verification ID.

    Raises the errors of ``use_token`` and the 400 of a lockout.
    """
    event = session.experience.event.value
    attempt = use_token(session.store, identifier.value, token, event)
    used = await sentinel.watch(
        session.store, session.settings.lockout, Pool.FIRST_FACTOR, identifier.value, attempt
    )
    record = VerificationRecord(
        new_id(), Proof.ONE_TIME_TOKEN, identifier, verified=True, context=used["context"]
    )
    return await _save(session, record)


def _binds_a_factor(session: ExperienceSession, recipient: Identifier) -> bool:
    """Return whether the address is requested as a second factor: the user is known and signing up doesn't
    ask for it.
    """
    return session.experience.user_id is not None and not session.settings.asks_for(recipient.type)


def _is_deliverable(session: ExperienceSession, recipient: Identifier, event: Event) -> bool:
    needs_account = event is Event.FORGOT_PASSWORD or (
        event is Event.SIGN_IN
        and session.experience.user_id is None
        and session.settings.has_registration_off
    )
    return not needs_account or _find_user(session, recipient) is not None


def _find_user(session: ExperienceSession, identifier: Identifier) -> User | None:
    return find_user(
        session.store, identifier, case_sensitive=session.settings.username_policy.case_sensitive
    )


async def _save(session: ExperienceSession, record: VerificationRecord) -> str:
    await session.save(session.experience.with_record(record))
    return record.id

"""The steps of a sign-in: switch the event, identify or register a person, submit."""

from __future__ import annotations

from dataclasses import replace

from local_logto.errors import RequestError
from local_logto.experience import mfa, social, sso
from local_logto.experience.announcements import (
    announce_ending,
    announce_joined,
    announce_user_changed,
    announce_user_created,
)
from local_logto.experience.departures import find_proof
from local_logto.experience.json_access import strings
from local_logto.experience.just_in_time import join_invited
from local_logto.experience.mfa_state import MfaState
from local_logto.experience.profile import (
    ADDRESS_PROOFS,
    acceptable_profile_of,
    add_to_profile,
    email_of,
    get_identified_user,
    get_record,
    refuse_blocked_email,
    refuse_missing_profile,
    refuse_social_email,
    stage,
)
from local_logto.experience.session import ExperienceSession
from local_logto.experience.social_proof import SocialProof
from local_logto.experience.sso_proof import SsoProof
from local_logto.experience.state import Event, PendingProfile, Proof, VerificationRecord
from local_logto.experience.users import User, complete_user, create_user, find_user
from local_logto.refusals import refusal
from local_logto.translation import _


async def switch_event(session: ExperienceSession, event: Event) -> None:
    """Switch between signing in and registering. Raises 400 if either event is a password reset.

    The proofs stay, but the identified person is dropped: a registration asks for no second factor, so an
    account that was identified before must not get in through it.
    """
    if not any(record.proof is Proof.ONE_TIME_TOKEN for record in session.experience.records):
        _refuse_event(session, event)
    current = session.experience
    if (event is Event.FORGOT_PASSWORD) != (current.event is Event.FORGOT_PASSWORD):
        raise refusal("session.not_supported_for_forgot_password")
    if event is not current.event:
        restarted = replace(current, event=event, user_id=None, profile=PendingProfile(), mfa=MfaState())
        await session.save(restarted)


async def identify(
    session: ExperienceSession, verification_id: str | None, *, links_social: bool = False
) -> None:
    """Find the account that the proof belongs to, or create it if the event is ``Register``.

    ``links_social`` links a social identity to the account with its email address. Raises 401
    ``user.suspended``, 403 if the event is disabled, 404 for an unknown proof or user, 409 if another user
    was identified before, and 422 ``user.missing_profile``, ``…_already_in_use`` or for a method that is not
    enabled.
    """
    if session.experience.event is Event.REGISTER:
        if verification_id is not None:
            await stage(session, _profile_of_new_user(session, verification_id))
        await _register(session)
    elif verification_id is None:
        raise refusal("guard.invalid_input")
    elif social_proof := find_proof(session, SocialProof, verification_id):
        await _identify_by_social(session, social_proof, links=links_social)
    elif sso_proof := find_proof(session, SsoProof, verification_id):
        await _identify_by_sso(session, sso_proof)
    else:
        await _identify_existing(session, get_record(session, verification_id))


async def submit(session: ExperienceSession) -> str | None:
    """End the interaction. Returns the URL where the authorization request resumes, or None after a password
    reset.

    Raises 404 ``session.identifier_not_found`` if nobody is identified, 422 ``user.missing_profile`` if the
    account lacks something that signing up requires, and the errors of ``mfa`` for a missing second factor.
    """
    user, profile = get_identified_user(session), session.experience.profile
    if session.experience.event is Event.FORGOT_PASSWORD:
        if profile.password_hash is None:
            raise refusal("user.new_password_required_in_profile")
        complete_user(session.store, user.id, profile)
        announce_ending(session, user.id)
        announce_user_changed(session, user.id)
        await session.forget()
        return None
    mfa.refuse_unproved(session)
    refuse_missing_profile(session, user)
    mfa.refuse_unenrolled(session)
    is_changed = profile != PendingProfile()
    joined = complete_user(session.store, user.id, profile) if is_changed else []
    is_changed |= mfa.store_changes(session)
    joined += join_invited(session.store, user.id, _token_organizations(session))
    redirect_to = await session.finish(user.id)
    announce_ending(session, user.id)
    for organization_id in joined:
        announce_joined(session, user.id, organization_id)
    if is_changed:
        announce_user_changed(session, user.id)
    return redirect_to


def _has_token_for_address(session: ExperienceSession) -> bool:
    """Return whether a one-time token proved the address. It permits registration even if that is off (Logto
    1.42).
    """
    address = session.experience.profile.email
    return any(
        record.proof is Proof.ONE_TIME_TOKEN and record.identifier.value == address
        for record in session.experience.records
    )


def _profile_of_new_user(session: ExperienceSession, verification_id: str) -> PendingProfile:
    """Return what the proof says about a new account."""
    if sso_proof := find_proof(session, SsoProof, verification_id):
        refuse_blocked_email(session, sso_proof.user.email if sso_proof.user else None)
        return sso.profile_of_new_user(sso_proof)
    if social_proof := find_proof(session, SocialProof, verification_id):
        refuse_social_email(session, social_proof)
        return social.profile_of_new_user(session, social_proof)
    return acceptable_profile_of(session, get_record(session, verification_id))


async def _register(session: ExperienceSession) -> None:
    if not _has_token_for_address(session):
        _refuse_event(session, Event.REGISTER)
    refuse_missing_profile(session, None)
    current = session.experience
    user = create_user(session.store, current.profile)
    await session.save(replace(current, user_id=user.id, profile=PendingProfile()))
    for organization_id in user.organization_ids:
        announce_joined(session, user.id, organization_id)
    announce_user_created(session, user.id)


async def _identify_existing(session: ExperienceSession, record: VerificationRecord) -> None:
    current = session.experience
    _refuse_event(session, current.event)
    _refuse_method(session, record)
    if not record.verified or record.proof is Proof.NEW_PASSWORD_IDENTITY:
        raise refusal("session.verification_failed")
    user = find_user(
        session.store,
        record.identifier,
        case_sensitive=session.settings.username_policy.case_sensitive,
    )
    if user is None:
        value = record.identifier.value
        message = _("User with %(identifier)s does not exist.", identifier=value)
        raise RequestError(404, "user.user_not_exist", message, data={"identifier": value})
    await _save_identified(session, user)


async def _identify_by_social(session: ExperienceSession, proof: SocialProof, *, links: bool) -> None:
    _refuse_event(session, session.experience.event)
    if session.experience.event is Event.FORGOT_PASSWORD:
        raise refusal("session.not_supported_for_forgot_password", status=422)
    sso.refuse_address_of_connector(session, proof.user.email if proof.user else None)
    account = social.find_account(session, proof, links=links)
    await _save_through_provider(session, account, social.profile_of_known_user(session, proof, links=links))


async def _identify_by_sso(session: ExperienceSession, proof: SsoProof) -> None:
    _refuse_event(session, session.experience.event)
    if session.experience.event is Event.FORGOT_PASSWORD:
        raise refusal("session.not_supported_for_forgot_password", status=422)
    if not session.settings.single_sign_on:
        raise refusal("user.sign_in_method_not_enabled")
    await _save_through_provider(session, *sso.find_account(session, sso.get_identity(proof)))


async def _save_through_provider(session: ExperienceSession, user: User, addition: PendingProfile) -> None:
    """Identify the person, and add what the account takes over unless they were identified before."""
    is_known = session.experience.user_id is not None
    await _save_identified(session, user)
    if not is_known:
        await add_to_profile(session, addition)


async def _save_identified(session: ExperienceSession, user: User) -> None:
    if user.is_suspended:
        raise refusal("user.suspended")
    if session.experience.user_id not in (None, user.id):
        raise refusal("session.identity_conflict")
    await session.save(replace(session.experience, user_id=user.id))


def _refuse_event(session: ExperienceSession, event: Event) -> None:
    settings = session.settings
    if (event is Event.SIGN_IN and not settings.allows_sign_in) or (
        event is Event.REGISTER and settings.sign_in_mode == "SignIn"
    ):
        raise refusal("auth.forbidden")


def _refuse_method(session: ExperienceSession, record: VerificationRecord) -> None:
    kind = ADDRESS_PROOFS.get(record.proof)
    if session.experience.event is Event.FORGOT_PASSWORD:
        if kind not in session.settings.forgot_password_identifiers():
            raise refusal("session.not_supported_for_forgot_password", status=422)
        return
    if record.proof is Proof.ONE_TIME_TOKEN:
        return
    method = session.settings.find_method(record.identifier.type)
    if method is None or not (method.verification_code if kind else method.password):
        raise refusal("user.sign_in_method_not_enabled")
    sso.refuse_address_of_connector(session, email_of(record))


def _token_organizations(session: ExperienceSession) -> tuple[str, ...]:
    """Return the organizations that the one-time tokens of this sign-in let the person join."""
    contexts = [record.context or {} for record in session.experience.records]
    return tuple(name for context in contexts for name in strings(context, "jitOrganizationIds"))

"""Signing in through a social connector: to the provider, back with a proof, and what the proof says.

This module finds the account that a proof belongs to. ``flow`` decides on identifying, creating and
completing it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from local_logto.connectors import naver
from local_logto.connectors.naver import SocialUser
from local_logto.connectors.registry import Connector, find_connector_by_id, list_connectors
from local_logto.context import current_settings
from local_logto.errors import RequestError
from local_logto.experience.departures import Departure, get_proof, save_proof
from local_logto.experience.session import ExperienceSession
from local_logto.experience.social_proof import SocialIdentity, SocialProof
from local_logto.experience.state import Identifier, PendingProfile
from local_logto.experience.users import User, find_user, find_user_by_identity
from local_logto.refusals import refusal
from local_logto.store import new_id


def list_social_connectors(session: ExperienceSession) -> tuple[Connector, ...]:
    """Return the connectors that have a button, in the order of the sign-in experience."""
    by_target = {one.target: one for one in list_connectors(session.store) if one.type == "Social"}
    targets = session.settings.social.targets
    return tuple(by_target[target] for target in targets if target in by_target)


async def depart(session: ExperienceSession, connector_id: str, state: str, redirect_uri: str) -> Departure:
    """Start a social sign-in. The caller must compare ``state`` when the browser comes back.

    Raises 404 ``entity.not_found`` for an unknown connector, 400 ``connector.unexpected_type`` for one of
    another type, and 400 ``session.insufficient_info`` if ``state`` or ``redirect_uri`` is empty.
    """
    if not state or not redirect_uri:
        raise refusal("session.insufficient_info")
    connector = find_connector_by_id(session.store, connector_id)
    if connector is None:
        raise RequestError(404, "entity.not_found", "The resource does not exist.")
    if connector.type != "Social":
        raise refusal("connector.unexpected_type")
    settings = current_settings()
    uri = naver.authorization_uri(settings, connector, state=state, redirect_uri=redirect_uri)
    proof = SocialProof(id=new_id(), connector_id=connector.id, target=connector.target)
    await save_proof(session, proof)
    return Departure(uri, proof.id)


async def verify_social(
    session: ExperienceSession, connector_id: str, verification_id: str, data: Mapping[str, object]
) -> str:
    """Ask the provider who came back with ``data``, and store the proof. Returns the verification ID.

    Raises 422 ``session.invalid_connector_id``, 404 for a proof of another kind, connector or browser, and
    the connector's errors.
    """
    connector = find_connector_by_id(session.store, connector_id)
    if connector is None or connector.type != "Social":
        raise RequestError(
            422,
            "session.invalid_connector_id",
            f"Unable to find available connector with id {connector_id}.",
        )
    proof = get_proof(session, SocialProof, verification_id, connector_id)
    user = await naver.read_social_user(current_settings(), connector, data)
    await save_proof(session, replace(proof, user=user))
    return proof.id


def find_account(session: ExperienceSession, proof: SocialProof, *, links: bool) -> User:
    """Return the account of a verified identity or, with ``links``, the one with its email address.

    Raises 404 ``user.identity_not_exist``. Its ``data`` says if an account has the identity's email address.
    """
    identity = get_identity(proof)
    if not links and (user := find_user_by_identity(session.store, identity)):
        return user
    related = find_related_user(session, identity.user)
    if links and related:
        return related
    if links:
        raise refusal("user.identity_not_exist")
    address = {"type": "email", "value": identity.user.email}
    raise refusal("user.identity_not_exist", data={"relatedUser": address} if related else {})


def find_related_user(session: ExperienceSession, user: SocialUser) -> User | None:
    """Return the account with the person's email address at the provider, which is trusted to have verified
    it.
    """
    if user.email is None:
        return None
    return find_user(session.store, Identifier("email", user.email), case_sensitive=False)


def get_identity(proof: SocialProof) -> SocialIdentity:
    """Return the verified identity. Raises 400 ``session.verification_failed`` if there is none yet."""
    if proof.identity is None:
        raise refusal("session.verification_failed")
    return proof.identity


def profile_of_new_user(session: ExperienceSession, proof: SocialProof) -> PendingProfile:
    """Return the profile of a new account: identity, name, picture, and the email address if it is free."""
    identity = get_identity(proof)
    person = identity.user
    email = None if find_related_user(session, person) else person.email
    return PendingProfile(email=email, name=person.name, avatar=person.avatar, social_identity=identity)


def profile_of_known_user(session: ExperienceSession, proof: SocialProof, *, links: bool) -> PendingProfile:
    """Return what an account takes over: name and picture if the connector syncs them, the identity if
    linked.
    """
    identity = get_identity(proof)
    connector = find_connector_by_id(session.store, proof.connector_id)
    syncs = connector is not None and connector.sync_profile
    return PendingProfile(
        name=identity.user.name if syncs else None,
        avatar=identity.user.avatar if syncs else None,
        social_identity=identity if links else None,
    )

"""Enterprise single sign-on: to the customer's provider, back with a proof, and what the proof says.

As in Logto 1.42, any verified address that the provider asserts counts, also outside the connector's domains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from local_logto.connectors.enterprise import SsoConnector, find_sso_connector, list_sso_connectors_of
from local_logto.connectors.openid import OpenIdProvider, ProviderFailure
from local_logto.connectors.openid_sign_in import Visit, authorization_uri, read_user
from local_logto.context import current_settings
from local_logto.experience.departures import Departure, get_proof, save_proof
from local_logto.experience.session import ExperienceSession
from local_logto.experience.sso_proof import SsoIdentity, SsoProof
from local_logto.experience.state import Identifier, PendingProfile
from local_logto.experience.users import User, find_user, find_user_by_sso_identity
from local_logto.management.entities import sso_connector
from local_logto.management.failures import not_exists_with_id
from local_logto.refusals import refusal
from local_logto.store import new_id


def list_connectors_of(session: ExperienceSession, email: str) -> list[SsoConnector]:
    """Return the connectors for the address's domain, none if single sign-on is off."""
    return list_sso_connectors_of(session.store, email) if session.settings.single_sign_on else []


def refuse_address_of_connector(session: ExperienceSession, email: str | None) -> None:
    """Raise 422 ``session.sso_enabled`` if the address belongs to a connector.

    As in Logto 1.42, the error contains the connector with its client secret.
    """
    found = list_connectors_of(session, email) if email else []
    if found:
        shown = [sso_connector(vars(one)) for one in found]
        raise refusal("session.sso_enabled", data={"ssoConnectors": shown})


async def depart(session: ExperienceSession, connector_id: str, state: str, redirect_uri: str) -> Departure:
    """Start a sign-in at the customer's provider. The caller must compare ``state`` on the return.

    Raises 404 for an unknown connector, and 500 ``connector.invalid_config`` if the provider can't be used.
    """
    connector = _get_connector(session, connector_id)
    visit = Visit(redirect_uri, nonce=new_id())
    timeout = current_settings().connector_timeout
    try:
        uri = await authorization_uri(_provider_of(connector), visit, state=state, timeout_seconds=timeout)
    except ProviderFailure as failure:
        raise failure.refusal(500) from failure
    proof = SsoProof(id=new_id(), connector_id=connector.id, visit=visit)
    await save_proof(session, proof)
    return Departure(uri, proof.id)


async def verify_sso(
    session: ExperienceSession, connector_id: str, verification_id: str, data: Mapping[str, object]
) -> str:
    """Ask the provider who came back with ``data``, and store the proof. Returns the verification ID.

    Each departure is verified once. Raises 404 for a proof of another kind, connector or browser, 400 for a
    second verification, and 500 ``connector.…`` if the provider rejects it.
    """
    proof = get_proof(session, SsoProof, verification_id, connector_id)
    connector = _get_connector(session, connector_id)
    if proof.visit is None:
        raise refusal("session.connector_validation_session_not_found")
    await save_proof(session, replace(proof, visit=None))
    timeout = current_settings().connector_timeout
    try:
        provider = _provider_of(connector)
        user = await read_user(provider, proof.visit, data, timeout_seconds=timeout)
    except ProviderFailure as failure:
        raise failure.refusal(500) from failure
    await save_proof(session, replace(proof, visit=None, issuer=provider.issuer, user=user))
    return proof.id


def get_identity(proof: SsoProof) -> SsoIdentity:
    """Return the verified identity. Raises 400 ``session.verification_failed`` if there is none yet."""
    if proof.identity is None:
        raise refusal("session.verification_failed")
    return proof.identity


def find_account(session: ExperienceSession, identity: SsoIdentity) -> tuple[User, PendingProfile]:
    """Return the account of the identity, otherwise the one with its email address, and what it takes over.

    Raises 404 ``user.sso_identity_not_exist``.
    """
    synced = _synced_profile(session, identity)
    if user := find_user_by_sso_identity(session.store, identity):
        return user, replace(synced, synced_sso_identity=identity)
    address = identity.user.email
    related = (
        find_user(session.store, Identifier("email", address), case_sensitive=False) if address else None
    )
    if related is None:
        raise refusal("user.sso_identity_not_exist")
    return related, replace(synced, sso_identity=identity)


def profile_of_new_user(proof: SsoProof) -> PendingProfile:
    """Return the profile of a new account: identity, name, picture and email address."""
    identity = get_identity(proof)
    person = identity.user
    return PendingProfile(email=person.email, name=person.name, avatar=person.avatar, sso_identity=identity)


def has_identified(session: ExperienceSession) -> bool:
    """Return whether the identified person, or the one to register, came through their provider.

    They need no second factor here and may lack what signing up requires: that is their provider's business.
    """
    current = session.experience
    if current.profile.sso_identity is not None:
        return True
    identity = current.sso.identity if current.sso else None
    user = find_user_by_sso_identity(session.store, identity) if identity else None
    return user is not None and user.id == current.user_id


def _synced_profile(session: ExperienceSession, identity: SsoIdentity) -> PendingProfile:
    connector = find_sso_connector(session.store, identity.connector_id)
    if connector is None or not connector.sync_profile:
        return PendingProfile()
    return PendingProfile(name=identity.user.name, avatar=identity.user.avatar)


def _get_connector(session: ExperienceSession, connector_id: str) -> SsoConnector:
    connector = find_sso_connector(session.store, connector_id)
    if connector is None:
        raise not_exists_with_id("sso_connectors", connector_id)
    return connector


def _provider_of(connector: SsoConnector) -> OpenIdProvider:
    if connector.provider is None:
        config = dict(connector.config)
        raise ProviderFailure("invalid_config", "invalid_connector_config", config=config)
    return connector.provider

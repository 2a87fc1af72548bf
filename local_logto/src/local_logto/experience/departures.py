"""Sending the browser to a provider and accepting its return once, for social and enterprise sign-ins."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from local_logto.experience.session import ExperienceSession
from local_logto.experience.social_proof import SocialProof
from local_logto.experience.sso_proof import SsoProof
from local_logto.experience.state import Event, Experience
from local_logto.refusals import refusal

AnyProof = SocialProof | SsoProof
Kind = TypeVar("Kind", SocialProof, SsoProof)


@dataclass(frozen=True)
class Departure:
    """The URL of the provider, and the proof that waits for the browser's return."""

    authorization_uri: str
    verification_id: str


Depart = Callable[[ExperienceSession, str, str, str], Awaitable[Departure]]


async def depart_from_page(
    session: ExperienceSession, depart: Depart, connector_id: str, redirect_uri: str
) -> str:
    """Start a sign-in with a new state. Returns the URL to send the browser to."""
    await session.begin(Event.SIGN_IN)
    state = secrets.token_urlsafe(32)
    departure = await depart(session, connector_id, state, redirect_uri)
    for proof in session.experience.provider_proofs:
        await save_proof(session, replace(proof, state=state))
    return departure.authorization_uri


def find_waiting(experience: Experience, connector_id: str, state: str) -> AnyProof | None:
    """Return the proof of this sign-in that waits for a return from this provider with this state."""
    waiting = (one for one in experience.provider_proofs if one.is_waiting_for(connector_id, state))
    return next(waiting, None)


async def accept_return(session: ExperienceSession, connector_id: str, state: str) -> AnyProof | None:
    """Return the proof that waits for this state, or None. It accepts one return only."""
    proof = find_waiting(session.begun, connector_id, state) if session.begun else None
    if proof is not None:
        await save_proof(session, replace(proof, state=None))
    return proof


def find_proof(session: ExperienceSession, kind: type[Kind], verification_id: str | None) -> Kind | None:
    proofs = (one for one in session.experience.provider_proofs if isinstance(one, kind))
    return next((one for one in proofs if one.id == verification_id), None)


def get_proof(
    session: ExperienceSession, kind: type[Kind], verification_id: str, connector_id: str | None = None
) -> Kind:
    """Return the proof. Raises 404 for one of another kind, connector or browser."""
    proof = find_proof(session, kind, verification_id)
    if proof is None or connector_id not in (None, proof.connector_id):
        raise refusal("session.verification_session_not_found")
    return proof


async def save_proof(session: ExperienceSession, proof: AnyProof) -> None:
    await session.save(session.experience.with_provider_proof(proof))

"""The providers that people can sign in through, as the pages offer them: social ones and companies' own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from local_logto.connectors.enterprise import SsoConnector, find_sso_connector
from local_logto.connectors.registry import Connector, find_connector_by_id
from local_logto.experience import social, sso
from local_logto.experience.departures import AnyProof, Depart
from local_logto.experience.pages.social_buttons import name_of
from local_logto.experience.session import ExperienceSession
from local_logto.experience.sso_proof import SsoProof

Verify = Callable[[ExperienceSession, str, str, Mapping[str, object]], Awaitable[str]]


@dataclass(frozen=True)
class Gateway:
    """One provider. The page at ``path`` sends people there by ``depart``; ``verify`` checks the return."""

    connector_id: str
    name: str
    path: str
    depart: Depart
    verify: Verify


def find_gateway(session: ExperienceSession, method: str, target: str) -> Gateway | None:
    """Return the provider that ``direct_sign_in=<method>:<target>`` names, or None unless it is offered."""
    if method == "social":
        offered = social.list_social_connectors(session)
        return next((_social(one) for one in offered if one.target == target), None)
    connector = find_sso_connector(session.store, target) if method == "sso" else None
    if connector is None or not connector.is_available or not session.settings.single_sign_on:
        return None
    return gateway_of(connector)


def find_gateway_of(session: ExperienceSession, proof: AnyProof) -> Gateway | None:
    """Return the provider that the browser was sent to, or None if it was deleted since."""
    if isinstance(proof, SsoProof):
        company = find_sso_connector(session.store, proof.connector_id)
        return gateway_of(company) if company else None
    connector = find_connector_by_id(session.store, proof.connector_id)
    return _social(connector) if connector else None


def gateway_of(connector: SsoConnector) -> Gateway:
    path = f"/direct/sso/{connector.id}"
    return Gateway(connector.id, connector.display_name, path, sso.depart, sso.verify_sso)


def _social(connector: Connector) -> Gateway:
    path = f"/direct/social/{connector.target}"
    return Gateway(connector.id, name_of(connector), path, social.depart, social.verify_social)

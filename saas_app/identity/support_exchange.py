"""Asks Logto for tokens in which one person acts for another (RFC 8693), and reads what they grant.

Logto decides what the member may do, and puts both names into the tokens it signs. They are verified and
dropped: only their scopes are kept, so that nobody can steal them from here.

Logto 1.42 issues them to an application with ``allowTokenExchange`` for any subject token that the Management
API made. It logs neither the actor nor the reason, and impersonates a suspended person as well. So the caller
has checked both people, and records both names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import structlog
from pydantic import SecretStr

from saas_app.errors import Conflict, LogtoUnavailable
from saas_app.identity.actors import actor_of
from saas_app.identity.claims import ORGANIZATION_AUDIENCE, scopes_of
from saas_app.identity.logto_client import LogtoProvider
from saas_app.identity.logto_messages import LogtoRefusal
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.token_forms import exchange_form
from saas_app.identity.token_refresh import TokenRefresher
from saas_app.identity.token_verifier import TokenRejected
from saas_app.logto import ManagementClient, ManagementError
from saas_app.rbac.permissions import Carrier, Permission
from saas_app.text.translation import _

log = structlog.get_logger(__name__)


class NotGranted(Conflict):
    """Logto grants nobody a token for this member in this organization."""

    code, title = "support-not-granted", _("Logto does not allow this support access")


@dataclass(frozen=True, slots=True)
class SupportApplication:
    """The only application that may exchange tokens, and the API resource that they are for."""

    id: str
    secret: SecretStr
    api_resource: str


@dataclass(frozen=True, slots=True)
class Impersonation:
    """Who acts for whom, where, and what they may ask for at most. ``ticket`` goes into Logto's context."""

    agent: SessionPrincipal
    member_id: str
    organization_id: str
    ticket: str
    permissions: frozenset[Permission]


@dataclass(frozen=True, slots=True)
class SupportExchange:
    """Exchanges tokens for support access. ``patience`` is how many seconds a request waits."""

    provider: LogtoProvider
    refresher: TokenRefresher
    management: ManagementClient
    application: SupportApplication
    patience: float

    async def fetch_scopes(self, wanted: Impersonation) -> dict[Carrier, frozenset[str]]:
        """Return the scopes that Logto grants the agent for the member, by the kind of token.

        Raises :class:`NotGranted`, :class:`SignInRequired` if the agent's session has ended,
        :class:`ManagementError`, and :class:`LogtoUnavailable`.
        """
        session_id = wanted.agent.session_id
        actor = await self.refresher.exchange(session_id, None, None, patience=self.patience)
        try:
            return {carrier: await self._exchange(wanted, carrier, actor.access_token) for carrier in Carrier}
        except LogtoRefusal as refusal:
            raise _explained(refusal) from None
        except TokenRejected as rejected:
            log.warning("a token with two names from logto was rejected", reason=rejected.reason)
            raise LogtoUnavailable(_("The response from Logto could not be verified.")) from None
        finally:
            await self._end_grants(wanted.member_id)

    async def _exchange(self, wanted: Impersonation, carrier: Carrier, actor: str) -> frozenset[str]:
        """Exchange one token, verify it, and return its scopes. A subject token works only once."""
        context = {"ticket": wanted.ticket}
        subject = await self.management.create_subject_token(wanted.member_id, context=context)
        core, application = await self.provider.core(), self.application
        is_api = carrier is Carrier.API_TOKEN
        granted = await core.fetch_token(
            exchange_form(
                application.id,
                application.secret.get_secret_value(),
                subject_token=subject,
                actor_token=actor,
                organization_id=wanted.organization_id,
                resource=application.api_resource if is_api else None,
                scopes=sorted(one.value for one in wanted.permissions if one.carrier is carrier),
            )
        )
        organization = f"{ORGANIZATION_AUDIENCE}{wanted.organization_id}"
        audience = application.api_resource if is_api else organization
        claims = await core.verifier.verify_access_token(granted.access_token, audience=audience)
        require_both_names(claims, wanted, application.id, carrier)
        return scopes_of(claims)

    async def _end_grants(self, member_id: str) -> None:
        """End the grants of the exchanges, which no session owns. If that fails, they expire in an hour."""
        with suppress(ManagementError, LogtoUnavailable, TimeoutError):
            async with asyncio.timeout(_SECONDS_TO_TIDY_UP):
                for grant in await self.management.list_user_grants(member_id):
                    if grant.client_id == self.application.id:
                        await self.management.end_user_grant(member_id, grant.id)


_SECONDS_TO_TIDY_UP: Final = 3.0


def require_both_names(
    claims: Mapping[str, Any], wanted: Impersonation, application_id: str, carrier: Carrier
) -> None:
    """Check that a verified token is for this member, and names this agent. Raises :class:`TokenRejected`."""
    if claims.get("sub") != wanted.member_id or actor_of(claims) != wanted.agent.subject:
        raise TokenRejected(_("it does not name these two people"))
    if claims.get("client_id") != application_id:
        raise TokenRejected(_("it was issued to another application"))
    if carrier is Carrier.API_TOKEN and claims.get("organization_id") != wanted.organization_id:
        raise TokenRejected(_("token of another organization"))


def _explained(refusal: LogtoRefusal) -> Exception:
    """Return the error for people. Logto 1.42 refuses the organization in two ways."""
    if refusal.error == "access_denied" and "MFA" in refusal.description:
        return NotGranted(_("The organization requires a second factor, and the member has not set one up."))
    if refusal.error == "access_denied":
        return NotGranted(_("This person is no longer a member of the organization."))
    log.error("logto refused a token exchange", error=refusal.error, description=refusal.description)
    return LogtoUnavailable(_("Logto is currently rejecting the application for support access."))

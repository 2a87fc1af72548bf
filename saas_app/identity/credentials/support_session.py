"""Support access: an agent of the operator's team acts for a member, in one organization, for ten minutes.

Two things prove it together: the agent's own browser session, and a cookie that counts only with it. A
program proves it by a token that names both (``act``, RFC 8693 §4.1), and has no more than the access. Each
request reads again whether the access is live and the organization still allows it.

The member's roles are not used: what counts is what Logto put into tokens with both names, and never more
than :mod:`saas_app.rbac.support`. Nothing here is fresh, complete, or renewed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import InvalidToken, LogtoUnavailable, NotFound, SignInRequired
from saas_app.identity.bearer import BearerToken
from saas_app.identity.principal import Principal, SessionPrincipal, SupportAgent
from saas_app.identity.session_access import SessionAccess
from saas_app.identity.sessions import SessionStore
from saas_app.identity.support_access import StoredAccess, find_by_cookie, find_of
from saas_app.identity.support_endings import SupportDenied, SupportEnded, why_over
from saas_app.identity.tenant import Tenant
from saas_app.logto.provider_clock import LEEWAY
from saas_app.rbac.decision import Decision
from saas_app.rbac.permissions import Carrier
from saas_app.text.translation import _
from saas_app.text.visible import isolated


class SupportSessions:
    """Proves support access. ``organization_id`` is that of the support team, "" without one."""

    def __init__(self, work: UnitOfWork, sessions: SessionStore, organization_id: str) -> None:
        self._work = work
        self._sessions = sessions
        self._organization_id = organization_id

    async def prove(
        self, session_cookie: str, support_cookie: str, organization_id: str
    ) -> SupportCaller | None:
        """Return the agent, for the member they act for. None if the cookie is not theirs, or not for this.

        Raises :class:`SupportEnded` if the access is over, and :class:`SignInRequired` if the agent has
        signed out.
        """
        if not self._organization_id or not support_cookie:
            return None
        access = await find_by_cookie(self._work, organization_id, support_cookie)
        if access is None:
            return None
        agent = await self._sessions.find_access(session_cookie, self._organization_id)
        if agent is None:
            raise SignInRequired
        if agent.principal.subject != access.agent_id:
            return None  # somebody else's cookie opens nothing, and tells nothing
        self._require_live(access, agent)
        principal = SessionPrincipal(
            subject=access.member_id,
            name=access.member_name,
            session_id=agent.principal.session_id,
            support=_agent_of(access),
        )
        return SupportCaller(access, principal, dict(access.scopes))

    async def prove_token(self, token: BearerToken) -> SupportCaller:
        """Return the agent whom a verified token names besides its subject.

        Raises :class:`InvalidToken` unless the agent has a live access to this organization, for this member.
        """
        if not self._organization_id or token.actor is None or token.organization_id is None:
            raise _not_allowed(token)
        access = await find_of(self._work, token.organization_id, token.subject, token.actor)
        if access is None or token.issued_at + LEEWAY < access.started_at.timestamp():
            raise _not_allowed(token)
        agent = await self._sessions.find_access_by_id(access.agent_session_id, self._organization_id)
        try:
            self._require_live(access, agent)
        except SupportEnded:
            raise _not_allowed(token) from None
        principal = Principal(
            subject=access.member_id,
            name=access.member_name,
            client_id=token.client_id,
            support=_agent_of(access),
        )
        return SupportCaller(access, principal, {token.carrier: token.scopes})

    def _require_live(self, access: StoredAccess, agent: SessionAccess | None) -> None:
        """Raise :class:`SupportEnded` if it is over, or :class:`LogtoUnavailable` while that is not known."""
        why = why_over(access, agent, utc_now())
        if why is not None:
            raise SupportEnded(why)
        if access.is_membership_changing or (agent is not None and agent.is_membership_changing):
            raise LogtoUnavailable(_("Your access is being updated. Try again in a moment."), retry_after=1)


@dataclass(frozen=True, slots=True)
class SupportCaller:
    """An agent of the support team, in the place of a member.

    ``scopes`` are those that count for this request, by the kind of token.
    """

    access: StoredAccess
    principal: Principal
    scopes: dict[Carrier, frozenset[str]]

    @property
    def organization_id(self) -> str:
        """The organization of the access, and no other."""
        return self.access.organization_id

    async def get_tenant(
        self, organization_id: str, carriers: Collection[Carrier] = (), *, is_visit: bool = True
    ) -> Tenant:
        """Return the organization of the access. Raises :class:`NotFound` for any other."""
        if organization_id != self.access.organization_id:
            raise NotFound(_("This organization does not exist, or the token is not for it."))
        return Tenant(
            organization_id=organization_id,
            organization_name=self.access.organization_name,
            principal=self.principal,
            role_names=frozenset(),
            granted=frozenset().union(
                *(
                    {item for item in self.access.granted(carrier) if item.value in scopes}
                    for carrier, scopes in self.scopes.items()
                )
            ),
            carriers=frozenset(self.scopes),
            read_at=self.access.started_at,
            membership_version=self.access.current_version,
            branding=self.access.branding,
        )

    def denial(self, tenant: Tenant, decision: Decision) -> Exception:
        """Return the denial. Nothing lifts it: support access is not renewed."""
        return SupportDenied(decision)

    def require_fresh_sign_in(self, tenant: Tenant) -> None:
        """Raise :class:`SupportDenied`, always: what cannot be undone is for the member alone."""
        raise SupportDenied.of(tenant)

    async def complete(self, tenant: Tenant) -> Tenant:
        """Raise :class:`SupportDenied`, always: nobody assigns roles in the name of somebody else."""
        raise SupportDenied.of(tenant)


def _agent_of(access: StoredAccess) -> SupportAgent:
    return SupportAgent(
        id=access.agent_id,
        name=access.agent_name,
        access_id=access.id,
        ticket=access.ticket,
        ends_at=access.ends_at,
        may_write=access.may_write,
    )


def _not_allowed(token: BearerToken) -> InvalidToken:
    return InvalidToken(
        _(
            "This token lets somebody act for another person, and %(organization)s has not allowed it.",
            organization=isolated(token.organization_id or "–"),
        )
    )

"""Checks each sign-in that came through a company's identity provider, before there is a session here.

:mod:`.broker` has told Logto of the person, and only of what could be believed. This is the second lock: the
connector in Logto may have been changed, and a session at Logto may be older than what counts now. Logto says
how a browser signed in (:class:`saas_app.logto.BrowserSession`), and :mod:`.proofs` decides. In doubt, nobody
comes in, so ID tokens must name the session (``sid``), which ``saas-app provision`` sees to. Who is refused
also loses the session at Logto, so that it cannot be tried again, here or elsewhere.

When a grant is renewed silently, Logto 1.42 forgets how the browser signed in. Then what it said the first
time counts (:mod:`.known_sign_ins`). If that is not known, the person signs in again.
"""

from __future__ import annotations

from typing import NoReturn

import structlog

from saas_app.audit.recorder import record
from saas_app.changes.organization_change import Systems
from saas_app.errors import LogtoUnavailable, SignInAgain, SignInFailed
from saas_app.identity.arrivals import Admission, Arrival
from saas_app.logto import BrowserSession, LogtoUser, ManagementError, SsoSubmission, explaining
from saas_app.single_sign_on.broker.people import People
from saas_app.single_sign_on.broker.registration import Registration
from saas_app.single_sign_on.changes.group_roles import set_roles_of_groups
from saas_app.single_sign_on.changes.joining import let_join
from saas_app.single_sign_on.known_sign_ins import KnownSignIns
from saas_app.single_sign_on.proofs import Refusal, find_objection, is_linked, last_proof
from saas_app.single_sign_on.queries import find_by_connector, is_allowed, list_held_domains
from saas_app.single_sign_on.rejections import rejection_event
from saas_app.single_sign_on.values import CONNECTOR_MARK, GROUPS_CLAIM, SINCE_CLAIM, Connection

log = structlog.get_logger(__name__)


class CompanyArrivals:
    """The check, for one application at Logto: :class:`saas_app.identity.arrivals.Arrivals`.

    A sign-in costs one call to Logto, one through a company two or more, and one through the operator's
    connector three. ``systems`` is also used by Workroom itself. ``self_service``: every organization may
    connect a provider, also one that the operator has not allowed.
    """

    def __init__(
        self,
        systems: Systems,
        registration: Registration,
        people: People,
        known: KnownSignIns,
        *,
        client_id: str,
        self_service: bool,
    ) -> None:
        self._systems = systems
        self._management = systems.management
        self._registration = registration
        self._people = people
        self._known = known
        self._client_id = client_id
        self._self_service = self_service

    async def admit(self, arrival: Arrival) -> Admission:
        """Return through which connector of an organization here a person came, if through one.

        The operator's own connectors do not count. Raises :class:`SignInFailed`, :class:`SignInAgain` and
        :class:`LogtoUnavailable`.
        """
        with explaining():
            session = await self._find_session(arrival)
            if session is None:
                await self._refuse(arrival, session, Refusal.UNEXPLAINED)
            admission = await self._admit_from(arrival, session)
            await self._known.remember(arrival, session, admission)
            return admission

    async def _admit_from(self, arrival: Arrival, session: BrowserSession) -> Admission:
        if session.is_forgotten and arrival.is_silent:
            return await self._admit_as_before(arrival, session)
        if not session.is_explained:
            await self._refuse(arrival, session, Refusal.UNEXPLAINED)
        if session.sso is None:
            return Admission()
        connection = await find_by_connector(self._systems.work, session.sso.connector_id)
        if connection is None:
            await self._admit_by_other_connector(arrival, session, session.sso)
            return Admission()
        since = session.sso.claims.get(SINCE_CLAIM)
        return await self._admit_by_connection(arrival, session, session.sso, since, connection)

    async def _admit_as_before(self, arrival: Arrival, session: BrowserSession) -> Admission:
        """Admit a person who came in before, from a session that Logto can no longer explain.

        What the company's provider last said of the account is examined like a new assertion.
        """
        earlier = await self._known.find(arrival, session)
        if earlier is None:
            log.info("logto has forgotten a sign-in that is not known here", user_id=arrival.subject)
            await self._end_at_logto(arrival.subject, session)
            raise SignInAgain(Refusal.UNEXPLAINED.advice)
        if earlier.connector_id is None:
            return earlier
        connection = await find_by_connector(self._systems.work, earlier.connector_id)
        if connection is None:
            await self._refuse(arrival, session, Refusal.REMOVED)
        return await self._admit_by_connection(arrival, session, None, earlier.since, connection)

    async def _admit_by_connection(
        self,
        arrival: Arrival,
        session: BrowserSession,
        proof: SsoSubmission | None,
        since: object,
        connection: Connection,
    ) -> Admission:
        """Admit a person if the connection lets them in. While it is off, it lets nobody in.

        Without ``proof``, the last one of the account counts. ``since`` is :attr:`.Connection.since` as it
        was when the browser came through the provider: another one may have been there before.
        """
        account = await self._management.find_user_with_sso(arrival.subject)
        if proof is None and account is not None:
            issuer = self._registration.issuer(connection.connector_id)
            proof = last_proof(account, connection.connector_id, issuer)
        refusal = await self._examine(connection, proof, account)
        if refusal is None and since != connection.since:
            refusal = Refusal.EARLIER
        if account is None or proof is None or refusal is not None:
            await self._refuse(arrival, session, refusal or Refusal.GONE, connection, proof)
        await self._people.note_account(connection.organization_id, proof.user_id, account.id)
        has_joined = await let_join(self._systems, connection, account)
        groups = proof.claims.get(GROUPS_CLAIM)
        roles_changed = await set_roles_of_groups(self._systems, connection, account, groups)
        return Admission(connection.connector_id, connection.since, has_joined or roles_changed)

    async def _admit_by_other_connector(
        self, arrival: Arrival, session: BrowserSession, proof: SsoSubmission
    ) -> None:
        """Admit people who came through a connector of the operator's, whom the operator trusts.

        A connector of ours that no organization has here belongs to a removed connection, perhaps of a
        removed organization. So does one that is gone: whoever can remove a connection could otherwise make
        its false assertions count. The identity has to be the account's, because a company's provider may
        have named the account before the person went to this one.
        """
        connector = await self._management.find_sso_connector(proof.connector_id)
        if connector is None or connector.name.startswith(CONNECTOR_MARK):
            await self._refuse(arrival, session, Refusal.REMOVED)
        account = await self._management.find_user_with_sso(arrival.subject)
        if account is None or not is_linked(proof, account):
            await self._refuse(arrival, session, Refusal.NOT_LINKED if account else Refusal.GONE)

    async def _examine(
        self, connection: Connection, proof: SsoSubmission | None, account: LogtoUser | None
    ) -> Refusal | None:
        if account is None:
            return Refusal.GONE
        if proof is None:
            return Refusal.NOT_LINKED
        organization_id = connection.organization_id
        async with self._systems.work.reading(organization_id) as db:
            held = await list_held_domains(db, organization_id)
            allowed = await is_allowed(db, organization_id, self_service=self._self_service)
        issuer = self._registration.issuer(connection.connector_id)
        objection = find_objection(connection, held, issuer, proof, account)
        return objection or (None if allowed and connection.is_on else Refusal.OFF)

    async def _refuse(
        self,
        arrival: Arrival,
        session: BrowserSession | None,
        refusal: Refusal,
        connection: Connection | None = None,
        proof: SsoSubmission | None = None,
    ) -> NoReturn:
        """End the session at Logto, tell the organization, and raise :class:`SignInFailed`."""
        log.warning(
            "a sign-in through single sign-on was refused",
            reason=refusal.value,
            user_id=arrival.subject,
            has_sid=arrival.sid is not None,
            organization_id=None if connection is None else connection.organization_id,
        )
        if session is not None:
            await self._end_at_logto(arrival.subject, session)
        if connection is not None:
            email = None if proof is None else proof.email
            async with self._systems.work.writing(connection.organization_id) as db:
                record(db, rejection_event(connection, refusal, email=email, account_id=arrival.subject))
        raise SignInFailed(refusal.advice)

    async def _end_at_logto(self, subject: str, session: BrowserSession) -> None:
        """End the browser's session at Logto. If that fails, there is still no session here."""
        try:
            await self._management.end_user_session(subject, session.uid)
        except (LogtoUnavailable, ManagementError) as error:
            log.warning("a refused session at Logto could not be ended", reason=type(error).__name__)

    async def _find_session(self, arrival: Arrival) -> BrowserSession | None:
        """Return the browser's session at Logto, or None unless there is exactly one."""
        if arrival.sid is None:
            return None
        sessions = await self._management.list_user_sessions(arrival.subject)
        found = [session for session in sessions if session.sids.get(self._client_id) == arrival.sid]
        return found[0] if len(found) == 1 else None

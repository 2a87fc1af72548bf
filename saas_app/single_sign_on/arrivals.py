"""Checks each sign-in that came through a company's identity provider, before there is a session here.

Logto says how a browser signed in (:class:`saas_app.logto.BrowserSession`), and :mod:`.proofs` decides. In
doubt, nobody comes in: Logto may have signed an attacker in to the account of somebody else. If it does not
say how, that may be the attacker's doing, who can end the session, delete the connector, send claims that
Logto cannot read again, or leave for a provider once more before the sign-in is complete. So ID tokens must
name the session (``sid``), which ``saas-app provision`` sees to. Who is refused also loses the session at
Logto, so that it cannot be tried again, here or elsewhere.
"""

from __future__ import annotations

from typing import NoReturn

import structlog

from saas_app.audit.recorder import SYSTEM, Action, Actor, AuditEntry, Target, record
from saas_app.changes.organization_change import Systems
from saas_app.db import keys
from saas_app.db.base import utc_now
from saas_app.email_domains.names import domain_of
from saas_app.errors import LogtoUnavailable, SignInFailed
from saas_app.identity.arrivals import Admission, Arrival, SsoTest
from saas_app.identity.standing import Workroom
from saas_app.logto import BrowserSession, LogtoUser, ManagementError, SsoSubmission, explaining
from saas_app.notifications.recorder import notify_of_claim
from saas_app.single_sign_on.changes.group_roles import set_roles_of_groups
from saas_app.single_sign_on.changes.joining import let_join
from saas_app.single_sign_on.proofs import Refusal, find_objection, is_linked, revision_of
from saas_app.single_sign_on.queries import (
    change_connection,
    find_by_connector,
    find_connection,
    is_allowed,
    list_held_domains,
    was_here,
)
from saas_app.single_sign_on.values import CONNECTOR_MARK, TARGET, Connection
from saas_app.text.domains import shown_domain

log = structlog.get_logger(__name__)

_MOST_CLAIMS = 50  # names of claims in an audit event
_LONGEST_CLAIM = 64  # characters


class CompanyArrivals:
    """The check, for one application at Logto: :class:`saas_app.identity.arrivals.Arrivals`.

    A sign-in costs one call to Logto, one through a company two, and one through the operator's connector
    three. ``systems`` is also used by Workroom itself. ``self_service``: every organization may connect a
    provider, also one that the operator has not allowed.
    """

    def __init__(self, systems: Systems, *, client_id: str, self_service: bool) -> None:
        self._systems = systems
        self._management = systems.management
        self._client_id = client_id
        self._self_service = self_service

    async def admit(self, arrival: Arrival) -> Admission:
        """Return through which connector of an organization here a person came, if through one.

        The operator's own connectors do not count. Raises :class:`SignInFailed` and
        :class:`LogtoUnavailable`.
        """
        with explaining():
            session = await self._find_session(arrival)
            if session is None or not session.is_explained:
                await self._refuse(arrival, session, Refusal.UNEXPLAINED)
            if session.sso is None:
                return Admission()
            connection = await self._find_by_connector(session.sso.connector_id)
            if connection is None:
                await self._admit_by_other_connector(arrival, session, session.sso)
                return Admission()
            return await self._admit_by_connection(arrival, session, session.sso, connection)

    async def finish_test(self, arrival: Arrival, test: SsoTest, present: str | None) -> None:
        """Complete a test of a connection, which need not be on. It counts for the provider as it is now.

        ``present`` is who is signed in here. Another account's session at Logto is ended. Raises
        :class:`SignInFailed` and :class:`LogtoUnavailable`.
        """
        with explaining():
            session = await self._find_session(arrival)
            connection = await self._find_connection(test.organization_id)
            proof = None if session is None else session.sso
            account = await self._find_account(arrival.subject)
            refusal = await self._examine_test(test, present, connection, proof, account)
            if connection is None or proof is None or account is None or refusal is not None:
                reason, is_owner = refusal or Refusal.CHANGED, arrival.subject == test.tester == present
                ended = None if is_owner else session
                await self._refuse(arrival, ended, reason, connection, proof, is_owner=is_owner)
        await self._note_test(test, connection, proof, account)

    async def _admit_by_connection(
        self, arrival: Arrival, session: BrowserSession, proof: SsoSubmission, connection: Connection
    ) -> Admission:
        """Admit people whom the connection lets in.

        While it is off, that is nobody. But after a test, the browser's session at Logto came through it, and
        the tester's session here is renewed from that one. It does not count as one through the connection.
        """
        account = await self._find_account(arrival.subject)
        refusal = await self._examine(connection, proof, account)
        if refusal is None and not connection.is_on and not arrival.renews_own_session:
            refusal = Refusal.OFF
        if account is None or refusal is not None:
            reason, is_owner = refusal or Refusal.GONE, arrival.renews_own_session
            await self._refuse(arrival, session, reason, connection, proof, is_owner=is_owner)
        if not connection.is_on:
            return Admission()
        has_joined = await let_join(self._systems, connection, account)
        roles_changed = await set_roles_of_groups(self._systems, connection, account, proof)
        return Admission(connection.connector_id, has_joined or roles_changed)

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
        account = await self._find_account(arrival.subject)
        if account is None or not is_linked(proof, account):
            await self._refuse(arrival, session, Refusal.NOT_LINKED if account else Refusal.GONE)

    async def _examine(
        self, connection: Connection, proof: SsoSubmission, account: LogtoUser | None
    ) -> Refusal | None:
        if account is None:
            return Refusal.GONE
        organization_id = connection.organization_id
        async with self._systems.work.reading(organization_id) as db:
            held = await list_held_domains(db, organization_id)
            allowed = await is_allowed(db, organization_id, self_service=self._self_service)
        return find_objection(connection, held, proof, account) or (None if allowed else Refusal.OFF)

    async def _examine_test(
        self,
        test: SsoTest,
        present: str | None,
        connection: Connection | None,
        proof: SsoSubmission | None,
        account: LogtoUser | None,
    ) -> Refusal | None:
        objection = None
        if connection is not None and proof is not None and proof.connector_id == connection.connector_id:
            objection = await self._examine(connection, proof, account)
        if account is None or not account.id == test.tester == present:
            is_claim = objection is not None and objection.is_false_claim
            return objection if is_claim else Refusal.NOT_THE_TESTER
        if connection is None or revision_of(connection) != test.revision:
            return Refusal.CHANGED
        if proof is None or proof.connector_id != connection.connector_id:
            return Refusal.NOT_TESTED
        return objection

    async def _note_test(
        self, test: SsoTest, connection: Connection, proof: SsoSubmission, account: LogtoUser
    ) -> None:
        """Record a test that succeeded, in a turn of the organization, where the provider does not change.

        The audit event says which claims arrived, by name only: their values are the tester's own.
        """
        organization_id, now = test.organization_id, utc_now()
        target = Target(TARGET, organization_id, connection.name)
        after = {"claims": _claims_of(proof)}
        tester = Actor(account.id, account.display_name)
        change = self._systems.by(Workroom(organization_id))
        async with change.alone() as turn, turn.work.writing(organization_id) as db:
            current = await find_connection(db, organization_id)
            if current is None or revision_of(current) != test.revision:
                raise SignInFailed(Refusal.CHANGED.advice)
            await change_connection(db, organization_id, tested_at=now, tested_by=test.tester)
            record(db, AuditEntry(tester, Action.SSO_TEST, target, after=after))

    async def _refuse(
        self,
        arrival: Arrival,
        session: BrowserSession | None,
        refusal: Refusal,
        connection: Connection | None = None,
        proof: SsoSubmission | None = None,
        *,
        is_owner: bool = False,
    ) -> NoReturn:
        """End the session at Logto, tell the organization, and raise :class:`SignInFailed`.

        The owner of an account that the provider may not speak for is told too, if they have been here:
        unless ``is_owner``, which is that the browser has a session of theirs here.
        """
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
            organization_id, key = connection.organization_id, keys.of_person(arrival.subject)
            async with self._systems.work.writing(organization_id, key=key) as db:
                record(db, _event_of(arrival, refusal, proof))
                if refusal.is_false_claim and not is_owner and await was_here(db, arrival.subject):
                    held = await list_held_domains(db, organization_id)
                    trusted = sorted(held.intersection(connection.domains))
                    domain = shown_domain(trusted[0]) if trusted else None
                    await notify_of_claim(db, organization_id, arrival.subject, domain)
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

    async def _find_account(self, subject: str) -> LogtoUser | None:
        try:
            return await self._management.get_user_with_sso(subject)
        except ManagementError as refusal:
            if refusal.status != 404:
                raise
            return None

    async def _find_connection(self, organization_id: str) -> Connection | None:
        async with self._systems.work.reading(organization_id) as db:
            return await find_connection(db, organization_id)

    async def _find_by_connector(self, connector_id: str) -> Connection | None:
        async with self._systems.work.reading(key=keys.of_connector(connector_id)) as db:
            return await find_by_connector(db, connector_id)


def _event_of(arrival: Arrival, refusal: Refusal, proof: SsoSubmission | None) -> AuditEntry:
    """Return the event of a refusal.

    It names the account only by its ID, and of the asserted address only the domain. Both may belong to
    somebody who has nothing to do with the organization, and whoever controls the provider could otherwise
    read there whose account an address belongs to. The domain tells an honest admin what is misconfigured.
    """
    after = {"reason": refusal.value}
    domain = domain_of(proof.email) if proof is not None else None
    if domain is not None:
        after["domain"] = shown_domain(domain)
    return AuditEntry(
        SYSTEM, Action.SSO_REFUSE, Target("person", arrival.subject, arrival.subject), after=after
    )


def _claims_of(proof: SsoSubmission) -> list[str]:
    return sorted(name[:_LONGEST_CLAIM] for name in proof.claims)[:_MOST_CLAIMS]

"""Checks an organization's single sign-on again, as a part of ``saas-app reconcile``.

Logto sends no webhook about connectors, so only this notices what was changed in its Console, what an
interrupted change left there, and what could not be told to it when a domain was lost. It also moves
connectors to another ``APP_URL``, and secrets to the first of our keys. What is stored here decides, unless
the connector is gone. Nothing is needed when a person is deleted or suspended: their sessions end as those
of other people do.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from cryptography.fernet import InvalidToken

from saas_app.audit.recorder import Action, Target, record
from saas_app.changes.organization_change import OrganizationChange, Systems
from saas_app.db.session import WritingSession
from saas_app.errors import Conflict
from saas_app.identity.standing import Workroom
from saas_app.logto import ManagementError, SsoConnector
from saas_app.single_sign_on import queries
from saas_app.single_sign_on.broker.registration import Registration
from saas_app.single_sign_on.changes.connectors import align, repair
from saas_app.single_sign_on.changes.lost_domains import find_loss
from saas_app.single_sign_on.changes.permission import switch_off
from saas_app.single_sign_on.changes.steps import UNREADABLE
from saas_app.single_sign_on.recovery import list_candidates
from saas_app.single_sign_on.values import CONNECTOR_MARK, OFF, TARGET, Connection
from saas_app.single_sign_on.wanted import wanted_domains
from saas_app.text.domains import shown_domain
from saas_app.text.translation import Sentence, _

_GONE: Final = "its connector was deleted in Logto"
_NOT_HELD: Final = "the organization does not hold the email domain"


class OtherKeys(Conflict):
    """The secret of a connection was encrypted with a key that we do not have."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "No key in APP_ENCRYPTION_KEYS opens the secret of its identity provider. Set the keys of "
                "'saas-app serve'. If the key is lost, an admin has to enter the secret again. Nothing was "
                "changed."
            )
        )


class Unreachable(Conflict):
    """Logto could not read what we publish for a connector."""

    def __init__(self, issuer: str) -> None:
        super().__init__(
            _(
                "Logto could not read %(issuer)s/.well-known/openid-configuration. Set APP_URL to an address "
                "that Logto can reach, and run the command again.",
                issuer=issuer,
            )
        )


@dataclass(frozen=True, slots=True)
class SsoNews:
    """The result of a check, for the operator. ``changed`` says whether the check changed something."""

    what: Sentence
    changed: bool


class SsoChecks:
    """Checks the connection of one organization at a time. It asks Logto only about those that have one.

    ``self_service``: every organization may have one that is on, also if the operator has not allowed it.
    """

    def __init__(self, systems: Systems, registration: Registration, *, self_service: bool) -> None:
        self._systems = systems
        self._registration = registration
        self._self_service = self_service

    async def run(self, organization_id: str) -> list[SsoNews]:
        """Check the connection of an organization, and return what to report.

        Raises :class:`OtherKeys`, :class:`Unreachable`, what :func:`saas_app.logto.explaining` raises, and
        :class:`saas_app.errors.Busy`.
        """
        if await self._find(organization_id) is None:
            return []
        async with self._systems.by(Workroom(organization_id)).alone() as turn:
            connection = await self._find(organization_id)
            if connection is None:
                return []
            connector = await turn.management.find_sso_connector(connection.connector_id)
            if connector is None:
                return [await self._turn_off(turn, connection)]
            resealed = await self._renew_secret(turn)
            connection, forbidden = await self._turn_off_forbidden(turn, connection)
            connection, news = await self._take_out_lost(turn, connection)
            return [
                *resealed,
                *forbidden,
                *news,
                *await self._align(turn, connection, connector),
                *await self._check_recovery(connection),
            ]

    async def list_strays(self) -> list[SsoNews]:
        """Report connectors of Workroom in Logto that no organization here has. None is deleted.

        Raises what calls to Logto raise.
        """
        connectors = await self._systems.management.list_sso_connectors()
        async with self._systems.work.reading() as db:
            known = await queries.list_connector_ids(db)
        return [
            SsoNews(
                _(
                    "the connector %(connector_id)s (%(name)s) in Logto belongs to no organization here. "
                    "Delete it in Logto’s Console, unless another installation uses it",
                    connector_id=connector.id,
                    name=connector.name,
                ),
                changed=False,
            )
            for connector in connectors
            if connector.name.startswith(CONNECTOR_MARK) and connector.id not in known
        ]

    async def _find(self, organization_id: str) -> Connection | None:
        async with self._systems.work.reading(organization_id) as db:
            return await queries.find_connection(db, organization_id)

    async def _turn_off(self, turn: OrganizationChange[Workroom], connection: Connection) -> SsoNews:
        """Turn off a connection whose connector is gone, and forget its test, unless an earlier run did."""
        text = _(
            "the connector %(connector_id)s of its single sign-on was deleted in Logto. Nobody can sign in "
            "through it until an admin sets single sign-on up again",
            connector_id=connection.connector_id,
        )
        if not connection.is_on and connection.tested_at is None:
            return SsoNews(text, changed=False)
        async with self._systems.work.writing(turn.organization_id) as db:
            await queries.change_connection(db, turn.organization_id, **OFF, tested_at=None, tested_by=None)
            was_on = connection.is_on
            _record(db, turn, Action.SSO_TURN_OFF if was_on else Action.SSO_CHANGE, connection, _GONE)
            if connection.required_at is not None:
                _record(db, turn, Action.SSO_STOP_REQUIRING, connection, _GONE)
        return SsoNews(text, changed=True)

    async def _renew_secret(self, turn: OrganizationChange[Workroom]) -> list[SsoNews]:
        """Encrypt the secret of our client at the provider with the first key, unless it is.

        A secret that no key opens shows that the keys are not those of the application: a connector that
        gets its secret from them could not be used. Raises :class:`OtherKeys`.
        """
        async with self._systems.work.writing(turn.organization_id) as db:
            sealed = await queries.find_secret(db)
            try:
                renewed = sealed and self._registration.vault.renew(sealed)
            except InvalidToken:
                raise OtherKeys from None
            if renewed is None or renewed == sealed:
                return []
            await queries.save_secret(db, turn.organization_id, renewed)
        text = _("the secret of its single sign-on was encrypted with an older key")
        return [SsoNews(text, changed=True)]

    async def _turn_off_forbidden(
        self, turn: OrganizationChange[Workroom], connection: Connection
    ) -> tuple[Connection, list[SsoNews]]:
        """Turn off a connection that is on without the operator's permission."""
        async with self._systems.work.writing(turn.organization_id) as db:
            allowed = await queries.is_allowed(db, turn.organization_id, self_service=self._self_service)
            if allowed or not connection.is_on:
                return connection, []
            off = await switch_off(db, turn, connection)
        text = _("single sign-on was turned off: the operator has not allowed it")
        return off, [SsoNews(text, changed=True)]

    async def _take_out_lost(
        self, turn: OrganizationChange[Workroom], connection: Connection
    ) -> tuple[Connection, list[SsoNews]]:
        """Take domains out of the connection that the organization does not hold by DNS."""
        loss = await find_loss(turn, (), _NOT_HELD)
        if loss.after is None:
            return connection, []
        async with self._systems.work.writing(turn.organization_id) as db:
            await loss.take_out(db)
        lost = sorted(set(connection.domains) - set(loss.after.domains))
        names = ", ".join(map(shown_domain, lost))
        text = _("single sign-on no longer counts for %(domains)s, which it does not hold", domains=names)
        if loss.turned_off is not None:
            text = _("single sign-on was turned off: it does not hold %(domains)s", domains=names)
        return loss.after, [SsoNews(text, changed=True)]

    async def _align(
        self, turn: OrganizationChange[Workroom], connection: Connection, connector: SsoConnector
    ) -> list[SsoNews]:
        """Let the connector point at us, with its domains, and keep Logto from adding members."""
        async with self._systems.work.reading(turn.organization_id) as db:
            held = await queries.list_held_domains(db, turn.organization_id)
        joining = await turn.management.list_joining_connectors(turn.organization_id)
        news = self._find_astray(connector)
        is_astray = bool(news)
        if set(connector.domains) != set(wanted_domains(connection, held)):
            names = ", ".join(connector.domains) or "-"
            text = _(
                "the connector of its single sign-on had these domains in Logto: %(domains)s", domains=names
            )
            news.append(SsoNews(text, changed=True))
        if connection.connector_id in joining:
            text = _("Logto made people members through its single sign-on, before Workroom checked them")
            news.append(SsoNews(text, changed=True))
        if is_astray:
            await self._point_at_us(turn, connection, held)
        elif news:
            await align(turn.management, connection, held)
        return news

    def _find_astray(self, connector: SsoConnector) -> list[SsoNews]:
        """Return what is wrong with where the connector points, or with its secret."""
        if self._registration.is_ours(connector):
            return []
        text = _(
            "the connector of its single sign-on asked another provider in Logto: %(issuer)s",
            issuer=connector.issuer or "-",
        )
        if connector.issuer == self._registration.issuer(connector.id):
            text = _("the connector of its single sign-on had an older secret or another one in Logto")
        return [SsoNews(text, changed=True)]

    async def _point_at_us(
        self, turn: OrganizationChange[Workroom], connection: Connection, held: Collection[str]
    ) -> None:
        """Let the connector point at us. Raises :class:`Unreachable`."""
        try:
            await repair(turn.management, self._registration, connection, held)
        except ManagementError as refusal:
            if refusal.code != UNREADABLE:
                raise
            raise Unreachable(self._registration.issuer(connection.connector_id)) from None

    async def _check_recovery(self, connection: Connection) -> list[SsoNews]:
        """Report a recovery admin who could not help if the provider failed."""
        if connection.required_at is None:
            return []
        systems = self._systems
        candidates = await list_candidates(systems.work, systems.management, connection)
        if any(one.id == connection.recovery_id and one.way is not None for one in candidates):
            return []
        text = _(
            "its recovery admin %(person)s could not turn single sign-on off if the identity provider "
            "failed: they are no longer an admin, or can sign in only through the provider. An admin has to "
            "choose another",
            person=connection.recovery_id or "-",
        )
        return [SsoNews(text, changed=False)]


def _record(
    db: WritingSession,
    turn: OrganizationChange[Workroom],
    action: Action,
    connection: Connection,
    reason: str,
) -> None:
    target = Target(TARGET, connection.connector_id, connection.name)
    record(db, turn.event(action, target, after={"reason": reason}))

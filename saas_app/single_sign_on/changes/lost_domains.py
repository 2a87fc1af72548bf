"""What the loss of an email domain means for single sign-on.

A domain counts only while the organization holds it by a proof in the DNS. When it is released, removed,
taken over by another organization, or proved by an address instead, it leaves the connection:

1. Our row changes first, in the transaction that is committed before Logto is called. From then on, no
   sign-in by an address at the domain is accepted.
2. Then the domain is taken from the connector in Logto, so that nobody is sent to the provider. If Logto
   fails, the loss of the domain is still complete here, and ``saas-app reconcile`` repairs the connector.

A connection without a domain is off. It is no longer required either: nobody could meet the requirement,
and a provider that no longer speaks for the members' addresses must not lock them out. They sign in as they
did before. While other domains are left, the connection stays on, and required. Members whose addresses are
at the lost domain can then come in only after an admin makes it optional.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

import structlog

from saas_app.audit.recorder import Action, Target, record
from saas_app.changes.organization_change import OrganizationChange
from saas_app.db.session import WritingSession
from saas_app.errors import LogtoUnavailable
from saas_app.identity.standing import Caller
from saas_app.logto import ManagementError
from saas_app.single_sign_on import queries
from saas_app.single_sign_on.changes.connectors import align
from saas_app.single_sign_on.values import OFF, TARGET, Connection
from saas_app.text.domains import shown_domain

log = structlog.get_logger(__name__)

_SECONDS_FOR_LOGTO: Final = 3.0  # Logto waits for the provider, but has changed the connector before
_NOT_REMOVED: Final = "Logto did not remove the domain"


@dataclass(frozen=True, slots=True)
class Loss:
    """A connection before and after it loses domains. Both are None if there is none, or if it loses none.

    ``held`` are the domains that still count.
    """

    turn: OrganizationChange[Caller]
    reason: str
    before: Connection | None = None
    after: Connection | None = None
    held: frozenset[str] = frozenset()

    @property
    def turned_off(self) -> Connection | None:
        """The connection, if it was on and no domain is left."""
        is_off = self.before is not None and self.before.is_on and not (self.after and self.after.is_on)
        return self.before if is_off else None

    async def take_out(self, db: WritingSession) -> None:
        """Take the domains out of the connection, within a transaction, and record it."""
        if self.before is not None and self.after is not None:
            actions = (Action.SSO_TURN_OFF, Action.SSO_STOP_REQUIRING)
            await self._change(db, self.before, self.after, actions, self.reason)

    async def give_back(self, db: WritingSession) -> None:
        """Put the domains back: Logto refused the change by which the organization would have lost them."""
        if self.before is not None and self.after is not None:
            actions = (Action.SSO_TURN_ON, Action.SSO_REQUIRE)
            await self._change(db, self.after, self.before, actions, _NOT_REMOVED)

    async def tell_logto(self) -> None:
        """Take the domains from the connector in Logto. A failure is logged, and repaired by reconciling."""
        if self.after is None:
            return
        try:
            async with asyncio.timeout(_SECONDS_FOR_LOGTO):
                await align(self.turn.management, self.after, self.held)
        except (ManagementError, LogtoUnavailable, TimeoutError) as failure:
            log.warning(
                "a connector keeps a lost domain until 'saas-app reconcile'",
                organization_id=self.after.organization_id,
                connector_id=self.after.connector_id,
                reason=str(failure) or type(failure).__name__,
            )

    async def _change(
        self,
        db: WritingSession,
        old: Connection,
        new: Connection,
        actions: tuple[Action, Action],
        reason: str,
    ) -> None:
        """Store ``new`` and record it. ``actions`` are those of being on, and of being required."""
        await queries.change_connection(
            db,
            new.organization_id,
            domains=list(new.domains),
            on_at=new.on_at,
            required_at=new.required_at,
            recovery_id=new.recovery_id,
        )
        of_on, of_required = actions
        action = of_on if old.is_on != new.is_on else Action.SSO_CHANGE
        target = Target(TARGET, new.connector_id, new.name)
        before, after = ({"domains": list(map(shown_domain, one.domains))} for one in (old, new))
        record(db, self.turn.event(action, target, before, {**after, "reason": reason}))
        if (old.required_at is None) != (new.required_at is None):
            record(db, self.turn.event(of_required, target, after={"reason": reason}))


async def find_loss(turn: OrganizationChange[Caller], lost: Collection[str], reason: str) -> Loss:
    """Return what the connection loses when the organization no longer holds the domains ``lost``.

    Domains of the connection that it does not hold by DNS anyway are lost too. ``reason`` is for the audit
    log. ``turn`` is within :meth:`.OrganizationChange.alone`.
    """
    async with turn.work.reading(turn.organization_id) as db:
        before = await queries.find_connection(db, turn.organization_id)
        held = await queries.list_held_domains(db, turn.organization_id) if before else frozenset()
    held -= set(lost)
    if before is None or held.issuperset(before.domains):
        return Loss(turn, reason)
    after = replace(before, domains=tuple(name for name in before.domains if name in held))
    if not after.domains:
        after = replace(after, **OFF)
    return Loss(turn, reason, before, after, held)

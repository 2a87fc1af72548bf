"""Turns single sign-on on and off, and chooses whose people use it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from functools import partial
from typing import Any

from saas_app.audit.recorder import Action, AuditEntry
from saas_app.changes.organization_change import MemberChange
from saas_app.db.base import utc_now
from saas_app.errors import Invalid
from saas_app.organizations.service import read_joining
from saas_app.single_sign_on.broker.registration import Registration
from saas_app.single_sign_on.changes.connectors import align, align_off, repair
from saas_app.single_sign_on.changes.steps import (
    ConnectorGone,
    NotReady,
    event,
    explaining_refusals,
    get_connection,
    inspect,
    list_held,
    named,
    no_domain,
    require_lasting,
    set_values,
    setting_up,
    store,
)
from saas_app.single_sign_on.issuers import IssuerInspector
from saas_app.single_sign_on.recovery import require_recoverable
from saas_app.single_sign_on.service import effective_domains
from saas_app.single_sign_on.values import OFF, Connection
from saas_app.single_sign_on.wanted import wanted_domains
from saas_app.text.domains import shown_domain
from saas_app.text.translation import _
from saas_app.text.visible import isolated


async def choose_domains(change: MemberChange, domains: Collection[str], *, self_service: bool) -> None:
    """Choose the domains whose people sign in at the provider.

    Raises :class:`Invalid`, also if the recovery admin could no longer come in another way.
    """
    async with setting_up(change, self_service=self_service) as turn:
        now, held = await get_connection(turn), await list_held(turn)
        for domain in sorted(set(domains) - held):
            problem = _(
                "Your organization no longer holds %(domain)s by a TXT record. Reload the page and choose "
                "again.",
                domain=isolated(shown_domain(domain)),
            )
            raise Invalid(problem, fields={"domains": problem})
        if now.is_on and not domains:
            raise Invalid(no_domain(), fields={"domains": no_domain()})
        wanted = replace(now, domains=tuple(sorted(set(domains))))
        if now.recovery_id is not None:  # who could come in by an address at one of them
            await require_recoverable(turn.work, turn.management, wanted, now.recovery_id)
        await _change(turn, now, wanted, held)


async def choose_joining(change: MemberChange, joins: bool, *, self_service: bool) -> None:
    """Choose whether people who sign in at the provider become members.

    Raises :class:`AssignmentDenied` if they would get roles that the caller cannot assign.
    """
    async with setting_up(change, self_service=self_service) as turn:
        now, held = await get_connection(turn), await list_held(turn)
        if joins:
            await _require_default_roles(turn)
        await _change(turn, now, replace(now, joins=joins), held)


async def turn_on(
    change: MemberChange, inspector: IssuerInspector, registration: Registration, *, self_service: bool
) -> None:
    """Let the people of the chosen domains sign in at the provider only. Repeating it applies it again.

    Raises :class:`NotReady` if it was not tested since the last change, :class:`Invalid`,
    :class:`ConnectorGone` and :class:`Unreachable`.
    """
    async with setting_up(change, self_service=self_service) as turn:
        await turn.count()  # before the provider is asked
        now, held = await get_connection(turn), await list_held(turn)
        if now.tested_at is None and not now.is_on:
            raise NotReady(_("Test the connection first. Each change of the provider requires a new test."))
        domains = effective_domains(now, held)
        if not domains:
            raise NotReady(no_domain())
        if now.joins:
            await _require_default_roles(turn)
        await inspect(inspector, now.issuer)
        on = replace(now, domains=domains, on_at=now.on_at or utc_now())
        if on == now and not await _is_unapplied(turn, on, held):
            return
        after = {"domains": named(domains), "joins": on.joins}
        write = partial(repair, turn.management, registration, on, held)
        await _apply(turn, now, on, event(turn, Action.SSO_TURN_ON, now, after=after), write)


async def apply_again(change: MemberChange, registration: Registration, *, self_service: bool) -> None:
    """Write to Logto again what it should have, after it did not answer, or was changed."""
    async with setting_up(change, self_service=self_service) as turn:
        now, held = await get_connection(turn), await list_held(turn)
        after = {"domains": named(effective_domains(now, held)), "joins": now.joins}
        with explaining_refusals():
            await turn.carry_out(
                event(turn, Action.SSO_CHANGE, now, after=after),
                lambda: repair(turn.management, registration, now, held),
            )


async def turn_off(change: MemberChange) -> None:
    """Let people sign in as before. It is no longer required then. Repeating it changes nothing."""
    require_lasting(change.caller)
    async with change.alone() as turn:
        now, held = await get_connection(turn), await list_held(turn)
        if not now.is_on:
            return
        await turn.carry_out(
            event(turn, Action.SSO_TURN_OFF, now, {"domains": named(now.domains)}),
            lambda: align_off(turn.management, replace(now, **OFF), held),
            also=lambda db: set_values(db, turn, **OFF),
        )


async def _change(turn: MemberChange, now: Connection, wanted: Connection, held: Collection[str]) -> None:
    """Change the domains or who joins: here only while it is off, and else in Logto too."""
    before, after = _choices(now), _choices(wanted)
    if before == after and not (now.is_on and await _is_unapplied(turn, now, held)):
        return
    if not now.is_on:
        entry = event(turn, Action.SSO_CHANGE, now, before, after)
        await store(turn, entry, domains=list(wanted.domains), joins=wanted.joins)
        return
    await turn.count()
    write = partial(align, turn.management, wanted, held)
    await _apply(turn, now, wanted, event(turn, Action.SSO_CHANGE, now, before, after), write)


async def _apply(
    turn: MemberChange,
    now: Connection,
    wanted: Connection,
    entry: AuditEntry,
    write: Callable[[], Awaitable[None]],
) -> None:
    """Bring the row, and Logto by ``write``, to what is wanted. The change was counted.

    The row comes first. If Logto's answer is lost, people are never sent to a provider from which they could
    not come back, and the page says what Logto lacks.
    """
    with explaining_refusals():
        await turn.carry_out(
            entry,
            write,
            before=lambda db: set_values(db, turn, **_columns(wanted)),
            on_refusal=lambda db: set_values(db, turn, **_columns(now)),
            is_counted=True,
        )


async def _is_unapplied(turn: MemberChange, connection: Connection, held: Collection[str]) -> bool:
    """Return whether Logto has other domains, because its answer got lost, or makes people members by itself.

    Raises :class:`ConnectorGone`.
    """
    connector = await turn.management.find_sso_connector(connection.connector_id)
    if connector is None:
        raise ConnectorGone
    if set(connector.domains) != set(wanted_domains(connection, held)):
        return True
    joining = await turn.management.list_joining_connectors(turn.organization_id)
    return connection.connector_id in joining


async def _require_default_roles(turn: MemberChange) -> None:
    """Raise :class:`AssignmentDenied` unless the caller may assign the roles of people who join."""
    turn.caller.require_assignable((await read_joining(turn)).role_names)


def _choices(connection: Connection) -> dict[str, Any]:
    return {"domains": named(connection.domains), "joins": connection.joins}


def _columns(connection: Connection) -> dict[str, Any]:
    return {
        "domains": list(connection.domains),
        "joins": connection.joins,
        "on_at": connection.on_at,
    }

"""Begins a connection, enters its identity provider, and removes it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from saas_app.audit.recorder import Action, Target
from saas_app.changes.organization_change import MemberChange
from saas_app.db.base import utc_now
from saas_app.db.session import WritingSession
from saas_app.errors import Invalid
from saas_app.identity.vault import Vault
from saas_app.logto import ManagementError, SsoConnector
from saas_app.organizations.values import OrganizationGone
from saas_app.single_sign_on.broker.registration import Registration
from saas_app.single_sign_on.changes.steps import (
    event,
    explaining_refusals,
    get_connection,
    inspect,
    list_held,
    require_lasting,
    set_values,
    setting_up,
)
from saas_app.single_sign_on.issuers import IssuerInspector
from saas_app.single_sign_on.queries import (
    add_connection,
    delete_connection,
    find_connection,
    find_secret,
    forget_people,
    save_secret,
)
from saas_app.single_sign_on.values import (
    CONNECTOR_MARK,
    NAME_LENGTH,
    TARGET,
    WORKS,
    Connection,
    Provider,
)
from saas_app.single_sign_on.wanted import wanted_domains
from saas_app.text.translation import _

_TAKEN: Final = "single_sign_on.duplicate_connector_name"


async def begin(change: MemberChange, registration: Registration, *, self_service: bool) -> None:
    """Create the connector, so that our redirect URI is known, and let it point at us.

    Repeating it does what is missing. A connection whose connector was deleted in Logto is replaced. Raises
    :class:`Unreachable`.
    """
    async with setting_up(change, self_service=self_service) as turn:
        with turn.explain(OrganizationGone):
            await turn.management.get_organization(turn.organization_id)
        async with turn.work.reading(turn.organization_id) as db:
            known = await find_connection(db, turn.organization_id)
        connector = None
        if known is not None:
            connector = await turn.management.find_sso_connector(known.connector_id)
        if connector is None:
            await _create(turn)
        if connector is None or not registration.is_ours(connector):
            now = await get_connection(turn)
            with explaining_refusals():
                await registration.write(turn.management, now, wanted_domains(now, await list_held(turn)))


async def configure(
    change: MemberChange,
    inspector: IssuerInspector,
    registration: Registration,
    wanted: Provider,
    *,
    self_service: bool,
) -> None:
    """Enter the provider, or change it. Each time, the connection has to be tested again.

    An empty secret keeps the stored one, if the issuer and the client stay as they are. They do while single
    sign-on is on. Logto is told only the name. Raises :class:`Invalid`, :class:`NotSetUp`,
    :class:`ConnectorGone`, :class:`Unreachable` and :class:`LimitReached`.
    """
    async with setting_up(change, self_service=self_service) as turn:
        await turn.count()  # before the provider is asked
        now = await get_connection(turn)
        is_same = (wanted.issuer, wanted.client_id) == (now.issuer, now.client_id)
        if now.is_on and not is_same:
            raise Invalid(
                fields={"issuer": _("Turn single sign-on off before you change the issuer or the client ID.")}
            )
        if not wanted.client_secret:
            await _require_stored_secret(turn, is_same=is_same)
        await inspect(inspector, wanted.issuer)
        entered = replace(
            now,
            name=wanted.name,
            issuer=wanted.issuer,
            client_id=wanted.client_id,
            scopes=wanted.scopes,
            tested_at=None,
            tested_by=None,
        )
        domains = wanted_domains(entered, await list_held(turn))
        with explaining_refusals():
            await turn.carry_out(
                event(turn, Action.SSO_CONFIGURE, now, _facts(now), _facts(wanted)),
                lambda: registration.write(turn.management, entered, domains),
                before=lambda db: set_values(db, turn, tested_at=None, tested_by=None),
                also=lambda db: _keep(db, turn, registration.vault, now, entered, wanted.client_secret),
                on_refusal=lambda db: set_values(db, turn, tested_at=now.tested_at, tested_by=now.tested_by),
                is_counted=True,
            )


async def _keep(
    db: WritingSession,
    turn: MemberChange,
    vault: Vault,
    now: Connection,
    entered: Connection,
    client_secret: str,
) -> None:
    """Store the provider, and a new secret encrypted. Earlier failures no longer count.

    At another issuer, somebody else may have a ``sub`` that is known (OpenID Connect Core §5.7).
    """
    await set_values(
        db,
        turn,
        name=entered.name,
        issuer=entered.issuer,
        client_id=entered.client_id,
        scopes=entered.scopes,
        **WORKS,
    )
    if entered.issuer != now.issuer:
        await forget_people(db)
    if client_secret:
        await save_secret(db, turn.organization_id, vault.seal(client_secret))


async def _require_stored_secret(turn: MemberChange, *, is_same: bool) -> None:
    """Raise :class:`Invalid` unless a secret is stored for the client, which ``is_same`` as before."""
    async with turn.work.reading(turn.organization_id) as db:
        is_stored = await find_secret(db) is not None
    if not is_stored:
        raise Invalid(fields={"client_secret": _("Enter the client secret.")})
    if not is_same:
        problem = _("Enter the secret again: the stored one belongs to another issuer or client ID.")
        raise Invalid(fields={"client_secret": problem})


async def remove(change: MemberChange) -> None:
    """Delete the connector with everybody's identity there. Accounts stay. Repeating it changes nothing."""
    require_lasting(change.caller)
    async with change.alone() as turn:
        async with turn.work.reading(turn.organization_id) as db:
            found = await find_connection(db, turn.organization_id)
        if found is None:
            return
        await turn.carry_out(
            event(turn, Action.SSO_REMOVE, found, {"issuer": found.issuer}),
            lambda: turn.management.delete_sso_connector(found.connector_id),
            also=lambda db: delete_connection(db, turn.organization_id),
        )


async def _create(turn: MemberChange) -> None:
    """Create the connector and the connection, in place of one whose connector is gone."""
    name = turn.caller.organization_name[:NAME_LENGTH]
    made: list[SsoConnector] = []

    async def create() -> None:
        made.append(await _create_connector(turn))

    async def keep(db: WritingSession) -> None:
        await delete_connection(db, turn.organization_id)
        subject = turn.caller.principal.subject
        await add_connection(db, turn.organization_id, made[0].id, name, subject, utc_now())

    target = Target(TARGET, turn.organization_id, name)
    await turn.carry_out(turn.event(Action.SSO_CREATE, target), create, also=keep)


async def _create_connector(turn: MemberChange) -> SsoConnector:
    """Create the connector of the organization.

    If the name is taken, an earlier attempt made one whose ID got lost. It is deleted, because nobody knows
    what it contains.
    """
    name = connector_name(turn.organization_id)
    try:
        return await turn.management.create_sso_connector(name)
    except ManagementError as refusal:
        if refusal.code != _TAKEN:
            raise
    for connector in await turn.management.list_sso_connectors():
        if connector.name == name:
            await turn.management.delete_sso_connector(connector.id)
    return await turn.management.create_sso_connector(name)


def connector_name(organization_id: str) -> str:
    """Return the name of an organization's connector in Logto's Console, which is unique."""
    return f"{CONNECTOR_MARK}{organization_id}"


def _facts(provider: Provider | Connection) -> dict[str, Any]:
    """Return what the audit log shows of a provider. The secret is not among it."""
    return {
        "name": provider.name,
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "scopes": provider.scopes,
    }

"""What the changes share: who may make them, the connection that they change, and how they are recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from saas_app.audit.recorder import Action, AuditEntry, Target, record
from saas_app.changes.organization_change import MemberChange
from saas_app.db.session import WritingSession
from saas_app.errors import Conflict, Invalid
from saas_app.identity.standing import require_standing, session_key
from saas_app.identity.tenant import Tenant
from saas_app.logto import ManagementError
from saas_app.rbac.permissions import Permission
from saas_app.single_sign_on.checked_hosts import IssuerRefused
from saas_app.single_sign_on.issuers import IssuerInspector
from saas_app.single_sign_on.queries import change_connection, find_connection, is_allowed, list_held_domains
from saas_app.single_sign_on.values import TARGET, Connection
from saas_app.text.domains import shown_domain
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated

UNREADABLE: Final = "connector.invalid_config"
"""Logto's code for metadata of a provider that it cannot read."""

_NO_CONNECTOR: Final = "entity.relation_foreign_key_not_found"


class OutlastsOwnAccess(Invalid):
    """The caller can change settings only until a moment, and single sign-on would outlast it."""

    def __init__(self, tenant: Tenant) -> None:
        latest = tenant.facts.until[Permission.ORGANIZATION_UPDATE]
        super().__init__(
            _(
                "You can change the settings of %(organization)s only until %(time)s. Single sign-on decides "
                "who gets in after that, so only an admin whose role has no end can change it. Nothing was "
                "changed.",
                organization=isolated(tenant.organization_name),
                time=latest.strftime("%Y-%m-%d %H:%M UTC"),
            )
        )


class NotSetUp(Conflict):
    """The organization has no connection, or another admin has just removed it."""

    title = _("Single sign-on is not set up")

    def __init__(self) -> None:
        super().__init__(
            _("It may have been removed meanwhile. Nothing was changed. Reload the page and begin again.")
        )


class ConnectorGone(Conflict):
    """Somebody deleted the connector in Logto's Console."""

    title = _("The connection no longer exists in Logto")

    def __init__(self) -> None:
        super().__init__(
            _("It was deleted in Logto, so nobody can sign in through it. Reload the page and begin again.")
        )


class Unreachable(Conflict):
    """Logto could not read our metadata, so it cannot send people to us. The operator has to help."""

    title = _("Logto could not reach Workroom")

    def __init__(self) -> None:
        super().__init__(
            _(
                "Logto asks Workroom how to send people to your provider. Ask the operator to make "
                "Workroom’s address (APP_URL) reachable for Logto, then try again."
            )
        )


class NotAllowed(Conflict):
    """The operator has not allowed the organization to connect a provider."""

    title = _("Single sign-on is not allowed")

    def __init__(self) -> None:
        super().__init__(
            _("The operator has to allow your organization to connect an identity provider first.")
        )


class NotReady(Invalid):
    """An earlier step is missing. The text names it."""

    title = _("An earlier step is missing")


def require_lasting(tenant: Tenant) -> None:
    """Raise :class:`OutlastsOwnAccess` if the caller changes the organization's settings only for a time."""
    if Permission.ORGANIZATION_UPDATE not in tenant.lasting:
        raise OutlastsOwnAccess(tenant)


@asynccontextmanager
async def setting_up(change: MemberChange, *, self_service: bool) -> AsyncIterator[MemberChange]:
    """Take a turn for a change that sets single sign-on up. What only ends or relaxes it needs no permission.

    ``self_service``: every organization may. Raises :class:`NotAllowed` and :class:`OutlastsOwnAccess`.
    """
    require_lasting(change.caller)
    async with change.alone() as turn:
        async with turn.work.reading(turn.organization_id) as db:
            if not await is_allowed(db, turn.organization_id, self_service=self_service):
                raise NotAllowed
        yield turn


async def get_connection(turn: MemberChange) -> Connection:
    """Return the organization's connection as it is now. Raises :class:`NotSetUp`."""
    async with turn.work.reading(turn.organization_id) as db:
        found = await find_connection(db, turn.organization_id)
    if found is None:
        raise NotSetUp
    return found


async def list_held(turn: MemberChange) -> frozenset[str]:
    """Return the domains that the organization holds by DNS now."""
    async with turn.work.reading(turn.organization_id) as db:
        return await list_held_domains(db, turn.organization_id)


def event(
    turn: MemberChange,
    action: Action,
    connection: Connection,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Return the audit event of a change of the connection, with only what has changed."""
    old, new = dict(before or {}), dict(after or {})
    same = {name for name in old if name in new and old[name] == new[name]}
    old, new = ({name: side[name] for name in side if name not in same} for side in (old, new))
    target = Target(TARGET, connection.connector_id, connection.name)
    return turn.event(action, target, old or None, new or None)


async def store(turn: MemberChange, entry: AuditEntry, **values: Any) -> None:
    """Make a change that Logto has no part in, and record it. Raises :class:`LimitReached`."""
    await turn.count()
    async with turn.work.writing(turn.organization_id, key=session_key(turn.caller)) as db:
        await require_standing(db, turn.caller)
        await set_values(db, turn, **values)
        record(db, entry)


async def set_values(db: WritingSession, turn: MemberChange, **values: Any) -> None:
    """Set columns of the connection. Raises :class:`NotSetUp`."""
    if not await change_connection(db, turn.organization_id, **values):
        raise NotSetUp


async def inspect(inspector: IssuerInspector, issuer: str) -> None:
    """Check what the provider publishes now. Raises :class:`Invalid`."""
    try:
        await inspector.inspect(issuer)
    except IssuerRefused as refused:
        raise Invalid(refused.reason, fields={"issuer": refused.reason}) from None


@contextmanager
def explaining_refusals() -> Iterator[None]:
    """Turn Logto's refusals of a connector into errors that say what to do."""
    try:
        yield
    except ManagementError as refusal:
        if refusal.status == 404 or refusal.code == _NO_CONNECTOR:
            raise ConnectorGone from None
        if refusal.code == UNREADABLE:
            raise Unreachable from None
        if refusal.code == "single_sign_on.forbidden_domains":
            problem = _(
                "Logto does not accept one of these domains, because anyone can get an address there."
            )
            raise Invalid(problem, fields={"domains": problem}) from None
        raise


def named(domains: tuple[str, ...] | frozenset[str] | list[str]) -> list[str]:
    """Return domains as people read them, for the audit log."""
    return [shown_domain(domain) for domain in sorted(domains)]


def no_domain() -> Sentence:
    """Say that a domain is missing."""
    return _("Choose at least one domain that your organization has proved with a TXT record.")

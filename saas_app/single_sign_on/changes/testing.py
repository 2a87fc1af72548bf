"""An admin tests a connection: whether they can, and that they have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from saas_app.audit.recorder import Action, Actor, AuditEntry, Target, record
from saas_app.changes.organization_change import MemberChange, Systems
from saas_app.db.base import utc_now
from saas_app.errors import SignInFailed
from saas_app.identity.standing import Workroom
from saas_app.logto import explaining
from saas_app.single_sign_on.broker.errands import Tester
from saas_app.single_sign_on.changes.steps import NotAllowed, NotReady, NotSetUp, require_lasting
from saas_app.single_sign_on.proofs import Refusal, revision_of, trusted_domain, trusted_domains
from saas_app.single_sign_on.queries import (
    change_connection,
    find_connection,
    is_allowed,
    list_held_domains,
)
from saas_app.single_sign_on.values import TARGET, Connection
from saas_app.text.translation import _

_MOST_CLAIMS: Final = 50  # names of claims in an audit event
_LONGEST_CLAIM: Final = 64  # characters


async def prepare_test(change: MemberChange, back: str, *, self_service: bool) -> tuple[Connection, Tester]:
    """Return the connection and the caller, who is about to test it. ``back`` is the path to return to.

    The provider will have to name the caller's own address. Raises :class:`OutlastsOwnAccess`,
    :class:`NotAllowed`, :class:`NotSetUp`, :class:`NotReady`, and what :func:`explaining` raises.
    """
    require_lasting(change.caller)
    organization_id = change.organization_id
    async with change.work.reading(organization_id) as db:
        if not await is_allowed(db, organization_id, self_service=self_service):
            raise NotAllowed
        connection = await find_connection(db, organization_id)
        held = await list_held_domains(db, organization_id)
    if connection is None:
        raise NotSetUp
    if not connection.issuer:
        raise NotReady(_("Enter the provider first."))
    domains = trusted_domains(connection, held)
    if not domains:
        raise NotReady(_("Choose at least one domain first."))
    with explaining():
        account = await change.management.get_user(change.caller.principal.subject)
    if account.email is None or trusted_domain(account.email) not in domains:
        raise NotReady(
            _(
                "The email address of your account is not at one of the chosen domains. Ask an admin whose "
                "address is there to test the connection."
            )
        )
    return connection, Tester(account.id, account.display_name, account.email, back)


async def note_test(
    systems: Systems, organization_id: str, tester: Tester, revision: str, claims: Iterable[str]
) -> None:
    """Record a test that succeeded, in a turn of the organization, where the provider does not change.

    ``revision`` is that of the connection that was tested. ``claims`` are the names of those that arrived:
    their values are the tester's own. Raises :class:`SignInFailed` if the connection was changed meanwhile.
    """
    after = {"claims": sorted(name[:_LONGEST_CLAIM] for name in claims)[:_MOST_CLAIMS]}
    actor = Actor(tester.user_id, tester.name)
    change = systems.by(Workroom(organization_id))
    async with change.alone() as turn, turn.work.writing(organization_id) as db:
        current = await find_connection(db, organization_id)
        if current is None or revision_of(current) != revision:
            raise SignInFailed(Refusal.CHANGED.advice)
        await change_connection(db, organization_id, tested_at=utc_now(), tested_by=tester.user_id)
        target = Target(TARGET, organization_id, current.name)
        record(db, AuditEntry(actor, Action.SSO_TEST, target, after=after))

"""Records that an admin has tested a connection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from saas_app.audit.recorder import Action, Actor, AuditEntry, Target, record
from saas_app.changes.organization_change import Systems
from saas_app.db.base import utc_now
from saas_app.errors import SignInFailed
from saas_app.identity.standing import Workroom
from saas_app.single_sign_on.broker.errands import Tester
from saas_app.single_sign_on.proofs import Refusal, revision_of
from saas_app.single_sign_on.queries import change_connection, find_connection
from saas_app.single_sign_on.values import TARGET

_MOST_CLAIMS: Final = 50  # names of claims in an audit event
_LONGEST_CLAIM: Final = 64  # characters


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

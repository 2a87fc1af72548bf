"""What happened to the tokens of a session: sign-in, consent, fetched tokens, and changes of roles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import saas_app.audit.service as audit
import saas_app.notifications.service as notifications
from saas_app.audit.recorder import Action
from saas_app.audit.sentences import sentence_of
from saas_app.audit.values import EventFilter
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.sessions import SessionStore
from saas_app.lab.bench import Bench, Column, HeldToken
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated

_MOST_CHANGES: Final = 10  # of each kind, in each organization
_ROLE_CHANGES: Final = (Action.MEMBER_CHANGE_ROLES, Action.MEMBER_SET_ROLE_END, Action.MEMBER_END_ROLE)


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened. ``symbol`` is an icon."""

    at: datetime
    sentence: Sentence
    symbol: str


async def read_timeline(
    work: UnitOfWork, sessions: SessionStore, principal: SessionPrincipal, bench: Bench
) -> list[Moment]:
    """Return what happened to the tokens on the bench, the latest first."""
    moments = [*_tokens(bench), *await _sign_in(sessions, principal, bench)]
    unseen = []
    for column in bench.columns:
        if column.can_see_members:
            moments += await _role_changes(work, principal, column)
        else:
            unseen.append(column.id)
    moments += await _notified(work, principal, unseen)
    return sorted(moments, key=lambda moment: moment.at, reverse=True)


async def _sign_in(sessions: SessionStore, principal: SessionPrincipal, bench: Bench) -> list[Moment]:
    renewed = Moment(
        bench.granted_at,
        _("A round trip to Logto renewed your consent. It froze the API-resource scopes of your roles."),
        "refresh",
    )
    current = [own for own in await sessions.list_own(principal) if own.is_current]
    if not current:
        return [renewed]
    signed_in_at = current[0].created_at
    if bench.granted_at == signed_in_at:  # both are stored at once
        return [
            Moment(
                signed_in_at,
                _("You signed in and consented. That froze the API-resource scopes of your roles."),
                "person",
            )
        ]
    return [renewed, Moment(signed_in_at, _("You signed in."), "person")]


def _tokens(bench: Bench) -> Iterator[Moment]:
    for column in bench.columns:
        for held in column.held:
            if held.cached is not None:
                yield Moment(held.cached.fetched_at, _fetched(column, held), "key")


def _fetched(column: Column, held: HeldToken) -> Sentence:
    names = {"token": held.carrier.label, "organization": isolated(column.name)}
    if held.refusal is not None:
        return _("Logto refused the %(token)s for %(organization)s.", **names)
    return _("Workroom fetched the %(token)s for %(organization)s.", **names)


async def _role_changes(work: UnitOfWork, principal: SessionPrincipal, column: Column) -> list[Moment]:
    """Return the changes of the person's roles, as the organization's log has them."""
    wanted = [EventFilter(action=action, target_id=principal.subject) for action in _ROLE_CHANGES]
    async with work.reading(column.id) as db:
        found = [await audit.page_events(db, one, before=None, size=_MOST_CHANGES) for one in wanted]
    return [Moment(row.occurred_at, sentence_of(row), "people") for page in found for row in page.rows]


async def _notified(
    work: UnitOfWork, principal: SessionPrincipal, organization_ids: list[str]
) -> list[Moment]:
    """Return what the person was told about organizations whose log they may not see."""
    if not organization_ids:
        return []
    rows = await notifications.list_notifications(work, principal, None, 50)
    return [
        Moment(row.created_at, row.sentence, "people")
        for row in rows
        if row.organization_id in organization_ids
    ][:_MOST_CHANGES]

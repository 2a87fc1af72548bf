"""Replaces a person by their pseudonym in the audit log of an organization.

The database refuses every change of the audit log, except one that a row of ``audit_redactions`` allows
(:class:`saas_app.models.AuditRedaction`). The rows live in one transaction, together with the event about it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from saas_app.audit.recorder import Action
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.models import AuditActor, AuditEvent, AuditRedaction

_BATCH: Final = 500  # events per statement
_TEXTS: Final = (AuditEvent.actor_id, AuditEvent.actor_name, AuditEvent.target_id, AuditEvent.target_name)
_BEHALF: Final = (AuditEvent.behalf_id, AuditEvent.behalf_name)  # empty in most events
_JSON: Final = (AuditEvent.before, AuditEvent.after, AuditEvent.decision)
_OF_AGENT: Final = " is acting for "  # follows an agent's name in a decision, see saas_app.rbac.policy.proved


@dataclass(frozen=True, slots=True)
class Redaction:
    """In events that contain ``marker``, ``wanted`` becomes ``replacement``.

    A column with a text is compared as a JSON list of one text, so that it looks as it does in JSON.
    """

    marker: str
    wanted: str
    replacement: str


def redactions_of(
    user_id: str,
    pseudonym: str,
    names: Iterable[str],
    emails: Collection[str],
    written: Iterable[str] = (),
) -> list[Redaction]:
    """Return what is replaced, in this order: the id comes last, because it marks the person's events.

    ``written`` are texts by the person, which become empty in events with their id. A name may be somebody
    else's too, so it is replaced in events with the person's id only: as a whole text, at the end of a
    sentence, or as the agent who acts for somebody. An email address is the person's own wherever it is a
    whole text.
    """
    found = [Redaction(user_id, form, '""') for text in written for form in _quoted(text)]
    for name in sorted({*names, *emails}, key=len, reverse=True):
        for form in _quoted(name):
            found.append(Redaction(user_id, form, f'"{pseudonym}"'))
            found.append(Redaction(user_id, f' {form[1:-1]}."', f' {pseudonym}."'))
            found.append(Redaction(user_id, f"{form[:-1]}{_OF_AGENT}", f'"{pseudonym}{_OF_AGENT}'))
    for email in sorted(emails):
        found += [Redaction(form, form, f'"{pseudonym}"') for form in _quoted(email)]
    return [*found, Redaction(user_id, user_id, pseudonym)]


async def list_names(db: DatabaseSession, user_id: str) -> set[str]:
    """Return the names and addresses that the organization's events have for a person."""
    invited = sa.and_(AuditEvent.actor_id == user_id, AuditEvent.action == Action.INVITATION_ACCEPT.value)
    statement: sa.CompoundSelect[Any] = sa.union(
        sa.select(AuditActor.name).where(AuditActor.actor_id == user_id),
        sa.select(AuditEvent.target_name).where(AuditEvent.target_id == user_id),
        sa.select(AuditEvent.behalf_name).where(AuditEvent.behalf_id == user_id),
        sa.select(AuditEvent.target_name).where(invited),
    )
    return set(await db.scalars(statement)) - {user_id}


async def redact(db: WritingSession, user_id: str, pseudonym: str, redactions: list[Redaction]) -> int:
    """Replace the person in all events of the organization, and return how many events changed."""
    rows = [
        {"marker": item.marker, "wanted": item.wanted, "replacement": item.replacement} for item in redactions
    ]
    await db.execute(sa.insert(AuditRedaction), rows)
    markers = sorted({item.marker for item in redactions})
    count, after = 0, uuid.UUID(int=0)
    while ids := await _next_events(db, markers, after):
        for item in redactions:
            await db.execute(_replacing(db, item).where(AuditEvent.id.in_(ids)))
        count, after = count + len(ids), ids[-1]
    await _replace_actor(db, user_id, pseudonym)
    await db.execute(sa.delete(AuditRedaction))
    return count


async def _next_events(db: DatabaseSession, markers: Iterable[str], after: uuid.UUID) -> list[uuid.UUID]:
    statement = (
        sa.select(AuditEvent.id)
        .where(AuditEvent.id > after, sa.or_(*map(_contains, markers)))
        .order_by(AuditEvent.id)
        .limit(_BATCH)
    )
    return list(await db.scalars(statement))


def _replacing(db: DatabaseSession, item: Redaction) -> sa.Update:
    """Return the update that the triggers allow for a redaction. The address is that of the actor."""
    values: dict[Any, Any] = {
        "address": sa.case((AuditEvent.actor_id == item.marker, ""), else_=AuditEvent.address)
    }
    for text in (*_TEXTS, *_BEHALF):
        listed = sa.func.replace(_as_list(text), item.wanted, item.replacement)
        values[text.key] = sa.func.substr(listed, 3, sa.func.length(listed) - 4)
    for column in _JSON:
        replaced = sa.func.replace(sa.cast(column, sa.Text), item.wanted, item.replacement)
        # SQLite keeps JSON as text, and would turn a cast text into a number.
        is_text = db.dialect_name == "sqlite"
        values[column.key] = sa.type_coerce(replaced, sa.JSON) if is_text else sa.cast(replaced, sa.JSON)
    return sa.update(AuditEvent).where(_contains(item.marker), _contains(item.wanted)).values(values)


def _contains(marker: str) -> sa.ColumnElement[bool]:
    """Return whether an event contains a text. Unlike ``LIKE``, this respects case on every database."""
    parts: list[sa.ColumnElement[str]] = [
        *map(_as_list, _TEXTS),
        *(sa.func.coalesce(_as_list(text), "") for text in _BEHALF),
        *(sa.func.coalesce(sa.cast(column, sa.Text), "") for column in _JSON),
    ]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.concat(part)
    return sa.func.replace(whole, marker, "") != whole


def _as_list(text: InstrumentedAttribute[Any]) -> sa.ColumnElement[str]:
    return sa.literal('["').concat(text).concat('"]')


def _quoted(text: str) -> list[str]:
    """Return a text in quotes: as in a column, and as JSON if that is another form."""
    return list(dict.fromkeys((f'"{text}"', json.dumps(text))))


async def _replace_actor(db: WritingSession, user_id: str, pseudonym: str) -> None:
    """Give the person's events one name in the list of actors, which the search uses."""
    deleted = await db.scalars(
        sa.delete(AuditActor).where(AuditActor.actor_id == user_id).returning(AuditActor.id)
    )
    ids = sorted(deleted)
    known = sa.select(AuditActor.id).where(AuditActor.actor_id == pseudonym).limit(1)
    if ids and await db.scalar(known) is None:
        row = {"id": ids[0], "actor_id": pseudonym, "name": pseudonym}
        await db.execute(sa.insert(AuditActor), [row])

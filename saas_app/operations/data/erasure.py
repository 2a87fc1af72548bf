"""Erases a person (GDPR Art. 17): their data is deleted, and a pseudonym replaces them in what stays.

Each organization is a transaction. The names are deleted last, so that a run after a crash still finds them,
and carries on with the same pseudonym.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import sqlalchemy as sa

from saas_app.audit.recorder import SYSTEM, Action, AuditEntry, Target, record
from saas_app.db.base import Base, utc_now
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.db.upsert import insert_if_absent
from saas_app.errors import ConfigurationError
from saas_app.identity.membership_changes import UNTIL_FURTHER_NOTICE, mark_changed
from saas_app.identity.named_members import forget_member
from saas_app.logto.provider_clock import Moment
from saas_app.models import (
    EVERYWHERE,
    PSEUDONYM,
    AccessRequest,
    AuditEvent,
    DomainJoin,
    EmailDomain,
    Erasure,
    FormerMembership,
    IdempotencyKey,
    KeptFormRow,
    LabClass,
    LabClassMember,
    LabGround,
    LabRun,
    MembershipChange,
    Notification,
    NotificationKind,
    OrganizationRemoval,
    PendingChange,
    RoleEnd,
    SessionRow,
    SsoConnection,
    SsoPerson,
    SupportAccess,
    User,
)
from saas_app.notifications.recorder import cause_of_support
from saas_app.operations.data.organizations import list_organization_ids
from saas_app.operations.data.redactions import list_names, redact, redactions_of
from saas_app.operations.data.tables import mentions, tenant_models, text_columns
from saas_app.operations.data.written_texts import empty_texts, list_reasons
from saas_app.text.translation import _

MARK_RETENTION: Final = timedelta(days=1)
"""How long the mark stays that makes the person's last tokens invalid. It needs their id."""

_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@]+")
_ALPHABET: Final = "abcdefghijkmnopqrstuvwxyz23456789"
_DELETED: Final[dict[Any, Any]] = {
    SessionRow: SessionRow.subject,  # with their tokens and shown secrets
    KeptFormRow: KeptFormRow.owner,
    DomainJoin: DomainJoin.user_id,
    FormerMembership: FormerMembership.user_id,
    Notification: Notification.user_id,
    RoleEnd: RoleEnd.user_id,
    LabClass: LabClass.teacher,
    LabClassMember: LabClassMember.subject,
    LabRun: LabRun.subject,
}
_IN_ACCESSES: Final = (
    (SupportAccess.member_id, SupportAccess.member_name),
    (SupportAccess.agent_id, SupportAccess.agent_name),
    (SupportAccess.ended_by, SupportAccess.ended_by_name),
)


@dataclass(frozen=True, slots=True)
class Erased:
    """A person who was erased. ``deleted`` and ``replaced`` count rows by table.

    ``is_marked``: their id stays in ``membership_changes`` for :data:`MARK_RETENTION`, and in the tables of
    the lab until its cleanup has deleted their practice organizations and role-play members at Logto.
    """

    pseudonym: str
    deleted: dict[str, int]
    replaced: dict[str, int]
    is_marked: bool


async def erase_person(work: UnitOfWork, user_id: str) -> Erased:
    """Erase a person whose account in Logto is deleted. Repeating it erases what came since.

    Raises :class:`ConfigurationError` while a change that names them is in progress.
    """
    organization_ids = await list_organization_ids(work)
    texts = await _list_own_texts(work, user_id)
    await _require_no_open_change(work, organization_ids, {user_id, *texts})
    pseudonym = await _begin(work, user_id)
    replaced: Counter[str] = Counter()
    deleted: Counter[str] = Counter()
    for organization_id in organization_ids:
        async with work.writing(organization_id) as db:
            await _erase_in(db, organization_id, user_id, pseudonym, texts, replaced, deleted)
    async with work.writing() as db:
        is_marked = await _erase_outside(db, user_id, pseudonym, replaced, deleted)
    return Erased(pseudonym, +deleted, +replaced, is_marked)


async def _list_own_texts(work: UnitOfWork, user_id: str) -> set[str]:
    """Return the stored name, username and email address of a person."""
    async with work.reading() as db:
        statement = sa.select(User.name, User.username, User.email).where(User.id == user_id)
        row = (await db.execute(statement)).one_or_none()
    return {text for text in row or () if text}


async def _require_no_open_change(work: UnitOfWork, organization_ids: list[str], texts: set[str]) -> None:
    """Check that no note names one of the texts, as a value in its JSON. Some notes cannot be decoded."""
    values = [json.dumps(text) for text in texts]
    stored = sa.select(sa.cast(PendingChange.entry, sa.Text), sa.cast(PendingChange.subjects, sa.Text))
    for organization_id in organization_ids:
        async with work.reading(organization_id) as db:
            notes = await db.execute(stored)
            if any(value in part for note in notes for part in note for value in values):
                raise ConfigurationError(
                    _(
                        "A change in the organization %(organization_id)s that names this person is not "
                        "complete. Run 'saas-app reconcile' first. Nothing was erased.",
                        organization_id=organization_id,
                    )
                )


async def _begin(work: UnitOfWork, user_id: str) -> str:
    """Return the person's pseudonym. The first time, make tokens invalid that they may still have."""
    key = hashlib.sha256(user_id.encode()).digest()
    now = utc_now()
    row = {"subject_hash": key, "pseudonym": _new_pseudonym(), "begun_at": now, "finished_at": None}
    async with work.writing() as db:
        if await insert_if_absent(db, Erasure, row, key=("subject_hash",)):
            gone = Moment(Moment.from_own_clock(now).earliest, UNTIL_FURTHER_NOTICE)
            await mark_changed(db, EVERYWHERE, [user_id], gone)
        pseudonym: str = await db.scalar(sa.select(Erasure.pseudonym).where(Erasure.subject_hash == key))
    return pseudonym


def _new_pseudonym() -> str:
    """Return a text as long as an id at Logto, so that it fits wherever the id does."""
    return PSEUDONYM + "".join(secrets.choice(_ALPHABET) for _ in range(5))


async def _erase_in(
    db: WritingSession,
    organization_id: str,
    user_id: str,
    pseudonym: str,
    own_texts: set[str],
    replaced: Counter[str],
    deleted: Counter[str],
) -> None:
    """Erase the person in the organization of a session, and record that if there was something."""
    counts: Counter[str] = Counter()
    names = own_texts | await list_names(db, user_id)
    emails = {form for name in names if _EMAIL.fullmatch(name) for form in (name, name.lower())}
    reasons = await list_reasons(db, user_id)
    redactions = redactions_of(user_id, pseudonym, names, emails, reasons)
    counts["audit_events"] = await redact(db, user_id, pseudonym, redactions)
    forgotten = await forget_member(db, organization_id, user_id)
    deleted[RoleEnd.__tablename__] += forgotten.pop(RoleEnd.__tablename__, 0)
    forgotten.pop(AccessRequest.__tablename__, None)  # counted below, with those that were closed before
    counts.update(forgotten)
    deleted[Notification.__tablename__] += await empty_texts(db, organization_id, user_id)
    at_company = sa.or_(SsoPerson.user_id == user_id, SsoPerson.company_subject.in_(emails))
    deleted[SsoPerson.__tablename__] += await _count(db, sa.delete(SsoPerson).where(at_company))
    for model in tenant_models():
        if model is not AuditEvent:
            counts[model.__tablename__] += await _replace_id(db, model, user_id, pseudonym)
    kept_responses = [IdempotencyKey.subject == user_id, *map(_is_in_response, (user_id, *emails))]
    gone = await _count(db, sa.delete(IdempotencyKey).where(sa.or_(*kept_responses)))
    deleted["idempotency_keys"] += gone
    if gone or any(counts.values()):
        target = Target("person", pseudonym, pseudonym)
        record(db, AuditEntry(SYSTEM, Action.PERSON_ERASE, target, after=dict(+counts)))
    replaced.update(counts)


def _is_in_response(text: str) -> sa.ColumnElement[bool]:
    return IdempotencyKey.body.contains(text, autoescape=True)


async def _erase_outside(
    db: WritingSession, user_id: str, pseudonym: str, replaced: Counter[str], deleted: Counter[str]
) -> bool:
    """Erase the person in all other tables. Returns whether the mark with their id stays."""
    for model, owner in _DELETED.items():
        deleted[model.__tablename__] += await _count(db, sa.delete(model).where(owner == user_id))
    for named in (EmailDomain, OrganizationRemoval, RoleEnd, SsoConnection):
        replaced[named.__tablename__] += await _replace_id(db, named, user_id, pseudonym)
    replaced["support_accesses"] += await _replace_in_accesses(db, user_id, pseudonym)
    # Without these rows, nobody would find the accounts at Logto that the lab has made for the person.
    await db.execute(sa.update(LabGround).where(LabGround.subject == user_id).values(used_at=_LONG_AGO))
    is_old = sa.or_(
        MembershipChange.organization_id != EVERYWHERE,
        MembershipChange.changed_at < utc_now() - MARK_RETENTION,
    )
    marks = sa.delete(MembershipChange).where(MembershipChange.subject == user_id)
    deleted["membership_changes"] += await _count(db, marks.where(is_old))
    deleted["users"] += await _count(db, sa.delete(User).where(User.id == user_id))
    key = hashlib.sha256(user_id.encode()).digest()
    await db.execute(sa.update(Erasure).where(Erasure.subject_hash == key).values(finished_at=utc_now()))
    return await _has_mark(db, user_id)


async def _replace_in_accesses(db: WritingSession, user_id: str, pseudonym: str) -> int:
    """Replace the person in support accesses: as the member, as the agent, and as who ended one.

    What others were told about an access names both people, so it is deleted.
    """
    count = 0
    named = sa.or_(*(who == user_id for who, _name in _IN_ACCESSES))
    ids = list(await db.scalars(sa.select(SupportAccess.id).where(named)))
    for kind in (NotificationKind.SUPPORT_STARTED, NotificationKind.SUPPORT_ENDED):
        causes = [cause_of_support(kind, access_id) for access_id in ids]
        await db.execute(sa.delete(Notification).where(Notification.cause.in_(causes)))
    for who, name in _IN_ACCESSES:
        values: dict[Any, Any] = {who: pseudonym, name: pseudonym, SupportAccess.reason: ""}
        count += await _count(db, sa.update(SupportAccess).where(who == user_id).values(values))
    return count


async def _has_mark(db: DatabaseSession, user_id: str) -> bool:
    mark = sa.select(MembershipChange.version).where(MembershipChange.subject == user_id)
    ground = sa.select(LabGround.subject).where(LabGround.subject == user_id)
    return await db.scalar(mark.limit(1)) is not None or await db.scalar(ground) is not None


async def _replace_id(db: WritingSession, model: type[Base], user_id: str, pseudonym: str) -> int:
    """Replace the person's id wherever it is the text of a column."""
    names = text_columns(model)
    if not names:
        return 0
    values = {
        name: sa.case((_is(model, name, user_id), pseudonym), else_=getattr(model, name)) for name in names
    }
    return await _count(db, sa.update(model).where(mentions(model, user_id)).values(values))


def _is(model: type[Base], name: str, text: str) -> sa.ColumnElement[bool]:
    is_it: sa.ColumnElement[bool] = getattr(model, name) == text
    return is_it


async def _count(db: DatabaseSession, statement: sa.Update | sa.Delete) -> int:
    """Run a change, and return the number of rows."""
    return cast("sa.CursorResult[object]", await db.execute(statement)).rowcount

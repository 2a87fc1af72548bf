"""Statements on the people of companies' providers, on errands, on what Logto can fetch, and on sign-ins."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, NamedTuple

import sqlalchemy as sa

from saas_app.db.base import new_uuid, utc_now
from saas_app.db.rows import changed
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.upsert import insert_if_absent, upsert
from saas_app.identity.vault import fingerprint
from saas_app.models import SignInAttemptRow, SsoPerson

_KEY: Final = ("organization_id", "company_subject")


class KnownPerson(NamedTuple):
    """A ``sub`` that was said before, and the account that Logto has linked to it, if that is known."""

    subject: str
    user_id: str | None


async def find_person(db: DatabaseSession, company_subject: str) -> KnownPerson | None:
    """Return what is known of a person at the provider. The session is bound to the organization."""
    statement = sa.select(SsoPerson.subject, SsoPerson.user_id).where(
        SsoPerson.company_subject == company_subject
    )
    row = (await db.execute(statement)).one_or_none()
    return None if row is None else KnownPerson(*row)


async def save_subject(db: WritingSession, organization_id: str, company_subject: str, subject: str) -> None:
    """Store the ``sub`` that is said of a person, in place of an earlier one."""
    its_own = SsoPerson.company_subject == company_subject
    renewed = sa.update(SsoPerson).where(its_own).values(subject=subject, user_id=None)
    if not await changed(db, renewed, SsoPerson.id):
        person = {"company_subject": company_subject, "subject": subject}
        row = {"organization_id": organization_id, "id": new_uuid(), **person}
        await insert_if_absent(db, SsoPerson, row, key=_KEY)


async def save_account(db: WritingSession, subject: str, user_id: str) -> None:
    """Store which account is linked to a ``sub``. The session is bound to the organization."""
    is_new = sa.and_(SsoPerson.subject == subject, SsoPerson.user_id.is_distinct_from(user_id))
    await db.execute(sa.update(SsoPerson).where(is_new).values(user_id=user_id))


async def keep(db: WritingSession, key: str, holder: str, sealed: bytes, lifetime: timedelta) -> None:
    """Store an encrypted value among the sign-ins in progress, and delete those that have expired."""
    now = utc_now()
    await db.execute(sa.delete(SignInAttemptRow).where(SignInAttemptRow.expires_at < now))
    db.add(
        SignInAttemptRow(
            state_hash=fingerprint(key),
            browser_hash=fingerprint(holder),
            payload=sealed,
            expires_at=now + lifetime,
        )
    )


async def replace(db: WritingSession, key: str, holder: str, sealed: bytes, lifetime: timedelta) -> None:
    """Store an encrypted value as :func:`keep` does, in place of an earlier one."""
    row = {
        "state_hash": fingerprint(key),
        "browser_hash": fingerprint(holder),
        "payload": sealed,
        "expires_at": utc_now() + lifetime,
    }
    await upsert(db, SignInAttemptRow, [row], key=("state_hash",))


async def find(db: DatabaseSession, key: str, holder: str) -> bytes | None:
    """Return an encrypted value of this holder, and keep it."""
    statement = sa.select(SignInAttemptRow.payload).where(_its_own(key, holder))
    sealed: bytes | None = await db.scalar(statement)
    return sealed


async def take(db: WritingSession, key: str, holder: str) -> bytes | None:
    """Return an encrypted value of this holder, and delete it."""
    taken = sa.delete(SignInAttemptRow).where(_its_own(key, holder))
    sealed: bytes | None = await db.scalar(taken.returning(SignInAttemptRow.payload))
    return sealed


def _its_own(key: str, holder: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        SignInAttemptRow.state_hash == fingerprint(key),
        SignInAttemptRow.browser_hash == fingerprint(holder),
        SignInAttemptRow.expires_at > utc_now(),
    )

"""Forms that wait while access is renewed, or while their sender signs in again.

Each form has a signed mark that names the person its page was made for. So a form whose session has ended
still has an owner, and only that person gets it back, in the browser that sent it. Stored forms are
encrypted, limited in size and number, and deleted after an hour.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

import sqlalchemy as sa

from saas_app.db import keys
from saas_app.db.base import utc_now
from saas_app.db.rows import changed
from saas_app.db.session import WritingSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.return_paths import KEPT_FORM
from saas_app.identity.vault import Vault, fingerprint, new_cookie_value
from saas_app.models import KeptFormRow

OWNER_FIELD: Final = "_owner"
"""The hidden field with the mark of the person that a page was made for."""

SECRET_FIELDS: Final = frozenset({"client_secret"})
"""Fields with a secret of somebody else. They are never stored, nor shown again. People type them again."""

LIFETIME: Final = timedelta(hours=1)
MAX_PER_PERSON: Final = 5
MAX_LENGTH: Final = 1_000_000  # characters of all names and values; a request body has the same limit

_PURPOSE: Final = "owner of a form"


@dataclass(frozen=True, slots=True)
class KeptForm:
    """The action and fields of a form. ``lost_files``: it had files, which are not stored."""

    action: str
    fields: tuple[tuple[str, str], ...]
    lost_files: bool = False

    @property
    def length(self) -> int:
        return len(self.action) + sum(len(name) + len(value) for name, value in self.fields)


@dataclass(frozen=True, slots=True)
class FoundForm:
    """A stored form. ``is_new``: it was not shown before, so it cannot have been sent again yet."""

    form: KeptForm
    is_new: bool


class KeptForms:
    """Stores forms, encrypted."""

    def __init__(self, work: UnitOfWork, vault: Vault) -> None:
        self._work = work
        self._vault = vault

    def mark(self, subject: str) -> str:
        """Return the mark for the forms of pages that are made for this person."""
        return self._vault.stamp(_PURPOSE, subject)

    def owner_of(self, mark: str) -> str | None:
        """Return the subject that a mark names, or None if the mark was not made here."""
        return self._vault.read_stamped(_PURPOSE, mark)

    async def keep(self, owner: str, browser_cookie: str, form: KeptForm) -> str | None:
        """Store a form for its owner, and return the path to it, or None if the form is too long."""
        if form.length > MAX_LENGTH:
            return None
        handle, now = new_cookie_value(), utc_now()
        content = json.dumps([form.action, form.fields, form.lost_files])
        row = KeptFormRow(
            handle_hash=fingerprint(handle),
            browser_hash=fingerprint(browser_cookie),
            owner=owner,
            payload=self._vault.seal(content),
            kept_at=now,
            expires_at=now + LIFETIME,
        )
        async with self._work.writing(key=keys.of_person(owner)) as db:
            await db.execute(sa.delete(KeptFormRow).where(KeptFormRow.expires_at < now))
            db.add(row)
            await db.flush()
            await _delete_oldest(db, owner)
        return f"{KEPT_FORM}?{urlencode({'form': handle})}"

    async def find(self, handle: str, browser_cookie: str, subject: str) -> FoundForm | None:
        """Return the form of a handle to its owner, in the browser that sent it, or None."""
        its_own = sa.and_(
            KeptFormRow.handle_hash == fingerprint(handle),
            KeptFormRow.browser_hash == fingerprint(browser_cookie),
            KeptFormRow.owner == subject,
            KeptFormRow.expires_at > utc_now(),
        )
        first = sa.update(KeptFormRow).where(its_own, KeptFormRow.shown_at.is_(None))
        async with self._work.writing(key=keys.of_person(subject)) as db:
            is_new = await changed(db, first.values(shown_at=utc_now()), KeptFormRow.handle_hash)
            sealed = await db.scalar(sa.select(KeptFormRow.payload).where(its_own))
        if sealed is None:
            return None
        action, fields, lost_files = json.loads(self._vault.open(sealed))
        form = KeptForm(action, tuple((name, value) for name, value in fields), lost_files)
        return FoundForm(form, is_new=is_new)


def without_marks(fields: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the fields without secrets, and without our own, whose names begin with an underscore."""
    return tuple((name, value) for name, value in without_secrets(fields) if not name.startswith("_"))


def without_secrets(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the fields that a page may contain again, in hidden fields or in plain sight."""
    return [(name, value) for name, value in fields if name not in SECRET_FIELDS]


async def _delete_oldest(db: WritingSession, owner: str) -> None:
    of_owner = sa.select(KeptFormRow.handle_hash).where(KeptFormRow.owner == owner)
    older = of_owner.order_by(KeptFormRow.kept_at.desc(), KeptFormRow.handle_hash).offset(MAX_PER_PERSON)
    too_many = list(await db.scalars(older))
    if too_many:
        await db.execute(sa.delete(KeptFormRow).where(KeptFormRow.handle_hash.in_(too_many)))

"""How a person wants to see pages: language, time zone and theme. And whether they want emails.

They are stored with the person. Each of their browsers has a copy of the first three in cookies, which
requests read (:mod:`saas_app.web.reader`). Signing in and saving bring the copy up to date.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from saas_app.db import keys
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.models import User

AUTOMATIC: Final = ""
"""A choice: what the browser says."""

NO_EMAILS: Final = ""
"""A choice: no emails about memberships."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """A person's choices. None: never chosen, so a browser keeps what was chosen there before a sign-in.

    ``email_language`` is the language of emails about memberships if ``language`` is automatic; with
    :data:`NO_EMAILS` or None, there are none.
    """

    language: str | None = None
    zone: str | None = None
    theme: str | None = None
    email_language: str | None = None


_FIND: Final = sa.select(User.language, User.zone, User.theme, User.email_language).where(
    User.id == sa.bindparam("subject")
)
_SAVE: Final = sa.update(User).where(User.id == sa.bindparam("subject"))


class PreferenceStore:
    """Finds and saves preferences."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    async def find(self, subject: str) -> Preferences:
        """Return a person's preferences."""
        async with self._work.reading(key=keys.of_person(subject)) as db:
            row = (await db.execute(_FIND, {"subject": subject})).one_or_none()
        return Preferences(*row) if row is not None else Preferences()

    async def save(self, subject: str, wanted: Preferences) -> None:
        """Store the choices that are not None, and keep the others."""
        chosen = {
            column: value
            for column, value in (
                (User.language, wanted.language),
                (User.zone, wanted.zone),
                (User.theme, wanted.theme),
                (User.email_language, wanted.email_language),
            )
            if value is not None
        }
        async with self._work.writing(key=keys.of_person(subject)) as db:
            await db.execute(_SAVE.values(chosen), {"subject": subject})

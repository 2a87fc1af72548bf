"""The background worker that deletes practice organizations that are no longer used, and old classes.

It also finds what Logto made just before a crash: an organization with our mark that no ground names.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from saas_app.coordination.background import in_background
from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import Busy, LogtoUnavailable
from saas_app.lab import queries
from saas_app.lab.changes.grounds import remove_ground, remove_organization
from saas_app.lab.classes.changes import delete_expired_classes
from saas_app.lab.systems import LabSystems
from saas_app.lab.values import MARK
from saas_app.logto import ManagementError, OrganizationInfo

log = structlog.get_logger(__name__)

UNUSED: Final = timedelta(days=14)
"""How long a ground stays after its learner last used it."""

_LOST: Final = timedelta(hours=1)  # an organization of a ground that is being made is younger
_FIRST: Final = 300.0  # seconds before the first run, so that a start does not wait for Logto
_INTERVAL: Final = 6 * 3600.0  # seconds between two runs


async def remove_unused(lab: LabSystems, jobs: UnitOfWork, now: datetime) -> int:
    """Delete the grounds that were not used for :data:`UNUSED`, and return how many.

    One that fails waits for the next run. ``jobs`` sees the grounds of all people.
    """
    since = now - UNUSED
    async with jobs.reading() as db:
        subjects = await queries.list_grounds_unused_since(db, since)
    removed = 0
    for subject in subjects:
        try:
            removed += await remove_ground(lab, subject, unused_since=since)  # unless it is used by now
        except Exception:  # one that cannot be removed must not keep the others
            log.warning("a practice organization cannot be removed now", exc_info=True)
    return removed


async def remove_lost(lab: LabSystems, jobs: UnitOfWork, now: datetime) -> int:
    """Delete organizations at Logto with our mark that no ground names. Returns how many.

    Those of other installations at the same Logto stay.
    """
    async with jobs.reading() as db:
        known = await queries.list_organization_ids(db)
    found = [one for one in await lab.management.list_organizations() if one.id not in known]
    lost = [one for one in found if _was_made_before(one, lab.redirect_uri, now - _LOST)]
    for organization in lost:
        await remove_organization(lab, organization.id, organization.custom_data[MARK]["learner"])
    return len(lost)


class LabCleaner:
    """Cleans up every few hours while the application runs.

    While the lab is off, grounds from before are deleted too once they are old enough. Logto is asked for
    nothing else then.
    """

    def __init__(
        self, lab: LabSystems, jobs: UnitOfWork, *, is_on: bool = True, interval: float = _INTERVAL
    ) -> None:
        self._lab = lab
        self._jobs = jobs
        self._is_on = is_on
        self._interval = interval

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run during the block, and stop with it."""
        return in_background(self._run)

    async def _run(self) -> None:
        await asyncio.sleep(min(_FIRST, self._interval))
        while True:
            await self.clean()
            await asyncio.sleep(self._interval)

    async def clean(self) -> None:
        """Delete what is no longer used. A failure is logged, and retried in the next run."""
        try:
            now = utc_now()
            await delete_expired_classes(self._jobs)
            await remove_unused(self._lab, self._jobs, now)
            if self._is_on:
                await remove_lost(self._lab, self._jobs, now)
        except (Busy, LogtoUnavailable, ManagementError) as error:
            log.warning("cleaning up the lab failed, and is retried later", reason=str(error))
        except Exception:
            log.exception("cleaning up the lab failed, and is retried later")


def _was_made_before(organization: OrganizationInfo, application: str, moment: datetime) -> bool:
    """Return whether an organization has the mark of this installation, with an earlier time."""
    mark: Any = organization.custom_data.get(MARK)
    if not isinstance(mark, dict) or mark.get("application") != application:
        return False
    try:
        return isinstance(mark["learner"], str) and datetime.fromisoformat(mark["createdAt"]) < moment
    except (KeyError, TypeError, ValueError):
        return False

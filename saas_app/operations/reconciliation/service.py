"""Reconciling: Logto is read again, and what we believed otherwise is repaired. Safe to run at any time.

Logto delivers a webhook once and tells nothing of a change of roles, so beliefs can be wrong for as long as
a cached token lives. And a crash between Logto and our database leaves the note of a change without its end
(:mod:`saas_app.audit.changes`). Nobody is given or denied a role here: tokens become stale, names are
corrected, and the audit trail is told what is true. Email domains that are not verified, or no longer
proved, stop letting people join (:mod:`saas_app.email_domains.rechecks`).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.audit.recorder import SYSTEM, Action, AuditEntry, Target, record
from saas_app.changes import notes
from saas_app.coordination.jobs import Failure
from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.email_domains.rechecks import DomainChecks
from saas_app.errors import Busy, ConfigurationError, LogtoUnavailable, NotFound
from saas_app.identity.directory import organization_row, user_row
from saas_app.identity.membership_changes import mark_changed
from saas_app.logto import ManagementClient, OrganizationInfo
from saas_app.logto.provider_clock import Moment
from saas_app.models import EVERYONE
from saas_app.operations.reconciliation import queries
from saas_app.operations.reconciliation.truth import Truth, find_organization, outcome_of, read_truth
from saas_app.organizations.changes.creation import was_cut_off
from saas_app.organizations.removal import remove_pending, request_removal
from saas_app.rbac.permissions import Permission, permissions_of

log = structlog.get_logger(__name__)

LEFT_OVER_AFTER: Final = timedelta(minutes=1)
"""A change takes seconds; what was begun earlier than this was cut off."""

_MOST_UNANSWERED: Final = 3  # organizations in a row for which Logto does not answer: then it is down


@dataclass(frozen=True, slots=True)
class Repair:
    """One thing that was put right; or, where ``changed`` is False, one that an operator should know."""

    organization_id: str
    what: str
    changed: bool = True


async def require_own_application(client: ManagementClient, app_id: str) -> None:
    """Raises :class:`ConfigurationError` when this Logto is not the one we are provisioned in.

    Before another Logto every organization would look deleted, and its data would be removed.
    """
    if not app_id or await client.find_application(app_id) is None:
        raise ConfigurationError(
            f"This Logto does not have the application LOGTO_APP_ID={app_id}: check LOGTO_ENDPOINT."
        )


class Reconciler:
    """Compares what we believe with what Logto says, one organization at a time."""

    def __init__(self, work: UnitOfWork, client: ManagementClient, domains: DomainChecks) -> None:
        self._work = work
        self._client = client
        self._domains = domains

    async def run(self, organization_id: str | None = None) -> AsyncIterator[Repair | Failure]:
        """Repair one organization or all, then go on with removals that were ordered.

        What cannot be repaired is told as a :class:`Failure`, and the next is looked at. Raises
        :class:`NotFound` for one that neither Logto nor we know, :class:`ConfigurationError` when this Logto
        knows none of ours, and :class:`LogtoUnavailable` when it does not answer.
        """
        async with self._work.reading() as db:
            known = await queries.list_known_organizations(db)
        ids = await self._to_visit(known) if organization_id is None else [organization_id]
        if organization_id is not None and organization_id not in known:
            await self._require_known_to_logto(organization_id)
        unanswered = 0
        for visited in ids:
            try:
                for found in await self._reconcile(visited, known.get(visited)):
                    yield found
                unanswered = 0
            except Exception as error:
                unanswered = unanswered + 1 if isinstance(error, LogtoUnavailable) else 0
                if unanswered == min(_MOST_UNANSWERED, len(ids)):
                    raise
                log.warning("an organization cannot be reconciled", organization_id=visited, exc_info=True)
                yield Failure.of(visited, error)
        removed = await remove_pending(self._work)
        if removed.finished:
            yield Repair("", f"removed the data of {removed.finished} deleted organizations")
        for failure in removed.failed:
            yield failure

    async def _require_known_to_logto(self, organization_id: str) -> None:
        if await find_organization(self._client, organization_id) is None:
            raise NotFound(f"The organization {organization_id} exists neither in Logto nor in Workroom.")

    async def _to_visit(self, known: dict[str, str]) -> list[str]:
        there = [organization.id for organization in await self._client.list_organizations()]
        if known and not known.keys() & set(there):
            raise ConfigurationError(
                f"This Logto has none of the {len(known)} organizations in this database. "
                "Nothing was changed. Check DATABASE_URL. To remove an organization that "
                "was deleted, name it with --organization."
            )
        return list(dict.fromkeys([*there, *known]))

    async def _reconcile(self, organization_id: str, known_as: str | None) -> list[Repair | Failure]:
        truth = await read_truth(self._client, organization_id)
        repairs: list[str] = []
        if truth.info is not None and await self._was_cut_off(truth, truth.info):
            await self._client.delete_organization(organization_id)
            known_as = truth.info.name
            repairs += [f"the creation of '{known_as}' was cut off before anybody could use it"]
            truth = replace(truth, info=None, people={}, role_names={})
        if truth.info is not None:
            repairs += await self._repair(truth, truth.info)
        elif known_as is not None:
            repairs += await self._remove(truth, known_as)
        else:
            return []  # made and deleted there since the list was read
        done = [*(Repair(organization_id, what) for what in repairs), *await self._close(truth)]
        return done if truth.info is None else [*done, *await self._check_domains(truth)]

    async def _was_cut_off(self, truth: Truth, info: OrganizationInfo) -> bool:
        """Whether a creation here left it behind. Its trail would have begun together with it."""
        if not was_cut_off(info, truth.role_names, LEFT_OVER_AFTER):
            return False
        async with self._work.reading(truth.organization_id) as db:
            return not await queries.has_begun(db)

    async def _check_domains(self, truth: Truth) -> list[Repair]:
        """Let email domains count only while they are proved. A busy organization has its turn next time."""
        stewards = [
            person
            for person in truth.people.values()
            if Permission.ORGANIZATION_UPDATE in permissions_of(truth.role_names[person.id])
        ]
        try:
            news = await self._domains.run(truth.organization_id, stewards)
        except Busy:
            return [
                Repair(
                    truth.organization_id,
                    "its email domains were not checked, because they are being changed",
                    False,
                )
            ]
        return [Repair(truth.organization_id, item.what, item.changed) for item in news]

    async def _remove(self, truth: Truth, known_as: str) -> list[str]:
        async with self._work.writing(truth.organization_id) as db:
            await mark_changed(db, truth.organization_id, [EVERYONE], self._now())
            await request_removal(db, truth.organization_id, known_as, SYSTEM.id)
        return [f"'{known_as}' was deleted in Logto: its data is being removed"]

    async def _repair(self, truth: Truth, info: OrganizationInfo) -> list[str]:
        """Names and memberships, in one transaction with the event that tells it."""
        repairs = []
        async with self._work.writing(truth.organization_id) as db:
            row = organization_row({"id": info.id, "name": info.name, "description": info.description})
            if await queries.write_organization(db, row):
                repairs.append(f"renamed to '{info.name}'")
            people = await queries.write_users(db, [user_row(person) for person in truth.people.values()])
            if people:
                repairs.append(f"{len(people)} names or email addresses")
            wrong = await self._wrongly_believed(db, truth)
            if wrong:
                await mark_changed(db, truth.organization_id, wrong, self._now())
                repairs.append(f"refreshed at the next request: {', '.join(wrong)}")
                target = Target("organization", info.id, info.name)
                record(db, AuditEntry(SYSTEM, Action.RECONCILE, target, after={"members": wrong}))
        return repairs

    def _now(self) -> Moment | None:
        """By Logto's clock: tokens issued before what is read now are older than the change that it shows."""
        now = time.monotonic()
        return self._client.clock.between(now, now)

    async def _wrongly_believed(self, db: AsyncSession, truth: Truth) -> list[str]:
        beliefs = await queries.list_beliefs(db, truth.organization_id, truth.read_at)
        return sorted(
            {
                belief.subject
                for belief in beliefs
                if belief.role_names is None
                or not truth.agrees(belief.subject, belief.role_names, belief.refusal)
            }
        )

    async def _close(self, truth: Truth) -> list[Repair | Failure]:
        """End what a crash left open: the event says what was wanted, and what is true now."""
        async with self._work.reading(truth.organization_id) as db:
            note_ids = await notes.list_note_ids(db, utc_now() - LEFT_OVER_AFTER)
        found: list[Repair | Failure] = []
        for note_id in note_ids:
            try:
                what = await self._close_one(truth, note_id)
            except LogtoUnavailable:
                raise
            except Exception as error:
                log.warning("the note of a change cannot be closed", note=str(note_id), exc_info=True)
                found.append(Failure.of(f"{truth.organization_id}: the note {note_id} of a change", error))
            else:
                found += [Repair(truth.organization_id, what)] if what else []
        return found

    async def _close_one(self, truth: Truth, note_id: uuid.UUID) -> str | None:
        async with self._work.reading(truth.organization_id) as db:
            note = await notes.find_note(db, note_id)
        if note is None:
            return None
        entry = AuditEntry.from_json(note.entry)
        true_now = await outcome_of(self._client, truth, entry, note.subjects)
        after = {**true_now, "recovered": True, "wanted": entry.after}
        async with self._work.writing(truth.organization_id) as db:
            if not await notes.close_note(db, note_id):
                return None
            await mark_changed(db, truth.organization_id, note.subjects, self._now())
            record(db, replace(entry, after=after))
        return (
            f"{entry.action} of {entry.target.name}, started {note.started_at:%Y-%m-%d %H:%M}, "
            "was interrupted"
        )

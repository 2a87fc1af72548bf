"""Reconciliation: reads Logto and repairs what differs here. Safe to run at any time.

Logto sends each webhook once, and none for roles changed in its Console, so a cached token can be wrong until
it expires. A crash between Logto and our database leaves the note of a change open
(:mod:`saas_app.changes.notes`). This module marks tokens as stale, corrects names, and records the outcome in
the audit log. It takes no roles away but those that have ended (:mod:`.roles`). Email domains that are not
verified, or no longer proved, stop letting people join (:mod:`saas_app.email_domains.rechecks`). Connectors
of single sign-on get the state that is stored here (:mod:`saas_app.single_sign_on.rechecks`).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import structlog

from saas_app.access_requests.changes import complete_approval
from saas_app.audit.recorder import SYSTEM, Action, AuditEntry, Target, record
from saas_app.changes import notes
from saas_app.changes.organization_change import Systems
from saas_app.coordination.idempotency import delete_expired_keys
from saas_app.coordination.jobs import Failure
from saas_app.db.base import utc_now
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.email_domains.rechecks import DomainChecks
from saas_app.errors import AppError, Busy, ConfigurationError, LogtoUnavailable, NotFound
from saas_app.identity.directory import row_of_organization, user_row
from saas_app.identity.former_members import note_removed_elsewhere
from saas_app.identity.membership_changes import mark_changed
from saas_app.identity.named_members import forget_member, list_named
from saas_app.logto import ManagementClient, ManagementError, OrganizationInfo
from saas_app.logto.provider_clock import Moment
from saas_app.models import EVERYONE
from saas_app.notifications.recorder import notify_of_change, notify_of_removal, notify_of_roles
from saas_app.operations.reconciliation import queries
from saas_app.operations.reconciliation.logto_state import (
    OF_SINGLE_SIGN_ON,
    LogtoState,
    outcome_of,
    read_state,
)
from saas_app.operations.reconciliation.roles import end_roles, forget_unheld
from saas_app.organizations.changes.creation import was_cut_off
from saas_app.organizations.removal import remove_pending, request_removal
from saas_app.rbac.permissions import Permission, permissions_of
from saas_app.single_sign_on.queries import find_connection
from saas_app.single_sign_on.rechecks import SsoChecks
from saas_app.text.translation import Sentence, _

log = structlog.get_logger(__name__)

LEFT_OVER_AFTER: Final = timedelta(minutes=1)
"""A change takes seconds. One that began longer ago was interrupted."""

_MAX_FAILURES: Final = 3  # organizations in a row for which Logto does not respond; then it is down


@dataclass(frozen=True, slots=True)
class Repair:
    """One repair or, if ``changed`` is False, a message for the operator."""

    organization_id: str
    what: Sentence
    changed: bool = True


class Reconciler:
    """Compares Workroom with Logto, one organization at a time."""

    def __init__(
        self,
        work: UnitOfWork,
        client: ManagementClient,
        domains: DomainChecks,
        single_sign_on: SsoChecks | None = None,
    ) -> None:
        """``single_sign_on`` is None while it is not offered."""
        self._work = work
        self._client = client
        self._domains = domains
        self._single_sign_on = single_sign_on

    async def run(self, organization_id: str | None = None) -> AsyncIterator[Repair | Failure]:
        """Repair one organization, or all if it is None. Then continue removals that were requested.

        If an organization cannot be repaired, yields a :class:`Failure` and continues. Raises
        :class:`NotFound` for an unknown organization, :class:`ConfigurationError` if this Logto has none of
        the organizations in the database, and :class:`LogtoUnavailable` if it does not respond.
        """
        async with self._work.reading() as db:
            known = await queries.list_known_organizations(db)
        ids = await self._list_ids_to_check(known) if organization_id is None else [organization_id]
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
                if unanswered == min(_MAX_FAILURES, len(ids)):
                    raise
                log.warning("an organization cannot be reconciled", organization_id=visited, exc_info=True)
                yield Failure.of(visited, error)
        if organization_id is None:
            for found in await self._list_stray_connectors():
                yield found
        removed = await remove_pending(self._work, self._client)
        if removed.finished:
            yield Repair(
                "", _("removed the data of %(finished)s deleted organizations", finished=removed.finished)
            )
        for failure in removed.failed:
            yield failure

    async def _require_known_to_logto(self, organization_id: str) -> None:
        if await self._client.find_organization(organization_id) is None:
            raise NotFound(
                _(
                    "The organization %(organization_id)s exists neither in Logto nor in Workroom.",
                    organization_id=organization_id,
                )
            )

    async def _list_ids_to_check(self, known: dict[str, str]) -> list[str]:
        there = [organization.id for organization in await self._client.list_organizations()]
        if known and not known.keys() & set(there):
            raise ConfigurationError(
                _(
                    "This Logto has none of the %(known)s organizations in this database. Nothing was "
                    "changed. Check DATABASE_URL. To remove an organization that was deleted, name it "
                    "with --organization.",
                    known=len(known),
                )
            )
        return list(dict.fromkeys([*there, *known]))

    async def _reconcile(self, organization_id: str, known_as: str | None) -> list[Repair | Failure]:
        systems = Systems(self._work, self._client, None)
        repairs = await end_roles(systems, organization_id)
        state = await read_state(self._client, organization_id)
        if state.info is not None and await self._was_cut_off(state, state.info):
            await self._client.delete_organization(organization_id)
            known_as = state.info.name
            repairs += [
                _("the creation of '%(known_as)s' was interrupted, so it was deleted", known_as=known_as)
            ]
            state = replace(state, info=None, people={}, role_names={})
        if state.info is not None:
            repairs += await self._repair(state, state.info)
            repairs += await forget_unheld(systems, state, self._now())
        elif known_as is not None:
            repairs += await self._remove(state, known_as)
        else:
            return []  # created and deleted there since the list was read
        done = [*(Repair(organization_id, what) for what in repairs), *await self._close(state)]
        if state.info is None:
            return done
        done += await self._check_domains(state)
        return [*done, *await self._check_single_sign_on(state)]

    async def _was_cut_off(self, state: LogtoState, info: OrganizationInfo) -> bool:
        """Return whether the organization's creation was interrupted. A complete one is in the audit log."""
        if not was_cut_off(info, state.role_names, LEFT_OVER_AFTER):
            return False
        async with self._work.reading(state.organization_id) as db:
            return not await queries.has_creation_entry(db)

    async def _check_single_sign_on(self, state: LogtoState) -> list[Repair | Failure]:
        """Check the connection to the identity provider.

        If Logto does not respond, that may be the fault of this company's provider, for which it waits. So
        the other organizations are still reconciled.
        """
        if self._single_sign_on is None:
            return []
        try:
            news = await self._single_sign_on.run(state.organization_id)
        except Busy:
            what = _("its single sign-on was not checked, because it is being changed")
            return [Repair(state.organization_id, what, changed=False)]
        except AppError as error:
            log.warning(
                "single sign-on cannot be checked", organization_id=state.organization_id, exc_info=True
            )
            name = _("%(organization_id)s: its single sign-on", organization_id=state.organization_id)
            return [Failure.of(name, error)]
        return [Repair(state.organization_id, item.what, item.changed) for item in news]

    async def _list_stray_connectors(self) -> list[Repair | Failure]:
        """Report connectors that no organization has. Logto asks all their providers, and one may hang."""
        if self._single_sign_on is None:
            return []
        try:
            news = await self._single_sign_on.list_strays()
        except (LogtoUnavailable, ManagementError) as error:
            log.warning("the connectors of single sign-on cannot be listed", exc_info=True)
            return [Failure.of(_("the list of connectors"), error)]
        return [Repair("", item.what, item.changed) for item in news]

    async def _check_domains(self, state: LogtoState) -> list[Repair]:
        """Check the email domains. An organization whose domains are being changed is checked next time."""
        stewards = [
            person
            for person in state.people.values()
            if Permission.ORGANIZATION_UPDATE in permissions_of(state.role_names[person.id])
        ]
        try:
            news = await self._domains.run(state.organization_id, stewards)
        except Busy:
            return [
                Repair(
                    state.organization_id,
                    _("its email domains were not checked, because they are being changed"),
                    False,
                )
            ]
        return [Repair(state.organization_id, item.what, item.changed) for item in news]

    async def _remove(self, state: LogtoState, known_as: str) -> list[Sentence]:
        async with self._work.writing(state.organization_id) as db:
            await mark_changed(db, state.organization_id, [EVERYONE], self._now())
            await request_removal(db, state.organization_id, known_as, SYSTEM.id)
        return [_("'%(known_as)s' was deleted in Logto: its data is being removed", known_as=known_as)]

    async def _repair(self, state: LogtoState, info: OrganizationInfo) -> list[Sentence]:
        """Repair names and memberships, in one transaction with the audit-log entry.

        Keys of repeatable requests that have expired are deleted too, because an organization whose programs
        send no more of them would keep them.
        """
        repairs = []
        asked_at = utc_now()
        gone = await self._list_named_strangers(state)
        async with self._work.writing(state.organization_id) as db:
            await delete_expired_keys(db)
            for user_id in gone:
                await forget_member(db, state.organization_id, user_id, asked_at)
            if gone:
                await mark_changed(db, state.organization_id, gone, self._now())
                repairs.append(_("tasks of former members: %(people)s", people=", ".join(gone)))
            written = await queries.write_organization(db, row_of_organization(info))
            if written & {"name", "description"}:
                repairs.append(_("renamed to '%(name)s'", name=info.name))
            elif written:
                repairs.append(_("logo and color of '%(name)s'", name=info.name))
            people = await queries.write_users(db, [user_row(person) for person in state.people.values()])
            if people:
                repairs.append(_("%(people)s names or email addresses", people=len(people)))
            outdated = await self._list_outdated_subjects(db, state)
            if outdated:
                await mark_changed(db, state.organization_id, outdated, self._now())
                await self._notify(db, state, outdated)
                repairs.append(_("refreshed at the next request: %(outdated)s", outdated=", ".join(outdated)))
                target = Target("organization", info.id, info.name)
                record(db, AuditEntry(SYSTEM, Action.RECONCILE, target, after={"members": outdated}))
        return repairs

    async def _notify(self, db: WritingSession, state: LogtoState, outdated: list[str]) -> None:
        """Tell people which roles they have now, or that they were removed."""
        organization_id = state.organization_id
        cause = f"found {state.read_at.isoformat()} {organization_id}"
        for subject in outdated:
            if subject in state.role_names:
                roles = sorted(state.role_names[subject])
                await notify_of_roles(db, organization_id, subject, roles, cause)
            elif await note_removed_elsewhere(db, organization_id, subject, state.read_at):
                await notify_of_removal(db, organization_id, subject, cause)

    def _now(self) -> Moment | None:
        """Return the time at Logto. Tokens issued earlier are older than the changes that were just found."""
        now = time.monotonic()
        return self._client.clock.between(now, now)

    async def _list_named_strangers(self, state: LogtoState) -> list[str]:
        """Return those whom rows name as members, but who are none. Some may have joined since ``state``."""
        async with self._work.reading(state.organization_id) as db:
            unknown = sorted(await list_named(db, state.organization_id) - state.people.keys())
        return [
            user_id
            for user_id in unknown
            if await self._client.find_member_roles(state.organization_id, user_id) is None
        ]

    async def _list_outdated_subjects(self, db: DatabaseSession, state: LogtoState) -> list[str]:
        cached = await queries.list_cached_memberships(db, state.organization_id, state.read_at)
        return sorted(
            {
                membership.subject
                for membership in cached
                if membership.role_names is None
                or not state.agrees(membership.subject, membership.role_names, membership.refusal)
            }
        )

    async def _close(self, state: LogtoState) -> list[Repair | Failure]:
        """Close the notes of interrupted changes. Their entries record what was wanted and the state now."""
        async with self._work.reading(state.organization_id) as db:
            note_ids = await notes.list_note_ids(db, utc_now() - LEFT_OVER_AFTER)
        found: list[Repair | Failure] = []
        for note_id in note_ids:
            try:
                what = await self._close_one(state, note_id)
            except LogtoUnavailable:
                raise
            except Exception as error:
                log.warning("the note of a change cannot be closed", note=str(note_id), exc_info=True)
                found.append(
                    Failure.of(
                        _(
                            "%(organization_id)s: the note %(note_id)s of a change",
                            organization_id=state.organization_id,
                            note_id=str(note_id),
                        ),
                        error,
                    )
                )
            else:
                found += [Repair(state.organization_id, what)] if what else []
        return found

    async def _close_one(self, state: LogtoState, note_id: uuid.UUID) -> Sentence | None:
        async with self._work.reading(state.organization_id) as db:
            note = await notes.find_note(db, note_id)
        if note is None:
            return None
        entry = AuditEntry.from_json(note.entry)
        if entry.action in OF_SINGLE_SIGN_ON and state.info is not None:
            outcome = await self._stored_single_sign_on(state.organization_id)
        else:
            outcome = await outcome_of(self._client, state, entry, note.subjects)
        after = {**outcome, "recovered": True, "wanted": entry.after}
        async with self._work.writing(state.organization_id) as db:
            if not await notes.close_note(db, note_id):
                return None
            await mark_changed(db, state.organization_id, note.subjects, self._now())
            record(db, replace(entry, after=after))
            if entry.target.id in outcome.get("members", {}):
                roles = outcome["members"][entry.target.id]
                await complete_approval(db, state.organization_id, entry, roles or ())
                await notify_of_change(db, state.organization_id, entry, roles, f"change {note_id}")
        return _(
            "%(action)s of %(name)s, started %(started_at)s, was interrupted",
            action=entry.action,
            name=entry.target.name,
            started_at=note.started_at.strftime("%Y-%m-%d %H:%M"),
        )

    async def _stored_single_sign_on(self, organization_id: str) -> dict[str, Any]:
        """Return how far single sign-on is set up here, for the entry of an interrupted change of it."""
        async with self._work.reading(organization_id) as db:
            connection = await find_connection(db, organization_id)
        return {"single_sign_on": None if connection is None else connection.stage.value}

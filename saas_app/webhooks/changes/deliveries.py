"""Handles Logto's webhooks: changes made in Logto's Console or by another program.

An event is a hint that something changed: it makes tokens stale, and the next request asks Logto. An event
never grants anything. Each is processed once, in one transaction with the note of it. Logto 1.42 sends an
event only once; ``saas-app reconcile`` finds those that never arrived. Signatures are checked before, in
:mod:`saas_app.webhooks.api`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from saas_app.audit.recorder import LOGTO
from saas_app.db import keys
from saas_app.db.base import utc_now
from saas_app.db.keys import Key
from saas_app.db.session import WritingSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import BadRequest
from saas_app.identity.claims import is_id
from saas_app.identity.directory import organization_row, user_values
from saas_app.identity.former_members import note_removed_elsewhere
from saas_app.identity.membership_changes import (
    UNTIL_FURTHER_NOTICE,
    end_open_change,
    mark_added,
    mark_changed,
)
from saas_app.logto.provider_clock import LEEWAY, Moment
from saas_app.models import EVERYONE, EVERYWHERE
from saas_app.notifications.recorder import notify_of_removal
from saas_app.organizations.removal import request_removal
from saas_app.text.translation import _
from saas_app.webhooks import queries
from saas_app.webhooks.bodies import ROUTES_WITH_A_USER, Event, read_event
from saas_app.webhooks.events import WebhookEvent

log = structlog.get_logger(__name__)

RETENTION: Final = timedelta(days=7)
"""How long a delivery is remembered. A delivery that claims to be older is a replay, and is ignored."""

_MAX_AHEAD: Final = timedelta(hours=1)
"""How far Logto's clock may be ahead of ours. Webhooks from later than that are rejected."""

_LONGEST_CALL: Final = 10  # seconds a call at Logto may take before its event is stamped
_MAX_NAMED: Final = 200  # members an event may name; beyond that, everyone's tokens become stale


async def receive(work: UnitOfWork, content: bytes) -> str | None:
    """Process a delivery whose signature was checked, and return the event's name.

    Returns None if there is nothing to do, for a repeated, unknown or outdated event. Raises
    :class:`BadRequest` if the delivery cannot be read.
    """
    event, now = read_event(content), utc_now()
    if event.created_at > now + _MAX_AHEAD:
        log.warning("webhook from the future", event_name=event.name, created_at=event.created_at.isoformat())
        raise BadRequest(_("The webhook's time is in the future."))
    handler = _HANDLERS.get(event.name)
    if handler is None or event.created_at < now - RETENTION:
        log.info("webhook ignored", event_name=event.name[:64], created_at=event.created_at.isoformat())
        return None
    digest = hashlib.sha256(content).digest()
    about = handler.find_id(event)
    async with work.writing(handler.organization(about), key=handler.key(about)) as db:
        if not await note_delivery(db, digest):
            return None
        if about is None:
            log.warning("webhook names neither an organization nor a user", event_name=event.name)
        else:
            await handler.handle(db, event, about)
    log.info("webhook processed", event_name=event.name)
    return event.name


async def note_delivery(db: WritingSession, digest: bytes) -> bool:
    """Record a delivery and delete old records. Returns False if the delivery was received before."""
    now = utc_now()
    await queries.delete_deliveries(db, now - RETENTION)
    return await queries.add_delivery(db, digest, now)


def moment_of(event: Event) -> Moment:
    """Return when the change was made, by Logto's clock, which stamps the event.

    A time further ahead than token checks accept counts as the latest time they accept.
    """
    latest = min(event.created_at.timestamp(), utc_now().timestamp() + LEEWAY)
    return Moment(math.floor(latest) - _LONGEST_CALL, math.floor(latest))


async def _membership_updated(db: WritingSession, event: Event, organization_id: str) -> None:
    """Make tokens of changed members stale.

    ``params.id`` may be an invitation's id; the organization and the members are named at the top. If no ids
    can be read, everyone's tokens become stale. A machine that was just added had no token before, and the
    event must not make one stale that it has fetched since.
    """
    subjects = _named_subjects(event)
    newcomers = event.body.get("addedApplicationIds") or [] if subjects else []
    stale = [subject for subject in subjects if subject not in newcomers] if subjects else [EVERYONE]
    await mark_changed(db, organization_id, stale, moment_of(event))
    for subject in event.body.get("removedUserIds") or [] if subjects else []:
        if await note_removed_elsewhere(db, organization_id, subject, event.created_at):
            cause = f"webhook {event.created_at.isoformat()} {organization_id}"
            await notify_of_removal(db, organization_id, subject, cause)
    for subject in newcomers:
        await mark_added(db, organization_id, subject, event.created_at)


def _named_subjects(event: Event) -> list[str]:
    subjects: list[str] = []
    for name in ("addedUserIds", "removedUserIds", "addedApplicationIds", "removedApplicationIds"):
        found = event.body.get(name) or []
        if not isinstance(found, list) or len(found) > _MAX_NAMED or not all(map(is_id, found)):
            return []
        subjects += found
    return subjects if len(subjects) <= _MAX_NAMED else []


async def _organization_deleted(db: WritingSession, event: Event, organization_id: str) -> None:
    """End all memberships, and delete the organization's data in the background."""
    if event.body.get("matchedRoute") != "/organizations/:id":
        log.warning("webhook names no organization", event_name=event.name)
        return
    await mark_changed(db, organization_id, [EVERYONE], moment_of(event))
    name = await queries.find_organization_name(db, organization_id)
    await request_removal(db, organization_id, name or organization_id, LOGTO.id)


async def _organization_written(db: WritingSession, event: Event, organization_id: str) -> None:
    """Store a new name, and make tokens stale, because a second factor may be required now.

    A deleted organization stays deleted, and a name that was read later than the event stays.
    """
    if await queries.is_removed(db, organization_id):
        log.info("webhook of a deleted organization ignored", event_name=event.name)
        return
    await queries.save_organization(db, organization_id, organization_row(event.data), event.created_at)
    if event.name == WebhookEvent.ORGANIZATION_DATA_UPDATED:
        await mark_changed(db, organization_id, [EVERYONE], moment_of(event))


async def _user_gone(db: WritingSession, event: Event, subject: str) -> None:
    """Sign out a suspended or deleted user everywhere, and make all of their tokens stale.

    Logto 1.42 still issues tokens for a suspended user, so a new token proves nothing either.
    """
    is_back = event.data.get("isSuspended") is False
    moment = moment_of(event)
    if event.name == WebhookEvent.USER_SUSPENSION_STATUS_UPDATED and is_back:
        await end_open_change(db, EVERYWHERE, subject, moment)
        return
    await queries.delete_sessions(db, subject)
    if event.name == WebhookEvent.USER_DELETED:
        await queries.delete_former_memberships(db, subject)
        await queries.delete_notifications(db, subject)
    gone = Moment(moment.earliest, UNTIL_FURTHER_NOTICE)
    await mark_changed(db, EVERYWHERE, [subject], gone)


async def _user_updated(db: WritingSession, event: Event, subject: str) -> None:
    """Store a new name or address of a known user. Some routes send only a part of the user."""
    if event.body.get("matchedRoute") not in ROUTES_WITH_A_USER:
        return
    if event.find_id("params", "userId") not in (None, subject):
        return
    await queries.update_user(db, subject, user_values(event.data), event.created_at)


async def _template_changed(db: WritingSession, event: Event, _everywhere: str) -> None:
    """Make everyone's tokens stale, because a role has other permissions or another name.

    This takes one row, however many organizations there are. Each session fetches its tokens again when it is
    used next.
    """
    await mark_changed(db, EVERYWHERE, [EVERYONE], moment_of(event))


Handle = Callable[[WritingSession, Event, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Handler:
    """How an event is handled, in a transaction that sees the rows of what it is about.

    ``find_id`` returns the id of the organization or user that the event is about, or None.
    """

    handle: Handle
    find_id: Callable[[Event], str | None]
    is_about_user: bool = False

    def organization(self, about: str | None) -> str | None:
        """Return the organization of the transaction, if the event is about one."""
        return None if self.is_about_user or about == EVERYWHERE else about

    def key(self, about: str | None) -> Key | None:
        """Return the key of the transaction, if the event is about a user."""
        return keys.of_person(about) if self.is_about_user and about is not None else None


def _organization(handle: Handle, *path: str) -> Handler:
    return Handler(handle, lambda event: event.find_id(*path))


def _user(handle: Handle, *paths: tuple[str, ...]) -> Handler:
    found = lambda event: next(filter(None, (event.find_id(*path) for path in paths)), None)  # noqa: E731
    return Handler(handle, found, is_about_user=True)


_TEMPLATE: Final = Handler(_template_changed, lambda _event: EVERYWHERE)

_HANDLERS: Final[Mapping[str, Handler]] = {
    WebhookEvent.ORGANIZATION_CREATED: _organization(_organization_written, "data", "id"),
    WebhookEvent.ORGANIZATION_DELETED: _organization(_organization_deleted, "params", "id"),
    WebhookEvent.ORGANIZATION_DATA_UPDATED: _organization(_organization_written, "data", "id"),
    WebhookEvent.ORGANIZATION_MEMBERSHIP_UPDATED: _organization(_membership_updated, "organizationId"),
    WebhookEvent.USER_DELETED: _user(_user_gone, ("params", "userId"), ("data", "id")),
    WebhookEvent.USER_DATA_UPDATED: _user(_user_updated, ("data", "id")),
    WebhookEvent.USER_SUSPENSION_STATUS_UPDATED: _user(_user_gone, ("params", "userId"), ("data", "id")),
    WebhookEvent.ORGANIZATION_ROLE_DELETED: _TEMPLATE,
    WebhookEvent.ORGANIZATION_ROLE_DATA_UPDATED: _TEMPLATE,
    WebhookEvent.ORGANIZATION_ROLE_SCOPES_UPDATED: _TEMPLATE,
    WebhookEvent.ORGANIZATION_SCOPE_DELETED: _TEMPLATE,
    WebhookEvent.ORGANIZATION_SCOPE_DATA_UPDATED: _TEMPLATE,
}

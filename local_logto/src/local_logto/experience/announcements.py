"""Webhook events of a completed sign-in.

Only sign-ins through the pages or the API send events. An authorization request that a live session answers
sends none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from local_logto import webhooks
from local_logto.experience.session import ExperienceSession
from local_logto.experience.state import Event
from local_logto.management import entities
from local_logto.store import now_ms
from local_logto.tables import applications, users

_ENDINGS: Final[Mapping[Event, str]] = {
    Event.SIGN_IN: "PostSignIn",
    Event.REGISTER: "PostRegister",
    Event.FORGOT_PASSWORD: "PostResetPassword",
}


def announce_ending(session: ExperienceSession, user_id: str) -> None:
    """Send ``PostSignIn``, ``PostRegister`` or ``PostResetPassword`` after the interaction is submitted."""
    body = {
        "event": _ENDINGS[session.experience.event],
        **_sign_in_details(session),
        "userId": user_id,
        "userIp": session.request.remote_addr,
        "user": _read_user(session, user_id),
        **_read_application(session),
    }
    webhooks.send(body)


def announce_user_created(session: ExperienceSession, user_id: str) -> None:
    _announce(session, "User.Created", data=_read_user(session, user_id))


def announce_user_changed(session: ExperienceSession, user_id: str) -> None:
    _announce(session, "User.Data.Updated", data=_read_user(session, user_id))


def announce_joined(session: ExperienceSession, user_id: str, organization_id: str) -> None:
    """Send the membership event for an account that joined an organization."""
    members = {"organizationId": organization_id, "addedUserIds": [user_id]}
    _announce(session, "Organization.Membership.Updated", **members)


def _announce(session: ExperienceSession, event: str, **members: object) -> None:
    body = {
        "event": event,
        **_sign_in_details(session),
        "applicationId": session.interaction.client_id,
        "ip": session.request.remote_addr,
        **_read_application(session),
        **members,
    }
    webhooks.send(body)


def _sign_in_details(session: ExperienceSession) -> dict[str, Any]:
    agent = session.request.headers.get("User-Agent")
    return {
        "interactionEvent": session.experience.event.value,
        "createdAt": webhooks.iso_moment(now_ms()),
        "sessionId": session.interaction.uid,
        **({} if agent is None else {"userAgent": agent}),
    }


def _read_user(session: ExperienceSession, user_id: str) -> entities.Entity:
    with session.store.begin() as connection:
        rows = connection.execute(sa.select(users).where(users.c.id == user_id))
        return entities.user(rows.mappings().one())


def _read_application(session: ExperienceSession) -> dict[str, Any]:
    """Return the application that the sign-in is for, unless it was deleted meanwhile."""
    c = applications.c
    query = sa.select(c.id, c.type, c.name, c.description).where(c.id == session.interaction.client_id)
    with session.store.begin() as connection:
        row = connection.execute(query).mappings().one_or_none()
    return {} if row is None else {"application": dict(row)}

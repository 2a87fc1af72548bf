"""An interaction: one browser on its way through sign-in or consent for one authorization request.

The authorization endpoint starts it, the Experience API fills it, and the authorization endpoint resumes with
its result. How people prove their identity is decided elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import sqlalchemy as sa
from quart import Request

from local_logto.context import current_store, origin_of
from local_logto.crypto.opaque_values import new_opaque_value
from local_logto.crypto.signed_cookies import INTERACTION, read_cookie
from local_logto.errors import RequestError
from local_logto.oidc.tables import interactions
from local_logto.store import now_ms
from local_logto.tables import users
from local_logto.translation import _

INTERACTION_LIFETIME_MS: Final = 3600 * 1000
APP_ID_HEADER: Final = "logto-app-id"


@dataclass(frozen=True)
class Interaction:
    """One interaction of a browser.

    ``params`` are those of the authorization request as received, ``experience`` is the state of the
    Experience API. ``prompt`` is ``login`` or ``consent``. ``session_uid`` is the OP session it was started
    in if a person was signed in there, and ``account_id`` that person. ``details`` is what a consent must
    grant. ``expires_at`` is in epoch milliseconds.
    """

    uid: str
    params: Mapping[str, Any]
    prompt: str
    session_uid: str | None
    account_id: str | None
    details: Mapping[str, Any]
    experience: Mapping[str, Any]
    result: Mapping[str, Any] | None
    expires_at: int

    @property
    def client_id(self) -> str:
        return str(self.params["client_id"])

    @property
    def device_code_hash(self) -> str | None:
        """The hash of the device code if the request came from a device, otherwise None."""
        found: str | None = self.details.get("device_code")
        return found

    @property
    def forgets_sign_in(self) -> bool:
        """Whether consent makes the session forget how the browser signed in at the application."""
        return bool(self.details.get("forgets_sign_in"))


def create_interaction(
    params: Mapping[str, Any],
    prompt: str,
    *,
    session_uid: str | None = None,
    account_id: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> Interaction:
    interaction = Interaction(
        uid=new_opaque_value(),
        params=params,
        prompt=prompt,
        session_uid=session_uid,
        account_id=account_id,
        details=details or {},
        experience={},
        result=None,
        expires_at=now_ms() + INTERACTION_LIFETIME_MS,
    )
    with current_store().begin() as connection:
        connection.execute(sa.insert(interactions).values(**vars(interaction)))
    return interaction


def find_interaction_by_uid(uid: str) -> Interaction | None:
    """Return the interaction, or None if it is unknown or older than an hour."""
    query = sa.select(interactions).where(interactions.c.uid == uid, interactions.c.expires_at > now_ms())
    with current_store().begin() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else Interaction(**row._mapping)


def find_interaction(request: Request) -> Interaction | None:
    """Return the browser's interaction for the application in the request, otherwise its latest one."""
    uids = interaction_uids(request)
    named = request.headers.get(APP_ID_HEADER) or request.args.get("app_id") or _app_id_of_page(request)
    uid = uids.get(named or "") or uids.get("_legacy")
    interaction = None if uid is None else find_interaction_by_uid(uid)
    if interaction is None or (named and interaction.client_id != named):
        return None
    return interaction


def get_interaction(request: Request) -> Interaction:
    """Return the browser's interaction. Raises Logto's 400 ``session.not_found`` if there is none."""
    interaction = find_interaction(request)
    if interaction is None:
        raise RequestError(
            400,
            "session.not_found",
            _("Session not found. Please go back and sign in again."),
            extra={
                "error": "invalid_request",
                "error_description": "interaction session not found",
            },
        )
    return interaction


def save_experience(interaction: Interaction, experience: Mapping[str, Any]) -> None:
    """Replace the stored state of the Experience API."""
    _update(interaction.uid, experience=dict(experience))


def finish_login(
    interaction: Interaction, user_id: str, submission: Mapping[str, Any], request: Request
) -> str:
    """Record who signed in and how. Returns the URL where the authorization request resumes."""
    moment = now_ms()
    signed_in = sa.update(users).where(users.c.id == user_id)
    with current_store().begin() as connection:
        connection.execute(signed_in.values(last_sign_in_at=moment, updated_at=moment))
    login = {"accountId": user_id, "ts": moment // 1000, "submission": dict(submission)}
    save_result(interaction.uid, {"login": login})
    return resume_url(request, interaction)


def save_result(uid: str, result: Mapping[str, Any]) -> None:
    _update(uid, result=dict(result))


def detach_from_session(uid: str) -> None:
    """Let the interaction resume although the OP session it began in is about to end."""
    _update(uid, session_uid=None)


def delete_interaction(uid: str) -> None:
    with current_store().begin() as connection:
        connection.execute(sa.delete(interactions).where(interactions.c.uid == uid))


def resume_path(interaction: Interaction) -> str:
    began = "auth" if interaction.device_code_hash is None else "device"
    return f"/oidc/{began}/{interaction.uid}"


def resume_url(request: Request, interaction: Interaction) -> str:
    return origin_of(request) + resume_path(interaction)


def interaction_uids(request: Request) -> dict[str, str]:
    """Return the ``_interaction`` cookie: interactions by client ID, and the latest as ``_legacy``."""
    value = read_cookie(request, INTERACTION)
    if value is None:
        return {}
    try:
        uids = json.loads(value)
    except ValueError:
        return {}
    return uids if isinstance(uids, dict) else {}


def _app_id_of_page(request: Request) -> str | None:
    """Return the application of the sign-in page that sent the request."""
    referrer = urlsplit(request.referrer or "")
    if referrer.netloc != request.host:
        return None
    return next(iter(parse_qs(referrer.query).get("app_id", ())), None)


def _update(uid: str, **values: object) -> None:
    with current_store().begin() as connection:
        connection.execute(sa.update(interactions).where(interactions.c.uid == uid).values(**values))

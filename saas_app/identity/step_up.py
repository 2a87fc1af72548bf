"""Step-up: actions that cannot be undone require a sign-in within the last minutes (RFC 9470).

The guard of a route rejects an older sign-in as the RFC says: 401, ``insufficient_user_authentication``,
``max_age``. A page instead goes to Logto with ``prompt=login``, where the person signs in even if they have a
session, and comes back.

Only ``auth_time`` in the callback's ID token counts. The nonce binds that token to our request (OpenID
Connect Core §2). Logto 1.42 sends ``auth_time`` if the request it received contains ``prompt=login``. The
request travels through the browser, where the prompt can be removed; Logto then responds without a sign-in
and without ``auth_time``. So the time of the callback never replaces a missing ``auth_time``, and a silent
round trip does not make a sign-in fresher.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from saas_app.logto.provider_clock import LEEWAY


def authentication_time(
    claims: dict[str, Any], now: datetime, asked_at: float | None = None
) -> datetime | None:
    """Return when the person last signed in, from a verified ID token, or None if it does not say.

    ``asked_at`` is when the sign-in was requested, in Unix seconds of our clock. If Logto's clock is ahead of
    ours, the result is at most ``now``. If it is behind, by no more than token checks accept, the result is
    ``asked_at``.
    """
    told = claims.get("auth_time")
    if isinstance(told, bool) or not isinstance(told, int) or told <= 0:
        return None
    if asked_at is not None and told < asked_at <= told + LEEWAY:
        return datetime.fromtimestamp(asked_at, UTC)
    return datetime.fromtimestamp(min(told, now.timestamp()), UTC)


def is_fresh(authenticated_at: datetime | None, max_age: int, now: datetime) -> bool:
    """Return whether the person signed in within the last ``max_age`` seconds."""
    return authenticated_at is not None and now - authenticated_at <= timedelta(seconds=max_age)

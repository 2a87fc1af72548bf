"""Step-up: what cannot be undone asks for a sign-in of the last minutes (RFC 9470).

The RFC names the refusal (401, ``insufficient_user_authentication``, ``max_age``); the guard on the route
makes it, and for a page the way out of it: to Logto with ``prompt=login``, which asks who this is whatever
session it has, and back to the same page.

Only Logto's own word counts: ``auth_time`` in the ID token that the callback brought, bound to our request by
its nonce (OpenID Connect Core §2). Logto 1.42 tells it when the request it received held ``prompt=login``.
That request travels through the browser, and whoever sits there can take the prompt out: Logto then answers
without asking anybody, and without ``auth_time``. So its absence is never made good by the time of the
callback, and a silent round trip makes nothing fresher.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from saas_app.logto.provider_clock import LEEWAY


def authentication_time(
    claims: dict[str, Any], now: datetime, asked_at: float | None = None
) -> datetime | None:
    """When the person proved who they are, from a verified ID token; None when it does not say.

    ``asked_at``: when Logto was asked for the sign-in, in Unix seconds of our clock. Where Logto's clock is
    ahead of ours, a sign-in counts from ``now`` at the latest; where it is behind by what token checks
    accept, from the moment at which it was asked for.
    """
    told = claims.get("auth_time")
    if isinstance(told, bool) or not isinstance(told, int) or told <= 0:
        return None
    if asked_at is not None and told < asked_at <= told + LEEWAY:
        return datetime.fromtimestamp(asked_at, UTC)
    return datetime.fromtimestamp(min(told, now.timestamp()), UTC)


def is_fresh(authenticated_at: datetime | None, max_age: int, now: datetime) -> bool:
    """Whether the person proved who they are within the last ``max_age`` seconds."""
    return authenticated_at is not None and now - authenticated_at <= timedelta(seconds=max_age)

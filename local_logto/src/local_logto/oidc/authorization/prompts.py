"""The page that a checked authorization request still needs: ``login``, ``consent`` or none. Pure.

The checks and their order are Logto's. The first failing one determines the error for ``prompt=none``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from local_logto.oidc.authorization.request import AuthorizationRequest
from local_logto.oidc.grants import Grant
from local_logto.oidc.scopes import oidc_only

LOGIN: Final = "login"
CONSENT: Final = "consent"


@dataclass(frozen=True)
class Situation:
    """The state of the browser. ``result`` is what an interaction brought, and answers its prompts.

    ``available`` has the person's current scopes by requested resource. ``hinted_user_id`` is the subject of
    an ``id_token_hint``. ``is_stale`` means that ``max_age`` has passed since the sign-in.
    """

    user_id: str | None = None
    is_stale: bool = False
    hinted_user_id: str | None = None
    grant: Grant | None = None
    result: Mapping[str, Any] | None = None
    available: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class NeededPrompt:
    """The page, the error for ``prompt=none``, and for consent the scopes that the grant lacks."""

    name: str
    error: str
    description: str
    missing_oidc: tuple[str, ...] = ()
    missing_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def needed_prompt(request: AuthorizationRequest, situation: Situation) -> NeededPrompt | None:
    return _needed_login(request, situation) or _needed_consent(request, situation)


def _needed_login(request: AuthorizationRequest, situation: Situation) -> NeededPrompt | None:
    result = situation.result or {}
    description = None
    if LOGIN in request.prompts and LOGIN not in result:
        description = "login prompt was not resolved"
    elif situation.user_id is None:
        description = "End-User authentication is required"
    elif request.max_age is not None and situation.is_stale and LOGIN not in result:
        description = "End-User authentication could not be obtained"
    elif situation.hinted_user_id not in {None, situation.user_id}:
        description = "id_token_hint and authenticated subject do not match"
    return None if description is None else NeededPrompt(LOGIN, "login_required", description)


def _needed_consent(request: AuthorizationRequest, situation: Situation) -> NeededPrompt | None:
    granted = situation.grant
    missing_oidc = tuple(
        scope
        for scope in oidc_only(list(request.scopes))
        if granted is None or scope not in granted.oidc_scopes
    )
    missing_on = {}
    for indicator, available in situation.available.items():
        known = () if granted is None else granted.resource_scopes.get(indicator, ())
        missing = [scope for scope in request.scopes if scope in available and scope not in known]
        if missing:
            missing_on[indicator] = tuple(missing)
    error, description = "consent_required", None
    has_consented = CONSENT in (situation.result or {})
    if CONSENT in request.prompts and not has_consented:
        description = "consent prompt was not resolved"
    elif not request.client.is_web and not has_consented:
        error, description = "interaction_required", "native clients require End-User interaction"
    elif missing_oidc or missing_on:
        description = "requested scopes not granted"
    if description is None:
        return None
    return NeededPrompt(CONSENT, error, description, missing_oidc, missing_on)

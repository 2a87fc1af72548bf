"""The first page of an authorization request, from Logto's own parameters such as ``first_screen``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

EXTRA_PARAMS: Final = (
    "interaction_mode",
    "first_screen",
    "direct_sign_in",
    "organization_id",
    "login_hint",
    "ui_locales",
    "identifier",
    "one_time_token",
    "google_one_tap_credential",
)

_PAGES: Final[Mapping[str, str]] = {
    "sign_in": "sign-in",
    "signIn": "sign-in",
    "register": "register",
    "signUp": "register",
    "reset_password": "reset-password",
    "identifier:sign_in": "identifier-sign-in",
    "identifier:register": "identifier-register",
    "single_sign_on": "single-sign-on",
}
_FIRST_SCREENS: Final = frozenset(_PAGES) - {"signUp"}
_INTERACTION_MODES: Final = frozenset({"signIn", "signUp"})


def accepted_params(params: Mapping[str, str]) -> dict[str, str]:
    """Return Logto's parameters if all of them are valid, otherwise none."""
    extra = {name: params[name] for name in EXTRA_PARAMS if name in params}
    screen_is_known = extra.get("first_screen", "sign_in") in _FIRST_SCREENS
    mode_is_known = extra.get("interaction_mode", "signIn") in _INTERACTION_MODES
    return extra if screen_is_known and mode_is_known else {}


def shared_by_pages(params: Mapping[str, str], client_id: str) -> dict[str, str]:
    """Return what the ``_logto`` cookie tells the pages: application, organization and languages."""
    extra = accepted_params(params)
    named = {
        "appId": client_id,
        "organizationId": extra.get("organization_id"),
        "uiLocales": extra.get("ui_locales"),
    }
    return {name: value for name, value in named.items() if value}


def sign_in_location(params: Mapping[str, str], client_id: str) -> str:
    """Return the path and query of the first page of a sign-in."""
    extra = accepted_params(params)
    screen = _PAGES[extra.get("first_screen") or extra.get("interaction_mode") or "sign_in"]
    query = {"app_id": client_id}
    for name in ("organization_id", "ui_locales", "one_time_token", "login_hint", "identifier"):
        if name in extra:
            query[name] = extra[name]
    direct = extra.get("direct_sign_in")
    if direct is None and "google_one_tap_credential" in extra:
        direct = "social:google"
    if direct is None:
        return f"/{screen}?{urlencode(query)}"
    method, target = [*direct.split(":"), ""][:2]
    path = "/".join(part for part in ("direct", method, target) if part)
    return f"/{path}?{urlencode({**query, 'fallback': screen})}"


def consent_location(client_id: str) -> str:
    return f"/consent?{urlencode({'app_id': client_id})}"

"""The parameters of ``/sign-in`` that are passed on to Logto's pages, each checked by itself.

If Logto 1.42 does not know the value of one of its parameters, it ignores all of them. Unknown values are
therefore left out here, so that the other parameters still work.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from saas_app.identity.logto_messages import SignInOptions

_FIRST_SCREENS: Final = frozenset(
    {"sign_in", "register", "reset_password", "identifier:sign_in", "identifier:register", "single_sign_on"}
)
_IDENTIFIERS: Final = frozenset({"email", "phone", "username"})
_DIRECT: Final = re.compile(r"(?:social|sso):[A-Za-z0-9._-]{1,128}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,3}")
_HINT_LENGTH: Final = 320  # the longest email address
_MANY: Final = 8  # values in a list

# Logto 1.42 issues a refresh token only with a consent prompt, so consent is always requested.
_PROMPTS: Final = {"login": "login consent"}


def read_options(given: Mapping[str, str], *, first_screen: str = "") -> SignInOptions:
    """Return the options in a query. ``first_screen`` takes precedence over the query."""
    return SignInOptions(
        first_screen=first_screen or _one(given.get("first_screen", ""), _FIRST_SCREENS.__contains__),
        direct_sign_in=_one(given.get("direct_sign_in", ""), _DIRECT.fullmatch),
        identifier=_list(given.get("identifier", ""), _IDENTIFIERS.__contains__),
        login_hint=_one(given.get("login_hint", "").strip(), _is_hint),
        ui_locales=_list(given.get("ui_locales", ""), _LANGUAGE.fullmatch),
        prompt=_PROMPTS.get(given.get("prompt", ""), "consent"),
    )


def _one(value: str, is_known: Callable[[str], object]) -> str:
    return value if is_known(value) else ""


def _list(value: str, is_known: Callable[[str], object]) -> str:
    known = [item for item in dict.fromkeys(value.split(" ")) if is_known(item)]
    return " ".join(known[:_MANY])


def _is_hint(value: str) -> bool:
    return len(value) <= _HINT_LENGTH and value.isprintable()

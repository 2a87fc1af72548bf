"""The cookies that carry a reader's choices, so that every page knows them without asking the database.

They hold nothing private. Our script reads the one of the time zone, and writes it if none was chosen.
"""

from __future__ import annotations

from typing import Final

from quart.wrappers import Response
from werkzeug.wrappers import Response as WerkzeugResponse

from saas_app.identity.preferences import Preferences
from saas_app.web.context import runtime
from saas_app.web.reader import CHOSEN_ZONE, LANGUAGE_COOKIE, THEME_COOKIE, ZONE_COOKIE

_YEAR: Final = 31_536_000  # seconds


def remember(response: Response | WerkzeugResponse, wanted: Preferences) -> None:
    """Set the cookie of each choice. A choice of *automatic* deletes it, and None keeps it."""
    zone = f"{CHOSEN_ZONE}{wanted.zone}" if wanted.zone else wanted.zone
    for name, value in (
        (LANGUAGE_COOKIE, wanted.language),
        (ZONE_COOKIE, zone),
        (THEME_COOKIE, wanted.theme),
    ):
        if value:
            response.set_cookie(
                name, value, max_age=_YEAR, path="/", secure=runtime().settings.is_tls, samesite="Lax"
            )
        elif value is not None:
            response.delete_cookie(name, path="/", secure=runtime().settings.is_tls, samesite="Lax")

"""The language of pages, as in Logto 1.42: ``ui_locales``, the browser's languages, the tenant's fallback.

The browser's region decides the format of dates, so British and American readers get their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from babel import Locale, UnknownLocaleError
from quart import request

from local_logto.connectors.languages import preferred_language
from local_logto.context import current_store
from local_logto.crypto.signed_cookies import EXPERIENCE, read_cookie
from local_logto.settings_rows import SIGN_IN_EXP, read_setting
from local_logto.translation import languages, speaking


@contextmanager
def speaking_to_reader() -> Iterator[None]:
    """Show texts in the language of this request inside the block, and dates as in the browser's region."""
    language = reader_language()
    with speaking(language, _locale_with_region(language)):
        yield


def reader_language() -> str:
    """Return the tag of the language for this request.

    ``ui_locales`` comes from the address, which pages pass on, or from the cookie of the last authorization
    request. A language without a catalogue is skipped; Logto has more languages.
    """
    information = read_setting(current_store(), SIGN_IN_EXP).get("languageInfo", {})
    return preferred_language(information, _ui_locales(), request.accept_languages, known=languages())


def _locale_with_region(language: str) -> Locale | None:
    """Return the browser's first locale of this language, or None if it names none that CLDR knows."""
    for tag in request.accept_languages.values():
        if tag.lower().partition("-")[0] == language.lower().partition("-")[0]:
            try:
                return Locale.parse(tag, sep="-")
            except (ValueError, UnknownLocaleError):
                continue
    return None


def _ui_locales() -> str | None:
    if "ui_locales" in request.args:
        return request.args["ui_locales"]
    try:
        shared = json.loads(read_cookie(request, EXPERIENCE) or "{}")
    except ValueError:
        return None
    named = shared.get("uiLocales") if isinstance(shared, dict) else None
    return named if isinstance(named, str) else None

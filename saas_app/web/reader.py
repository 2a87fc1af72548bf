"""The reader of a response: their language, the format of their dates and numbers, time zone and theme.

The language is the one they chose, else the first of their browser's that Workroom knows. The browser's
region decides the format, so British and American readers of English get their own dates. The zone is the
one that they chose or that our script stores in a cookie. Without the cookie, and if this machine does not
know the zone, it is UTC. A theme that nobody chose is the one of their system. What they chose is in cookies
(:mod:`.preference_cookies`).
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale, UnknownLocaleError, negotiate_locale
from quart import Request, Response
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from saas_app.db.base import utc_now
from saas_app.text.languages import SOURCE, current_language, languages, locale_of, speak

LANGUAGE_COOKIE: Final = "workroom_language"
ZONE_COOKIE: Final = "workroom_zone"
THEME_COOKIE: Final = "workroom_theme"
CHOSEN_ZONE: Final = "chosen:"
"""Before a zone in its cookie that the reader chose, so that our script leaves it as it is."""

THEMES: Final = ("light", "dark")
_LONGEST_HEADER: Final = 200  # characters that are looked at


@dataclass(frozen=True, slots=True)
class Reader:
    """The reader of one response. ``has_zone`` says that the zone is theirs, and not only our default.

    ``theme`` is one of :data:`THEMES`, or "" for the one of their system. ``chosen_language`` is "" if their
    browser decided.
    """

    language: str
    locale: Locale
    zone: tzinfo
    has_zone: bool
    theme: str = ""
    chosen_language: str = ""


_NOBODY: Final = Reader(SOURCE, locale_of(SOURCE), UTC, has_zone=False)
_reader: ContextVar[Reader | None] = ContextVar("reader", default=None)


def current_reader() -> Reader:
    """Return the reader of this request, or one who reads English in UTC outside a request."""
    return _reader.get() or _NOBODY


def begin_reading(request: Request) -> None:
    """Find out who reads the response to this request, and use their language from here on."""
    cookies = request.cookies
    chosen = cookies.get(LANGUAGE_COOKIE, "")
    language, locale = _language_and_locale(
        chosen,
        request.headers.get("Accept-Language", "")[:_LONGEST_HEADER],
        languages(),
    )
    zone = _zone(cookies.get(ZONE_COOKIE, "").removeprefix(CHOSEN_ZONE))
    theme = cookies.get(THEME_COOKIE, "")
    _reader.set(
        Reader(
            language,
            locale,
            zone or UTC,
            has_zone=zone is not None,
            theme=theme if theme in THEMES else "",
            chosen_language=chosen if chosen in languages() else "",
        )
    )
    speak(language)


def name_language(request: Request, response: Response) -> None:
    """Say in which language a page is, and that it depends on the reader."""
    if response.content_type.startswith("text/html"):
        response.headers["Content-Language"] = current_language()
        response.vary.update(("Accept-Language", "Cookie"))


def is_zone(name: str) -> bool:
    """Return whether this machine knows a time zone of this name."""
    return name != "" and name in _known_zones()


def reader_day() -> date:
    """Return the current day in the reader's time zone."""
    return utc_now().astimezone(current_reader().zone).date()


@lru_cache(maxsize=512)
def _language_and_locale(chosen: str, header: str, known: tuple[str, ...]) -> tuple[str, Locale]:
    """Return the language of a reader, and the locale of their region if the browser names one."""
    accepted = list(parse_accept_header(header, LanguageAccept).values())
    language = chosen if chosen in known else negotiate_locale(accepted, known, sep="-") or SOURCE
    for tag in accepted:
        if tag.split("-")[0].lower() == language.split("-")[0].lower() and (locale := _find_locale(tag)):
            return language, locale
    return language, locale_of(language)


def _find_locale(tag: str) -> Locale | None:
    try:
        return Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        return None


def _zone(name: str) -> tzinfo | None:
    """Return the zone of this name. No file is opened for a name that this machine does not list."""
    return ZoneInfo(name) if is_zone(name) else None


@lru_cache(maxsize=1)
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())

"""Cleaning: removes the characters that databases cannot store and pages cannot show.

All text from outside passes through here: forms, queries, JSON, stored headers, Logto's answers, webhooks and
tokens. Text on its way to the database is checked once more (``db/storable.py``), so that an input that was
missed does not cause an error.
"""

from __future__ import annotations

from typing import Any, Final

import regex

from saas_app.text.normal import normalize
from saas_app.text.visible import shows_something, without_invisible, without_piles

_UNCLEAN: Final = regex.compile(
    r"[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}--[\t\n\r]]", regex.VERSION1
)  # control characters (C0, C1, DEL), lone surrogates, noncharacters
_UNSTORABLE: Final = regex.compile(r"[\x00\ud800-\udfff]")
_LINE_END: Final = regex.compile(r"\r\n|[\n\v\f\r\x85\u2028\u2029]")
_MAX_ROUNDS: Final = 4
_LONGEST: Final = 100_000  # characters; no field accepts a tenth of it; a megabyte takes seconds to clean
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


def is_clean(text: str) -> bool:
    """Return whether :func:`clean` would leave the text unchanged."""
    return _is_plain(text) or _UNCLEAN.search(text) is None


def clean(text: str) -> str:
    """Return the text without lone surrogates, noncharacters and controls; tabs and line ends stay."""
    return text if _is_plain(text) else _UNCLEAN.sub("", text)


def clean_line(value: str | None) -> str:
    """Return a text in NFC on one line, without outer spaces and invisible characters; "" if it is blank."""
    return _seen(_LINE_END.sub(" ", value or ""))


def clean_text(value: str | None) -> str:
    """Return a text in NFC, without outer spaces and invisible characters. Its lines end in LF."""
    return _seen(_LINE_END.sub("\n", value or ""))


def clean_name(value: str | None) -> str:
    """Return a name chosen elsewhere, such as in Logto's Console, cleaned for display; "" for a blank one."""
    return without_piles(clean_line(value))


def clean_json(value: Any) -> Any:
    """Return a value read from JSON with every text in it cleaned, including the keys of objects."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [clean_json(item) for item in value]
    if isinstance(value, dict):
        return {clean_json(name): clean_json(item) for name, item in value.items()}
    return value


def storable(text: str) -> str:
    """Return the text with NUL and lone surrogates replaced, because PostgreSQL and UTF-8 cannot hold them.

    They are replaced and not removed, so that a text that is searched for never equals another one.
    """
    if text.isascii() and "\x00" not in text:
        return text
    return _UNSTORABLE.sub(_REPLACEMENT, text)


def storable_json(value: Any) -> Any:
    """Replace what cannot be stored (NUL, lone surrogates) in every text of a value to be written as JSON."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, (list, tuple)):
        return [storable_json(item) for item in value]
    if isinstance(value, dict):
        return {storable_json(name): storable_json(item) for name, item in value.items()}
    return value


def _is_plain(text: str) -> bool:
    """Return whether all characters are printable ASCII: most texts are, and there is nothing to clean."""
    return text.isascii() and text.isprintable()


def _seen(text: str) -> str:
    if _is_plain(text):
        return text[:_LONGEST].strip()
    seen = clean(text[:_LONGEST].replace("\t", " "))
    for _ in range(_MAX_ROUNDS):  # removing characters can bring others together
        before, seen = seen, without_invisible(normalize("NFC", seen))
        if seen == before:
            break
    seen = normalize("NFC", seen).strip()
    return seen if shows_something(seen) else ""

"""Text made fit to be kept and shown: without what no database holds and no page can render.

Everything that comes from outside passes here: forms, queries and JSON, headers that are stored, Logto's
answers, its webhooks and its tokens. What goes to the database is looked at once more (``db/storable.py``),
so that a way in that somebody forgets cannot end in an error.
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
_MOST_ROUNDS: Final = 4
_LONGEST: Final = 100_000  # characters; no field takes a tenth of that, and a megabyte takes seconds to clean
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


def is_clean(text: str) -> bool:
    """Whether :func:`clean` would leave the text as it is."""
    return _UNCLEAN.search(text) is None


def clean(text: str) -> str:
    """The text without lone surrogates, noncharacters, and control characters but tabs and line ends."""
    return _UNCLEAN.sub("", text)


def clean_line(value: str | None) -> str:
    """Return a text in NFC on one line, without outer spaces and invisible characters; "" if it is blank."""
    return _seen(_LINE_END.sub(" ", value or ""))


def clean_text(value: str | None) -> str:
    """Return a text in NFC, without outer spaces and invisible characters. Its lines end in LF."""
    return _seen(_LINE_END.sub("\n", value or ""))


def name_of_others(value: str | None) -> str:
    """A name that was made elsewhere, such as in Logto's Console, fit to be shown; "" for a blank one."""
    return without_piles(clean_line(value))


def clean_json(value: Any) -> Any:
    """A value read from JSON with every text in it clean, names of members included."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [clean_json(item) for item in value]
    if isinstance(value, dict):
        return {clean_json(name): clean_json(item) for name, item in value.items()}
    return value


def storable(text: str) -> str:
    """The text with a replacement character for what PostgreSQL and UTF-8 cannot hold: NUL, lone surrogates.

    Replaced and not removed, so that a text that is looked for never equals another one.
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


def _seen(text: str) -> str:
    seen = clean(text[:_LONGEST].replace("\t", " "))
    for _ in range(_MOST_ROUNDS):  # what is taken out brings others together
        before, seen = seen, without_invisible(normalize("NFC", seen))
        if seen == before:
            break
    seen = normalize("NFC", seen).strip()
    return seen if shows_something(seen) else ""

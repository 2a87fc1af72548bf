"""The visible part of a text: invisible characters are removed where they have no meaning.

Zero-width and bidirectional controls, fillers and blank signs can make two names look alike, reorder the
words around them, or leave nothing to click. Some are part of real names: the joiners of Persian, Indic
scripts and emoji, the variation selectors of emoji and ideographs, the tags of flags. They stay where the
Unicode standard gives them a meaning (UAX #31 section 2.3, UTS #51, UTS #37). Pure.
"""

from __future__ import annotations

from typing import Final

import regex

from saas_app.text.normal import normalize

MAX_MARKS: Final = 4
"""Marks on one letter (UTS #39 section 5.4); Hebrew and Vietnamese need three."""

BLANK_NAME: Final = "(blank name)"
"""The text to show for a name without visible characters."""

_INVISIBLE: Final = r"[\p{Default_Ignorable_Code_Point}\u2800\ufff9-\ufffb\U0001d159]"
_JOINING: Final = r"[\p{scx=Arabic}\p{scx=Syriac}\p{scx=Nko}\p{scx=Mongolian}\p{scx=Mandaic}]"
_VIRAMA: Final = r"\p{Canonical_Combining_Class=Virama}"
_PICTURE: Final = r"[\p{Extended_Pictographic}\p{Emoji_Modifier}]"
_MEANINGFUL: Final = regex.compile(
    rf"""
    (?<={_JOINING}\p{{M}}{{0,4}}) \u200c (?=\p{{M}}{{0,4}}{_JOINING})    # Persian: مي‌خواهم
    | (?<=\p{{L}}\p{{M}}{{0,4}}{_VIRAMA}) [\u200c\u200d]             # Indic scripts: क्‍ष
    | (?<={_PICTURE}\ufe0f?) \u200d (?=\p{{Extended_Pictographic}})    # emoji of several people
    | (?<=[\p{{Emoji}}]) [\ufe0e\ufe0f]                                # as a picture or as a sign
    | (?<=\p{{Unified_Ideograph}}) [\ufe00-\ufe02\U000e0100-\U000e01ef]  # forms of an ideograph
    | (?<=\U0001f3f4[\U000e0020-\U000e007e]{{0,7}}) [\U000e0020-\U000e007f]  # flags of regions
    """,
    regex.VERBOSE,
)
_OTHERS: Final = regex.compile(_INVISIBLE)
SHOWS: Final = regex.compile(rf"[[\p{{L}}\p{{N}}\p{{P}}\p{{S}}]--{_INVISIBLE}]", regex.VERSION1)
_RIGHT_TO_LEFT: Final = regex.compile(r"[\p{Bidi_Class=R}\p{Bidi_Class=AL}]")
_PILE: Final = regex.compile(
    rf"([[\p{{Mn}}\p{{Me}}]--[\u0f90-\u0fbc]--{_INVISIBLE}]){{{MAX_MARKS + 1},}}", regex.VERSION1
)  # Tibetan stacks consonants as marks


def without_invisible(text: str) -> str:
    """Return the text without invisible characters that have no meaning in their place."""
    if text.isascii():
        return text
    meant = {found.start() for found in _MEANINGFUL.finditer(text)}
    return _OTHERS.sub(lambda found: found[0] if found.start() in meant else "", text)


def shows_something(text: str) -> bool:
    """Return whether a text has a visible letter, digit or sign."""
    return "!" <= text[:1] <= "~" or SHOWS.search(text) is not None  # most begin with a visible ASCII one


def runs_right_to_left(text: str) -> bool:
    """Return whether a part of a text is written from right to left, as Arabic and Hebrew are."""
    return not text.isascii() and _RIGHT_TO_LEFT.search(text) is not None


def isolated(name: str) -> str:
    """Return a name for a plain-text sentence: always visible, and isolated from the words around it.

    A right-to-left name would otherwise reorder the punctuation and numbers beside it. It is wrapped in the
    controls U+2068 and U+2069 (UAX #9), which do what ``<bdi>`` does in HTML.
    """
    if not shows_something(name):
        return BLANK_NAME
    return f"\u2068{name}\u2069" if runs_right_to_left(name) else name


def has_piled_marks(text: str) -> bool:
    """Return whether so many marks are stacked on a letter that they cover the lines around it."""
    return not text.isascii() and _PILE.search(normalize("NFD", text)) is not None


def without_piles(text: str) -> str:
    """Return the text with at most :data:`MAX_MARKS` marks on a letter, for names chosen elsewhere."""
    if not has_piled_marks(text):
        return text
    cut = _PILE.sub(lambda found: found[0][:MAX_MARKS], normalize("NFD", text))
    return normalize("NFC", cut)


def as_displayed(text: str) -> str:
    """Return a text as it looks: without invisible characters, in NFKC, with single spaces."""
    shown = _OTHERS.sub("", normalize("NFKC", text))
    return " ".join(shown.split())


def initial(text: str) -> str:
    """Return the first character in upper case. An emoji made of several code points counts as one."""
    stripped = text.strip()
    if stripped[:2].isascii():  # nothing in ASCII combines with the character before it
        return stripped[:1].upper()
    found = regex.match(r"\X", stripped)
    return found[0].upper() if found else ""

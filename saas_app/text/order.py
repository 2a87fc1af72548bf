"""Searching texts regardless of spelling, and sorting them alphabetically. Pure.

:func:`fold` removes case, accents and width: a search for ``izmir`` finds ``İzmir``, ``IZMIR`` and ``ızmir``;
``strasse`` finds ``Straße``. Its order suits most alphabets: ``Ärger`` comes before ``Zebra``. Marks that are
letters of their own stay, as in Hindi or Thai. :func:`order_key` knows the languages that place letters
elsewhere. A list sorted by the database has one order for all readers, so that an index can provide it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import regex

from saas_app.text.normal import normalize

_MARKS: Final = regex.compile(
    r"[[\p{Mn}]&&[\p{scx=Latin}\p{scx=Greek}\p{scx=Cyrillic}\p{scx=Arabic}\p{scx=Hebrew}\u0300-\u036f"
    r"\p{Block=Combining_Diacritical_Marks_Extended}\p{Block=Combining_Diacritical_Marks_Supplement}]]",
    regex.VERSION1,
)
_LETTERS: Final = str.maketrans(
    {"ı": "i", "ł": "l", "đ": "d", "ð": "d", "ø": "o", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th"}
)  # Unicode does not decompose them
_BEHIND: Final = "\x7f"  # sorts after every ASCII letter


def _after(letters: str) -> dict[str, str]:
    """Place letters right after their base letter, as ``ñ`` after ``n``."""
    return {letter: fold(letter)[0] + _BEHIND for letter in letters}


def _at_the_end(letters: str) -> dict[str, str]:
    """Place letters after ``z``, in this order."""
    return {letter: f"z{_BEHIND}{place:02}" for place, letter in enumerate(letters)}


def fold(text: str) -> str:
    """Return a text in the form used for searching: no case, accents or width. Folding is idempotent."""
    if text.isascii():
        return text.lower()
    return _folded(normalize("NFKC", text).casefold())


def order_key(text: str, language: str = "") -> str:
    """Return the sort key of a text for readers of a language (``sv``, ``de-AT``; "" for none)."""
    tailored = _TAILORED.get(language.lower().partition("-")[0])
    if tailored is None:
        return fold(text)
    lowered = normalize("NFKC", text)
    if language.lower().startswith(("tr", "az")):
        lowered = lowered.replace("I", "ı").replace("İ", "i")
    folded = normalize("NFC", lowered.casefold())
    pieces = [tailored.get(char) or _folded(char) for char in regex.findall(r"\X", folded)]
    return "".join(pieces)


def _folded(text: str) -> str:
    bare = _MARKS.sub("", normalize("NFKD", text).casefold())
    return normalize("NFC", bare).translate(_LETTERS)


_TAILORED: Final[Mapping[str, Mapping[str, str]]] = {
    "sv": _at_the_end("åäö") | {"æ": f"z{_BEHIND}01", "ø": f"z{_BEHIND}02"},
    "fi": _at_the_end("åäö") | {"æ": f"z{_BEHIND}01", "ø": f"z{_BEHIND}02"},
    **dict.fromkeys(
        ("da", "nb", "nn", "no"),
        _at_the_end("æøå") | {"ä": f"z{_BEHIND}00", "ö": f"z{_BEHIND}01"},
    ),
    "is": _after("áðéíóúý") | _at_the_end("þæöå"),
    "et": {"š": f"s{_BEHIND}0", "z": f"s{_BEHIND}1", "ž": f"s{_BEHIND}2"}
    | {"õ": f"w{_BEHIND}0", "ä": f"w{_BEHIND}1", "ö": f"w{_BEHIND}2", "ü": f"w{_BEHIND}3"},
    "es": _after("ñ"),
    "tr": _after("çğöşü") | {"ı": f"h{_BEHIND}"},
    "az": _after("çğöşü") | {"ı": f"h{_BEHIND}", "ə": f"e{_BEHIND}"},
    "pl": _after("ąćęłńóśż") | {"ź": f"z{_BEHIND}0", "ż": f"z{_BEHIND}1"},
    **dict.fromkeys(("cs", "sk"), _after("čřšž")),
    **dict.fromkeys(("hr", "sl", "bs"), _after("čšž") | {"ć": f"c{_BEHIND}{_BEHIND}", "đ": f"d{_BEHIND}"}),
    "hu": _after("öü") | {"ő": f"o{_BEHIND}", "ű": f"u{_BEHIND}"},
    "ro": _after("ășț") | {"â": f"a{_BEHIND}{_BEHIND}", "î": f"i{_BEHIND}"},
    "lt": _after("čšž"),
    "lv": _after("čģķļņšž"),
}
"""Letters that an alphabet sorts elsewhere than beside the letter they are written with."""

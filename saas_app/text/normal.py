"""Unicode's normal forms of a text from outside, in time that grows with its length, not with its square.

Normalization sorts the marks on a letter by comparing each with those before it, so a megabyte of marks on
one letter takes minutes. No script uses more than a few. Marks beyond the thirtieth are removed, where UAX
#15 (section 13, Stream-Safe Text) would break the row. Pure.
"""

from __future__ import annotations

import unicodedata
from typing import Final, Literal, TypeAlias

import regex

NormalForm: TypeAlias = Literal["NFC", "NFD", "NFKC", "NFKD"]

MAX_MARKS_IN_A_ROW: Final = 30

_MARK: Final = r"[\P{Canonical_Combining_Class=0}\u0f73\u0f75\u0f81]"  # each of the three is composed of two
_LONG_ROW: Final = regex.compile(rf"({_MARK}{{{MAX_MARKS_IN_A_ROW}}}){_MARK}+")


def normalize(form: NormalForm, text: str) -> str:
    """Return the text in a normal form, with at most :data:`MAX_MARKS_IN_A_ROW` marks in a row."""
    return unicodedata.normalize(form, text if text.isascii() else _LONG_ROW.sub(r"\1", text))

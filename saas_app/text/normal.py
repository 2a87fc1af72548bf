"""Unicode's normal forms of a text from outside, in time that grows with its length, not with its square.

To put the marks on a letter in order, each is compared with those before it, so a megabyte of marks on one
letter takes minutes. No writing puts more than a few there. What is beyond the thirtieth is taken out, where
UAX #15 (section 13, Stream-Safe Text) would break the row. Pure.
"""

from __future__ import annotations

import unicodedata
from typing import Final, Literal, TypeAlias

import regex

NormalForm: TypeAlias = Literal["NFC", "NFD", "NFKC", "NFKD"]

MOST_MARKS_IN_A_ROW: Final = 30

_MARK: Final = r"[\P{Canonical_Combining_Class=0}\u0f73\u0f75\u0f81]"  # the three are each made of two
_LONG_ROW: Final = regex.compile(rf"({_MARK}{{{MOST_MARKS_IN_A_ROW}}}){_MARK}+")


def normalize(form: NormalForm, text: str) -> str:
    """Return the text in a normal form, with at most :data:`MOST_MARKS_IN_A_ROW` marks in a row."""
    return unicodedata.normalize(form, text if text.isascii() else _LONG_ROW.sub(r"\1", text))

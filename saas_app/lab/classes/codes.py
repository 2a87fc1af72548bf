"""The codes with which learners join a class: short, readable aloud, and hard to guess.

Eight letters of the alphabet that RFC 8628 §6.1 recommends for codes that people type: consonants only, so
that they spell no words and none looks like a digit. That is 20⁸, or 25 billion codes.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH: Final = 8

_CODE: Final = re.compile(rf"[{ALPHABET}]{{{LENGTH}}}")
_BETWEEN: Final = re.compile(r"[\s\-‐‑‒–—_.]+")  # what people type between the two halves


def new_code() -> str:
    """Return a random code."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def read_code(typed: str) -> str | None:
    """Return the code that somebody typed, in any case and with any gap, or None if it is none."""
    code = _BETWEEN.sub("", typed).upper()
    return code if _CODE.fullmatch(code) else None


def shown_code(code: str) -> str:
    """Return a code in two halves, as people read it aloud: ``WDJB-MJHT``."""
    return f"{code[:4]}-{code[4:]}"

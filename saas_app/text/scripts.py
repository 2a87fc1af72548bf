"""Mixed scripts, which can deceive: Cyrillic ``а`` looks right in a Latin word but is another character.

The rule is "highly restrictive" of UTS #39 (section 5.2): one script that is in use today, or Latin together
with the scripts of Japanese, Chinese or Korean.
"""

from __future__ import annotations

from typing import Final

import regex

_ALONE: Final = """
    Arabic Armenian Bengali Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Hebrew Kannada Khmer
    Lao Latin Malayalam Myanmar Oriya Sinhala Tamil Telugu Thaana Thai Tibetan
""".split()  # noqa: SIM905 - recommended in UAX #31, table 5
_TOGETHER: Final = (
    ("Latin", "Han", "Hiragana", "Katakana"),
    ("Latin", "Han", "Bopomofo"),
    ("Latin", "Han", "Hangul"),
)


def _only(*scripts: str) -> regex.Pattern[str]:
    named = "".join(rf"\p{{scx={script}}}" for script in (*scripts, "Common", "Inherited"))
    return regex.compile(f"[{named}]*")


_ALLOWED: Final = tuple(_only(*scripts) for scripts in (*((script,) for script in _ALONE), *_TOGETHER))


def is_of_one_script(text: str) -> bool:
    """Return whether all letters of ``text`` are of one script. Digits and punctuation suit every script."""
    return text.isascii() or any(pattern.fullmatch(text) for pattern in _ALLOWED)

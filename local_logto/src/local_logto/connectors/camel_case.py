"""Names in camel case, exactly as Logto 1.42 writes the claims of a provider (npm: ``camelcase`` 8).

Different claims can get the same name: ``Email`` becomes ``email``, and ``ID`` becomes ``id``.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_SEPARATORS: Final = r"[_.\- ]+"
_LEADING: Final = re.compile(rf"^{_SEPARATORS}")
_AFTER_SEPARATORS: Final = re.compile(rf"{_SEPARATORS}(\w|$)")
_AFTER_DIGITS: Final = re.compile(r"[0-9]+(\w|$)")


def camel_case(name: str) -> str:
    """Return the name without separators. A capital marks each word but the first."""
    name = name.strip()
    if len(name) < 2:
        return "" if _LEADING.match(name) else name.lower()
    if name != name.lower():
        name = _marked(name)
    name = _LEADING.sub("", name).lower()
    name = _AFTER_DIGITS.sub(_raised_after_digits, name)
    return _AFTER_SEPARATORS.sub(lambda match: match[1].upper(), name)


def _raised_after_digits(match: re.Match[str]) -> str:
    return match[0] if match.string[match.end() : match.end() + 1] in ("_", "-") else match[0].upper()


def _marked(name: str) -> str:
    """Put a hyphen before each capital that follows a lower-case letter, and before the last of several."""
    characters = list(name)
    is_lower = is_upper = was_upper = False
    index = 0
    while index < len(characters):
        character = characters[index]
        is_preserved = characters[index - 3] == "-" if index > 2 else True
        if is_lower and unicodedata.category(character) == "Lu":
            characters.insert(index, "-")
            is_lower, was_upper, is_upper = False, is_upper, True
            index += 1
        elif is_upper and was_upper and unicodedata.category(character) == "Ll" and not is_preserved:
            characters.insert(index - 1, "-")
            was_upper, is_upper, is_lower = is_upper, False, True
        else:
            lower, upper = character.lower(), character.upper()
            is_lower = lower == character != upper
            was_upper = is_upper
            is_upper = upper == character != lower
        index += 1
    return "".join(characters)

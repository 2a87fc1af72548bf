"""An organization's logo and color: which values are accepted, and which text is readable on the color.

Logto stores them and shows them on its sign-in pages. Other programs may have set them there, so pages show
only what passes the checks of this module. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from saas_app.text.pictures import NotAPicture, read_picture, shown_picture
from saas_app.text.translation import Sentence, _

WHITE: Final = "#ffffff"
BLACK: Final = "#000000"

_SIX_DIGITS: Final = re.compile(r"#[0-9a-f]{6}")
_THREE_DIGITS: Final = re.compile(r"#[0-9a-f]{3}")


class NotAColor(ValueError):
    """The text is no color in hexadecimal notation."""

    def __init__(self) -> None:
        self.reason: Sentence = _(
            "Enter a color as # and six digits or letters from a to f, such as #3651c4."
        )
        super().__init__(self.reason)


def read_color(text: str) -> str:
    """Return a color such as ``#3651c4``, in lower case. Raises :class:`NotAColor`."""
    color = text.lower()
    if not text.isascii() or not _SIX_DIGITS.fullmatch(color):
        raise NotAColor
    return color


def read_logo(text: str) -> str:
    """Return the address of a logo, checked. Raises :class:`NotAPicture`.

    A person's picture may be a ``data:`` URL. A logo may not: it is on every page, and Logto shows it too.
    """
    if not text.startswith("https://"):
        raise NotAPicture(_("The address must start with https://."))
    return read_picture(text)


def _shown_logo(address: str | None) -> str | None:
    return shown_picture(address) if address and address.startswith("https://") else None


def shown_color(text: str | None) -> str | None:
    """Return the color with six digits if pages may show it. Logto also stores the short form, ``#36c``."""
    short = (text or "").lower()
    if _THREE_DIGITS.fullmatch(short):
        text = "#" + "".join(2 * digit for digit in short[1:])
    try:
        return read_color(text) if text else None
    except NotAColor:
        return None


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colors, from 1 to 21 (WCAG 2.2). Text needs 4.5."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@lru_cache(maxsize=4096)
def text_color_on(color: str) -> str:
    """Return white or black, whichever is more readable on the color. Its contrast is at least 4.58."""
    return max(WHITE, BLACK, key=lambda text: contrast(text, color))


def _luminance(color: str) -> float:
    red, green, blue = (_linear(int(color[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


@dataclass(frozen=True, slots=True)
class Branding:
    """An organization's logo, its logo for dark pages, and its color. None means that it is not set."""

    logo: str | None = None
    dark_logo: str | None = None
    color: str | None = None

    @classmethod
    def stored(cls, branding: Any, color: Any) -> Branding:
        """Read the JSON of Logto's columns ``branding`` and ``color``, without any check of the values."""
        return cls(_text(branding, "logoUrl"), _text(branding, "darkLogoUrl"), _text(color, "primaryColor"))

    @property
    def shown(self) -> Branding:
        """What pages may show of it: public addresses with HTTPS, and a color of six digits."""
        return Branding(_shown_logo(self.logo), _shown_logo(self.dark_logo), shown_color(self.color))


UNBRANDED: Final = Branding()


def _text(entry: Any, name: str) -> str | None:
    value = entry.get(name) if isinstance(entry, Mapping) else None
    return value if isinstance(value, str) and value else None

"""Pictures of demo people, drawn as flat shapes. They are ``data:`` URLs, so the demo needs no network."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

_LONG: Final = "M11 40V23a13 13 0 0 1 26 0v17z"
_PARTED: Final = "M14 22q1-11 11-10 8 0 9 10-7-1-11-6-3 5-9 6"
_BOB: Final = "M12 24a12 12 0 0 1 24 0q2 8-2 11H14q-4-3-2-11"
_SHORT: Final = "M13 23a11 11 0 0 1 22 0l-2-2q-9 0-12-4-4 1-6 5z"


def _portrait(background: str, skin: str, hair: str, clothes: str, behind: str = "", front: str = "") -> str:
    """Return a head with hair behind or in front of the face, above shoulders."""
    drawn = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 48 48'>"
        f"<path fill='{background}' d='M0 0h48v48H0z'/>"
        f"<path fill='{hair}' d='{behind}'/>"
        f"<path fill='{clothes}' d='M6 48q2-11 18-11t18 11z'/>"
        f"<path fill='{skin}' d='M20 30h8v8q-4 4-8 0z'/>"
        f"<ellipse cx='24' cy='24' rx='9' ry='10.5' fill='{skin}'/>"
        f"<path fill='{hair}' d='{front}'/>"
        "</svg>"
    )
    return f"data:image/svg+xml,{quote(drawn, safe='=:/')}"


ALICE: Final = _portrait("#dbe7f5", "#f2c9a8", "#8a4b2a", "#31569c", behind=_LONG, front=_PARTED)
CAROL: Final = _portrait("#fde8c8", "#8d5a3b", "#2b1d18", "#b8482f", behind=_BOB)
DAVE: Final = _portrait("#dcefe2", "#e8b98f", "#1f1f24", "#2f6b52", front=_SHORT)

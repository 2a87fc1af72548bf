"""The form of an id that Logto gives, for everything that can be named in a path or a claim."""

from __future__ import annotations

import re
from typing import Final

ID_PATTERN: Final = "[A-Za-z0-9_-]{1,64}"
"""Logto 1.42 gives organizations, users and applications 12 to 21 of these characters; we allow 64."""

_ID: Final = re.compile(ID_PATTERN)


def is_id(text: str) -> bool:
    """Return whether ``text`` has the form of an id. It says nothing about whether such a thing exists."""
    return _ID.fullmatch(text) is not None

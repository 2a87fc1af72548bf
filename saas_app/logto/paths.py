"""Ids and names as segments of a path."""

from __future__ import annotations

import re
from urllib.parse import quote

from saas_app.logto.transport import ManagementError

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def segment(value: str) -> str:
    """An id as a path segment. What has not an id's form names nothing, and is never sent."""
    if not _ID.fullmatch(value):
        raise ManagementError(404, "entity.not_found", "There is nothing with such an id.")
    return value


def quoted(name: str) -> str:
    """Any name as a path segment. Dots alone would lead elsewhere, so nothing can be reached by them."""
    if not name.strip("."):
        raise ManagementError(400, "guard.invalid_input", "Nothing with such a name can be reached.")
    return quote(name, safe="")

"""Ids as segments of a path."""

from __future__ import annotations

import re

from saas_app.identity.management.transport import ManagementError

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def segment(value: str) -> str:
    """An id as a path segment. What has not an id's form names nothing, and is never sent."""
    if not _ID.fullmatch(value):
        raise ManagementError(404, "entity.not_found", "There is nothing with such an id.")
    return value

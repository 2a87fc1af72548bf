"""Ids and names as segments of a path."""

from __future__ import annotations

from urllib.parse import quote

from saas_app.logto.transport import ManagementError
from saas_app.text.ids import is_id


def segment(value: str) -> str:
    """An id as a path segment. What has not an id's form names nothing, and is never sent."""
    if not is_id(value):
        raise ManagementError(404, "entity.not_found", "No item with this ID exists.")
    return value


def quoted(name: str) -> str:
    """Any name as a path segment. Dots alone would lead elsewhere, so nothing can be reached by them."""
    if not name.strip("."):
        raise ManagementError(400, "guard.invalid_input", "No item with this name can be reached.")
    return quote(name, safe="")

"""IDs and names as segments of a URL path."""

from __future__ import annotations

from urllib.parse import quote

from saas_app.logto.responses import ManagementError
from saas_app.text.ids import is_id


def segment(value: str) -> str:
    """Return an ID unchanged. A malformed one cannot exist, so it raises a 404 and nothing is sent."""
    if not is_id(value):
        raise ManagementError(404, "entity.not_found", "No item with this ID exists.")
    return value


def quoted(name: str) -> str:
    """Return any name, percent-encoded. ``.`` and ``..`` raise a 400: they would name another path."""
    if not name.strip("."):
        raise ManagementError(400, "guard.invalid_input", "No item with this name can be reached.")
    return quote(name, safe="")

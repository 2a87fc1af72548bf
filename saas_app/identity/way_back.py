"""The way back after a sign-in: only paths of our own."""

from __future__ import annotations

from urllib.parse import urlsplit

_MAX_LENGTH = 2000
KEPT_FORM = "/sign-in/finish"  # where a form waits; the one page below /sign-in that a sign-in may lead to
_NOWHERE = ("/sign-in", "/sign-up", "/callback")  # coming back there would go round in circles


def own_path(value: str | None, default: str = "/") -> str:
    """``value`` when it is a path on this site, else ``default``.

    Browsers read ``//host``, ``/\\host`` and paths with tabs or newlines as other sites; none of those, and
    nothing with a scheme or a host, comes through.
    """
    if not value or len(value) > _MAX_LENGTH or not value.startswith("/"):
        return default
    if (
        value.startswith("//")
        or "\\" in value
        or any(ord(char) < 0x20 or ord(char) == 0x7F for char in value)
    ):
        return default
    parts = urlsplit(value)
    if parts.scheme or parts.netloc or parts.path.startswith("//"):
        return default
    if parts.path == KEPT_FORM:
        return value
    if any(parts.path == path or parts.path.startswith(f"{path}/") for path in _NOWHERE):
        return default
    return value

"""Where to go after a sign-in: only to our own paths."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

_MAX_LENGTH = 2000
KEPT_FORM = "/sign-in/finish"  # a form waits here; the only page below /sign-in that a sign-in may lead to
_RENEWAL = "/sign-in/renew"
_LOOPING_PATHS = ("/sign-in", "/sign-up", "/callback")  # returning there would loop


def renewing_first(path: str) -> str:
    """Return where a browser goes to renew its grant silently at Logto, and then to ``path``."""
    return f"{_RENEWAL}?{urlencode({'next': path})}"


def signing_in_first(path: str) -> str:
    """Return where a browser goes so that Logto asks who this is, and then to ``path``."""
    return f"/sign-in?{urlencode({'prompt': 'login', 'next': path})}"


def own_path(value: str | None, default: str = "/") -> str:
    """Return ``value`` if it is a path on this site, else ``default``.

    Browsers read ``//host``, ``/\\host`` and paths with tabs or newlines as other sites. Those are rejected,
    and so is everything with a scheme or a host.
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
    if any(parts.path == path or parts.path.startswith(f"{path}/") for path in _LOOPING_PATHS):
        return default
    return value

"""Whether a redirect URI is registered: equal to one of the application's, or matching a ``*`` pattern of
Logto's.

In a host, ``*`` matches one or more characters of one label, except in the last two labels. In a path it
matches any characters. It is not special in scheme, port, query or fragment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, urlsplit

_PATTERN: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<host>[^/?#:@\[\]]+)(?::(?P<port>\d+))?(?P<path>/[^?#]*)?"
    r"(?P<rest>[?#].*)?"
)
_LOOPBACKS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def is_registered(redirect_uri: str, registered: Iterable[str]) -> bool:
    return any(redirect_uri == one or ("*" in one and _matches(one, redirect_uri)) for one in registered)


def is_loopback_variant(redirect_uri: str, registered: Iterable[str]) -> bool:
    """Return whether the URI differs from a registered loopback URI only in the port (RFC 8252 §7.3)."""
    return _without_loopback_port(redirect_uri) in {
        known for one in registered if (known := _without_loopback_port(one)) is not None
    }


def is_at_origin(registered: str, origin: str) -> bool:
    """Return whether a page of this origin can be at the registered URI or pattern."""
    if "*" in registered:
        pattern, actual = _PATTERN.fullmatch(registered), _split(origin)
        return pattern is not None and actual is not None and _matches_origin(pattern, actual)
    try:
        own = urlsplit(registered)
    except ValueError:
        return False
    return f"{own.scheme}://{own.netloc}" == origin


def _without_loopback_port(uri: str) -> str | None:
    parts = _split(uri)
    if parts is None or parts.scheme != "http" or parts.hostname not in _LOOPBACKS:
        return None
    return parts._replace(netloc=parts.hostname).geturl()


def _matches(pattern: str, redirect_uri: str) -> bool:
    parts = _PATTERN.fullmatch(pattern)
    actual = _split(redirect_uri)
    if parts is None or actual is None or "*" in (parts["rest"] or ""):
        return False
    return (
        _matches_origin(parts, actual)
        and _matches_text(parts["path"] or "/", actual.path or "/", ".*")
        and _tail(actual) == (parts["rest"] or "")
    )


def _matches_origin(pattern: re.Match[str], actual: SplitResult) -> bool:
    labels = pattern["host"].lower().split(".")
    if "*" in pattern["host"] and (len(labels) < 2 or any("*" in label for label in labels[-2:])):
        return False
    scheme = pattern["scheme"].lower()
    port = int(pattern["port"]) if pattern["port"] else _DEFAULT_PORTS.get(scheme)
    return (
        actual.scheme == scheme
        and (actual.port or _DEFAULT_PORTS.get(scheme)) == port
        and _match_labels(labels, (actual.hostname or "").split("."))
    )


def _split(redirect_uri: str) -> SplitResult | None:
    try:
        actual = urlsplit(redirect_uri)
        usable = actual.port is None or actual.port > 0
    except ValueError:
        return None
    # With dot segments and backslashes a browser could leave the pattern's path.
    climbs = any(segment in {"..", "."} for segment in re.split(r"[/\\]|%2f|%5c", actual.path.lower()))
    return actual if usable and not climbs and actual.username is None else None


def _tail(actual: SplitResult) -> str:
    query = f"?{actual.query}" if actual.query else ""
    return query + (f"#{actual.fragment}" if actual.fragment else "")


def _match_labels(patterns: list[str], labels: list[str]) -> bool:
    return len(patterns) == len(labels) and all(
        _matches_text(pattern, label, "[^.]+") for pattern, label in zip(patterns, labels, strict=True)
    )


def _matches_text(pattern: str, text: str, star: str) -> bool:
    return re.fullmatch(star.join(re.escape(part) for part in pattern.split("*")), text) is not None

"""Typed reads from JSON objects whose members may be missing. No rules of Logto."""

from __future__ import annotations

from collections.abc import Mapping


def mapping(value: Mapping[str, object], key: str) -> Mapping[str, object]:
    """Return the object at ``key``, or an empty one."""
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}


def mappings(value: Mapping[str, object], key: str) -> tuple[Mapping[str, object], ...]:
    """Return the objects in the list at ``key``."""
    found = value.get(key)
    return tuple(item for item in found if isinstance(item, Mapping)) if isinstance(found, list) else ()


def strings(value: Mapping[str, object], key: str) -> tuple[str, ...]:
    """Return the strings in the list at ``key``."""
    found = value.get(key)
    return tuple(item for item in found if isinstance(item, str)) if isinstance(found, list) else ()


def text(value: Mapping[str, object], key: str) -> str | None:
    """Return the string at ``key``, or None."""
    found = value.get(key)
    return found if isinstance(found, str) else None


def integer(value: Mapping[str, object], key: str, default: int) -> int:
    """Return the integer at ``key``, or the default."""
    found = value.get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) else default


def boolean(value: Mapping[str, object], key: str, *, default: bool) -> bool:
    """Return the boolean at ``key``, or the default."""
    found = value.get(key)
    return found if isinstance(found, bool) else default

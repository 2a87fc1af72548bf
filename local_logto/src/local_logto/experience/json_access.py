"""Typed reads from JSON objects whose members may be missing. No rule of Logto's belongs here."""

from __future__ import annotations

from collections.abc import Mapping


def mapping(value: Mapping[str, object], key: str) -> Mapping[str, object]:
    """The object under ``key``, or an empty one."""
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}


def mappings(value: Mapping[str, object], key: str) -> tuple[Mapping[str, object], ...]:
    """The objects in the list under ``key``."""
    found = value.get(key)
    return tuple(item for item in found if isinstance(item, Mapping)) if isinstance(found, list) else ()


def strings(value: Mapping[str, object], key: str) -> tuple[str, ...]:
    """The strings in the list under ``key``."""
    found = value.get(key)
    return tuple(item for item in found if isinstance(item, str)) if isinstance(found, list) else ()


def text(value: Mapping[str, object], key: str) -> str | None:
    """The string under ``key``, or None."""
    found = value.get(key)
    return found if isinstance(found, str) else None


def integer(value: Mapping[str, object], key: str, default: int) -> int:
    """The whole number under ``key``, or the default."""
    found = value.get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) else default


def boolean(value: Mapping[str, object], key: str, *, default: bool) -> bool:
    """The truth value under ``key``, or the default."""
    found = value.get(key)
    return found if isinstance(found, bool) else default

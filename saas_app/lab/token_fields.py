"""The fields of one token, or of several side by side: aligned by name, readable, and compared. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from saas_app.lab.claims import (
    EVERY_TIME,
    LISTS,
    MILLISECONDS,
    SECONDS,
    Meaning,
    claims_in_order,
    header_in_order,
    meaning_of_claim,
    meaning_of_header,
)
from saas_app.text.translation import Sentence

Part = Mapping[str, Any] | None
"""The header or the claims of a token. None if there is no token, or if it says nothing."""

_MOST_ITEMS: Final = 40
_MOST_CHARACTERS: Final = 1500
_ABSENT: Final = object()


class Difference(StrEnum):
    """How a field differs between the first token and the second one."""

    SAME = "same"
    EVERY_TIME = "every-time"  # it differs between any two tokens
    CHANGED = "changed"
    ONLY_FIRST = "only-first"
    ONLY_SECOND = "only-second"


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a list. ``only_here``: the list of the other token does not have it."""

    text: str
    only_here: bool


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a field in one token, for reading.

    ``text`` is the value as it stands in the token. ``moment`` is set for times, and ``items`` for lists.
    ``left_out`` counts the characters or items that are too many to show.
    """

    text: str
    moment: datetime | None = None
    items: tuple[Item, ...] | None = None
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Field:
    """A field, and its value in each token. A value is None where a token does not have the field."""

    name: str
    label: Sentence
    meaning: Sentence
    values: tuple[Value | None, ...]
    difference: Difference

    @property
    def tells(self) -> bool:
        """Whether the tokens differ here in a way that says something."""
        return self.difference not in (Difference.SAME, Difference.EVERY_TIME)

    @property
    def leads(self) -> bool:
        """Whether a short comparison shows the field: it differs, or it says what the token allows."""
        return self.tells or self.name == "scope"


def header_fields(*headers: Part) -> tuple[Field, ...]:
    """Return the fields of one or two headers."""
    return _fields(header_in_order, meaning_of_header, headers)


def claim_fields(*claims: Part) -> tuple[Field, ...]:
    """Return the claims of one or two tokens."""
    return _fields(claims_in_order, meaning_of_claim, claims)


def _fields(
    in_order: Callable[..., Sequence[str]], meaning_of: Callable[[str], Meaning], parts: Sequence[Part]
) -> tuple[Field, ...]:
    present = [part for part in parts if part is not None]
    return tuple(_field(name, *meaning_of(name), parts) for name in in_order(*present))


def _field(name: str, label: Sentence, meaning: Sentence, parts: Sequence[Part]) -> Field:
    raw = [_ABSENT if part is None else part.get(name, _ABSENT) for part in parts]
    others = [_items(name, value) for value in reversed(raw)] if len(raw) > 1 else [None]
    values = tuple(
        None if value is _ABSENT else _value(name, value, other)
        for value, other in zip(raw, others, strict=True)
    )
    is_compared = len(parts) > 1 and None not in parts
    return Field(name, label, meaning, values, _difference(name, raw) if is_compared else Difference.SAME)


def _difference(name: str, raw: Sequence[Any]) -> Difference:
    first, second = raw
    if first is _ABSENT:
        return Difference.ONLY_SECOND
    if second is _ABSENT:
        return Difference.ONLY_FIRST
    if first == second or _is_same_list(name, first, second):
        return Difference.SAME
    return Difference.EVERY_TIME if name in EVERY_TIME else Difference.CHANGED


def _is_same_list(name: str, first: Any, second: Any) -> bool:
    """Return whether both are lists of the same entries. Logto promises no order."""
    both = (_items(name, first), _items(name, second))
    return None not in both and sorted(both[0] or ()) == sorted(both[1] or ())


def _value(name: str, value: Any, other: Sequence[str] | None) -> Value:
    items = _items(name, value)
    if items is not None:
        elsewhere = frozenset(other if other is not None else items)
        shown = [Item(_cut(item), item not in elsewhere) for item in items]
        first = sorted(shown, key=lambda item: not item.only_here)[:_MOST_ITEMS]
        return Value("", items=tuple(first), left_out=len(items) - len(first))
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return Value(_cut(text), moment=_moment(name, value), left_out=max(0, len(text) - _MOST_CHARACTERS))


def _items(name: str, value: Any) -> list[str] | None:
    """Return the entries of a list of texts, else None."""
    if name in LISTS and isinstance(value, str):
        return value.split()
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    return None


def _moment(name: str, value: Any) -> datetime | None:
    """Return the moment of a time, or None if it is none that a calendar has."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    if name not in SECONDS | MILLISECONDS:
        return None
    try:
        return datetime.fromtimestamp(value / 1000 if name in MILLISECONDS else value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _cut(text: str) -> str:
    return text[:_MOST_CHARACTERS]

"""Rejects JSON that is ambiguous or expensive, before it is parsed. Pure."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

from saas_app.errors import BadRequest
from saas_app.text.translation import _

MAX_DEPTH: Final = 16  # levels of nesting; our bodies have three
MAX_CONTAINERS: Final = 10_000  # objects and lists; ours have about a thousand, millions take seconds
MAX_NAMES: Final = 5_000  # of fields; ours have about three thousand, and each unknown one is an error
MAX_VALUES: Final = 10_000  # in all objects and lists
_MAX_QUOTES: Final = 2 * (MAX_NAMES + MAX_VALUES)
_STRING = re.compile(
    rb'"[^"\\]*(?:\\.?[^"\\]*)*(?:"|\Z)', re.DOTALL
)  # also matches an unclosed string, so it never backtracks
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
_AS_SQUARE = bytes.maketrans(b"{}", b"[]")


def require_strict_json(raw: bytes) -> None:
    """Reject JSON that two parsers could read differently, or not at all (RFC 8259, I-JSON RFC 7493).

    Accepts UTF-8 without a byte order mark, without duplicate names in an object, ``NaN``, ``Infinity`` and
    lone surrogates, of at most :data:`MAX_DEPTH` levels, :data:`MAX_CONTAINERS`, :data:`MAX_NAMES` and
    :data:`MAX_VALUES`. These are counted before the JSON is parsed. Raises :class:`BadRequest`.
    """
    if raw.count(b'"') - raw.count(b'\\"') > _MAX_QUOTES:
        raise BadRequest(_("The JSON has more than %(value)s names and texts.", value=MAX_NAMES + MAX_VALUES))
    structure = _STRING.sub(b"", raw)
    if structure.count(b":") > MAX_NAMES:
        raise BadRequest(_("The JSON has more than %(max_names)s names.", max_names=MAX_NAMES))
    if structure.count(b",") >= MAX_VALUES:
        raise BadRequest(_("The JSON has more than %(max_values)s values.", max_values=MAX_VALUES))
    brackets = _brackets(structure)
    if brackets.count(b"[") > MAX_CONTAINERS:
        raise BadRequest(
            _("The JSON has more than %(max_containers)s objects and lists.", max_containers=MAX_CONTAINERS)
        )
    for _level in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"")  # removes the innermost level
    if b"[]" in brackets or brackets.count(b"[") > MAX_DEPTH:  # even if never closed
        raise BadRequest(_("The JSON is nested deeper than %(max_depth)s levels.", max_depth=MAX_DEPTH))
    try:
        value = json.loads(
            raw.decode(), object_pairs_hook=_without_repetition, parse_constant=_refuse_constant
        )
        if _SURROGATE.search(raw):
            json.dumps(value, ensure_ascii=False).encode()  # raises for a surrogate without its counterpart
    except UnicodeError:
        raise BadRequest(_("The body is not valid JSON in UTF-8.")) from None
    except ValueError:  # also for numbers of thousands of digits
        raise BadRequest(_("The body is not valid JSON.")) from None


def _brackets(structure: bytes) -> bytes:
    """Return only the brackets and braces of a text, all as square brackets."""
    return structure.translate(_AS_SQUARE, _NO_BRACKET)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) != len(pairs):
        raise BadRequest(_("The JSON has an object with a duplicate name."))
    return named


def _refuse_constant(name: str) -> NoReturn:
    raise BadRequest(_("The body is not valid JSON: %(name)s is not a number.", name=name))

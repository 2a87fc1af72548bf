"""JSON that two parsers could read differently is rejected; everything else is accepted."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas_app.errors import BadRequest
from saas_app.web.json_api.strict_json import (
    MAX_CONTAINERS,
    MAX_DEPTH,
    MAX_NAMES,
    MAX_VALUES,
    require_strict_json,
)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(values, st.booleans())
def test_any_json_value_is_accepted_with_any_escapes(value: Any, ascii_only: bool) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only).encode()
    if depth(value) <= MAX_DEPTH:
        require_strict_json(raw)


@given(values, st.integers(min_value=0, max_value=MAX_DEPTH + 2))
def test_brackets_inside_strings_do_not_count_as_depth(value: Any, levels: int) -> None:
    for _ in range(levels):
        value = [value, "]"]
    try:
        require_strict_json(json.dumps(value).encode())
    except BadRequest:
        assert depth(value) > MAX_DEPTH
    else:
        assert depth(value) <= MAX_DEPTH


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "[[[[[[[[[[[[[[[[[[[[[["}',
        r'{"name": "\"[[[[[[[[[[[[[[[[[[[[[[\""}',
        r'{"name": "\\", "more": "]]]]]]]]]]]]]]]]]]]]"}',
        r'{"name": "\\\"{{{{{{{{{{{{{{{{{{{{{{{{"}',
        r'{"name": "\ud83d\ude80"}',
        r'{"name": "\\ud83d is how it begins"}',
        '{"name": "🚀", "naïve": null}',
        '{"a": {"name": 1}, "b": {"name": 2}}',
        '{"number": 1e308}',
        "[" + "{}," * (MAX_CONTAINERS - 1) + "1]",
        '{"name": "' + "[" * 500_000 + '"}',
        "[" * MAX_DEPTH + "]" * MAX_DEPTH,
    ],
)
def test_valid_documents_are_accepted(text: str) -> None:
    require_strict_json(text.encode())


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"{'name': 1}", "not valid JSON"),
        (b'{"name": 1} {"name": 2}', "not valid JSON"),
        (b'{"name": "\x00"}', "not valid JSON"),
        (b'{"name": 1, "name": 2}', "duplicate"),
        (b'{"deep": [{"name": 1, "n\\u0061me": 2}]}', "duplicate"),
        (b'{"number": NaN}', "NaN"),
        (b'{"number": -Infinity}', "Infinity"),
        (b'{"number": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (rb'{"name": "\ud800"}', "UTF-8"),
        (rb'{"name": "\udc00\ud800"}', "UTF-8"),
        (rb'{"\udfff": 1}', "UTF-8"),
        (b'\xef\xbb\xbf{"name": 1}', "not valid JSON"),
        ('{"name": "ü"}'.encode("latin-1"), "UTF-8"),
        ('{"name": 1}'.encode("utf-16"), "UTF-8"),
        ('{"name": 1}'.encode("utf-16-le"), "not valid JSON"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "deeper"),
        (b'{"a":' * 17 + b"1" + b"}" * 17, "deeper"),
        (b'["\\"",' * 17 + b"1" + b"]" * 17, "deeper"),
        (b"[" * 5_000 + b"]" * 5_000, "deeper"),
        (b'{"a":' * 5_000, "deeper"),
        (b"[" + b"{}," * MAX_CONTAINERS + b"1]", "more than"),
        (b'"' + rb"\"" * 10 + b"\\", "not valid JSON"),
        (json.dumps(dict.fromkeys(map(str, range(75_000)), 1)).encode(), "more than"),
        (json.dumps(dict.fromkeys(map(str, range(MAX_NAMES + 1)), 1)).encode(), "5,000 names"),
        (json.dumps([{"a": 1, "b": 1}] * (MAX_NAMES // 2 + 1)).encode(), "5,000 names"),
        (json.dumps([1] * (MAX_VALUES + 1)).encode(), "10,000 values"),
        (json.dumps([""] * 300_000).encode(), "names and texts"),
    ],
)
def test_ambiguous_invalid_and_oversized_documents_are_rejected(raw: bytes, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        require_strict_json(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'"' + rb"\"" * 499_999,  # an unterminated string of escaped quotes
        b'"' + rb"\"" * 499_998 + b'"',
        b'"' + rb"\"" * 499_998 + b"\\",
        b"[" + b"[]," * 333_000 + b"1]",
        b'{"a":"' + b"[" * 999_000 + b'"}',
        b"[" * 1_000_000,
        rb'"\ud800' + rb"\ud83d\ude00" * 80_000 + b'"',
    ],
    ids=[
        "unterminated",
        "escapes",
        "ends with an escape",
        "many lists",
        "long string",
        "only brackets",
        "surrogates",
    ],
)
def test_a_megabyte_of_hostile_json_is_checked_quickly(raw: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(BadRequest):
        require_strict_json(raw)
    assert time.process_time() - began < 10  # seconds; a quadratic algorithm takes minutes

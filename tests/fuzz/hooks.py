"""Hooks for schemathesis: the token for each operation, and the organization to call.

The fuzzer's own process loads them (``SCHEMATHESIS_HOOKS``) and passes values in its environment.
"""

from __future__ import annotations

import os
import re
import uuid
from functools import cache
from typing import Any

import schemathesis
from hypothesis import strategies as st
from hypothesis.strategies._internal import regex as patterns

from saas_app.text.visible import SHOWS

_TOKENS = {name: os.environ.get(f"FUZZ_{name}", "") for name in ("apiToken", "organizationToken")}

# By default the fuzzer makes headers of letters and digits only. A format says how to make others.
_TAG = st.from_regex(r'\A(W/)?"[!#-~]{0,40}"\Z')
_TAGS = st.lists(_TAG, min_size=1, max_size=3).map(", ".join)
schemathesis.openapi.format("entity-tags", st.just("*") | _TAGS)


@schemathesis.auth(
    refresh_interval=None
)  # a cached token would be sent to operations that need the other kind
class BearerToken:
    """The kind of token that the operation's security requires."""

    def get(self, case: Any, context: Any) -> str:
        asked = [name for entry in context.operation.definition.raw.get("security", []) for name in entry]
        return next((_TOKENS[name] for name in asked if name in _TOKENS), _TOKENS["apiToken"])

    def set(self, case: Any, data: str, context: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Narrow the schema to valid values that it cannot describe: the caller's organization, and no member.

    The fuzzer still sends other values, as invalid ones.
    """
    _require_visible_names(raw_schema)
    for model in raw_schema["components"]["schemas"].values():
        if "assignee_id" in model.get("properties", {}):
            model["properties"]["assignee_id"] = {"type": "null"}
    for operations in raw_schema["paths"].values():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                if parameter["name"] == "organization_id":
                    parameter["schema"] = {"type": "string", "enum": [os.environ["FUZZ_ORGANIZATION"]]}
                if parameter["name"] == "cursor":
                    parameter["schema"] = {"type": "string", "maxLength": 0}
                if parameter["name"] == "If-Match":
                    parameter["schema"]["format"] = "entity-tags"


@cache
def _visible_character() -> str:
    """Return a pattern for one visible character. It is too long for the published schema."""
    everything = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    seen = [ord(char) for char in SHOWS.findall(everything)]
    starts = [code for code, before in zip(seen, [-2, *seen], strict=False) if code != before + 1]
    ends = [code for code, after in zip(seen, [*seen[1:], -2], strict=True) if code + 1 != after]
    ranges = (f"{re.escape(chr(a))}-{re.escape(chr(b))}" for a, b in zip(starts, ends, strict=True))
    return f"[{''.join(ranges)}]"


_build = patterns.base_regex_strategy
_built: dict[tuple[re.Pattern[str], str], Any] = {}


def _build_once(regex: re.Pattern[str], *, alphabet: Any, parsed: Any = None) -> Any:
    """Keep how a pattern is drawn: Hypothesis adds each visible character to a set whenever it is asked."""
    key = (regex, repr(alphabet))
    if key not in _built:
        _built[key] = _build(regex, alphabet=alphabet, parsed=parsed)
    return _built[key]


patterns.base_regex_strategy = _build_once


def _require_visible_names(schema: Any) -> None:
    """Require a visible character in names. The published pattern covers only the most common ones."""
    if isinstance(schema, list):
        for item in schema:
            _require_visible_names(item)
    if isinstance(schema, dict):
        if str(schema.get("pattern", "")).startswith(r"[^\s"):
            schema["pattern"] = _visible_character()
        for item in schema.values():
            _require_visible_names(item)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Make each valid Idempotency-Key unique: with another body it would be rejected."""
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch("[!-~]{1,255}", key):
        case.headers["Idempotency-Key"] = f"{key[:200]}-{uuid.uuid4()}"

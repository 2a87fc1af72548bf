"""For schemathesis: which token goes with which operation, and which organization is meant.

Loaded by the fuzzer's own process (``SCHEMATHESIS_HOOKS``); what it needs to know stands in the environment.
"""

from __future__ import annotations

import os
import re
import uuid
from functools import cache
from typing import Any

import schemathesis
from hypothesis import strategies as st

from saas_app.text.visible import SHOWS

_TOKENS = {name: os.environ.get(f"FUZZ_{name}", "") for name in ("apiToken", "organizationToken")}

# By itself the fuzzer makes headers of letters and digits alone; a format says how to make another.
_TAG = st.from_regex(r'\A(W/)?"[!#-~]{0,40}"\Z')
_TAGS = st.lists(_TAG, min_size=1, max_size=3).map(", ".join)
schemathesis.openapi.format("entity-tags", st.just("*") | _TAGS)


@schemathesis.auth(refresh_interval=None)  # a cached one would go with operations of the other kind
class BearerToken:
    """The kind of token that the operation's security asks for."""

    def get(self, case: Any, context: Any) -> str:
        asked = [name for entry in context.operation.definition.raw.get("security", []) for name in entry]
        return next((_TOKENS[name] for name in asked if name in _TOKENS), _TOKENS["apiToken"])

    def set(self, case: Any, data: str, context: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Say what a valid request may hold that no schema can: the caller's organization, a cursor of ours.

    Every other value stays an invalid one, and is sent too.
    """
    _let_names_be_seen(raw_schema)
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
def _what_can_be_seen() -> str:
    """A pattern for one character that makes a name: too long for the published schema."""
    codes = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    seen = [code for code in codes if SHOWS.match(chr(code))]
    starts = [code for code, before in zip(seen, [-2, *seen], strict=False) if code != before + 1]
    ends = [code for code, after in zip(seen, [*seen[1:], -2], strict=True) if code + 1 != after]
    ranges = (f"{re.escape(chr(a))}-{re.escape(chr(b))}" for a, b in zip(starts, ends, strict=True))
    return f"[{''.join(ranges)}]"


def _let_names_be_seen(schema: Any) -> None:
    """A name must hold something that can be seen, which the published pattern says only of the commonest."""
    if isinstance(schema, list):
        for item in schema:
            _let_names_be_seen(item)
    if isinstance(schema, dict):
        if str(schema.get("pattern", "")).startswith(r"[^\s"):
            schema["pattern"] = _what_can_be_seen()
        for item in schema.values():
            _let_names_be_seen(item)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """An acceptable Idempotency-Key is used once: with another body it is refused, as other tests show."""
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch("[!-~]{1,255}", key):
        case.headers["Idempotency-Key"] = f"{key[:200]}-{uuid.uuid4()}"

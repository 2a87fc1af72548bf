"""Reads what learners type: a request to the practice service."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from saas_app.errors import Invalid
from saas_app.lab.practice.declaration import Break
from saas_app.lab.practice.values import METHODS, Attempt, TokenChoice
from saas_app.text.cleaning import clean_json
from saas_app.text.translation import _

MAX_PATH: Final = 200
MAX_BODY: Final = 2000

_FIELDS: Final = ("method", "path", "token", "body")


def typed_request(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of the form as they were typed, to show them again."""
    return {name: fields.get(name, "") for name in _FIELDS}


def shown_request(attempt: Attempt) -> dict[str, str]:
    """Return the fields of the form for a request."""
    body = "" if attempt.body is None else json.dumps(dict(attempt.body), ensure_ascii=False)
    return {"method": attempt.method, "path": attempt.path, "token": attempt.token.value, "body": body}


def read_request(fields: Mapping[str, str], lesson: Break) -> Attempt:
    """Return the request. Raises :class:`Invalid` with a message for each field that is wrong."""
    method, path = fields.get("method", ""), fields.get("path", "").strip()
    token, wrong = TokenChoice.named(fields.get("token", "")), {}
    body: dict[str, Any] | None = None
    if method not in METHODS:
        wrong["method"] = _("Choose GET or POST.")
    if not path.startswith("/") or len(path) > MAX_PATH or "#" in path:
        wrong["path"] = _(
            "Enter a path that begins with /, such as /reports. It has at most %(most)s characters and no #.",
            most=MAX_PATH,
        )
    if token not in lesson.tokens:
        wrong["token"] = _("Choose one of the tokens.")
    if method == "POST":
        body = _read_body(fields.get("body", ""))
        if body is None:
            wrong["body"] = _(
                'Enter a JSON object of at most %(most)s characters, such as {"words": "plan"}.',
                most=MAX_BODY,
            )
    if wrong or token is None:
        raise Invalid(fields=wrong)
    return Attempt(method, path, token, body)


def _read_body(typed: str) -> dict[str, Any] | None:
    """Return a JSON object, {} for nothing, or None for anything else."""
    if not typed.strip():
        return {}
    if len(typed) > MAX_BODY:
        return None
    try:
        body = clean_json(json.loads(typed))
        json.dumps(body, allow_nan=False)  # 1e999 is read as infinity, which no database stores as JSON
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None

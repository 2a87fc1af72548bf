"""The last check of text before it is stored.

PostgreSQL rejects NUL, and no driver encodes a lone surrogate. Text from outside is cleaned where it comes
in. Anything that was missed there is replaced here, so that a change does not fail halfway.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from saas_app.text.cleaning import storable, storable_json


def replace_unstorable(engine: sa.Engine) -> None:
    """Replace what cannot be stored (NUL, lone surrogates) in the parameters of an engine's statements."""
    event.listen(engine, "before_cursor_execute", _replace_in_parameters, retval=True)


def as_json(value: Any) -> str:
    """Return a value as JSON that can be stored. Use it as the engine's ``json_serializer``."""
    return json.dumps(storable_json(value))


def _replace_in_parameters(
    connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
) -> tuple[str, Any]:
    if isinstance(parameters, tuple) and all(map(_is_harmless, parameters)):
        return statement, parameters
    return statement, _storable(parameters)


def _is_harmless(value: Any) -> bool:
    """Return whether a value is surely storable, at the price of one call: neither is printable."""
    return value.isprintable() if type(value) is str else not isinstance(value, (str, tuple, list, dict))


def _storable(parameters: Any) -> Any:
    if isinstance(parameters, str):
        return storable(parameters)
    if type(parameters) in (list, tuple):
        return type(parameters)(map(_storable, parameters))
    if isinstance(parameters, dict):
        return {name: _storable(value) for name, value in parameters.items()}
    return parameters

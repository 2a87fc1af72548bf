"""Request parameters of the OIDC endpoints, from a query, a form or, as in Logto, a JSON body.

An empty parameter counts as absent. A repeated one keeps all values, so that an endpoint can reject it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from quart import Request

from local_logto.errors import invalid_request

BODY_LIMIT_BYTES: Final = 56 * 1024
_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"


class Params:
    """The non-empty parameters of a request: ``get`` for single ones, ``all`` for repeatable ones."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            if value:
                self._values.setdefault(name, []).append(value)

    def get(self, name: str) -> str | None:
        """Return the value, or None if the parameter is absent or repeated."""
        values = self._values.get(name, [])
        return values[0] if len(values) == 1 else None

    def all(self, name: str) -> list[str]:
        return list(self._values.get(name, []))

    def pairs(self) -> list[tuple[str, str]]:
        return [(name, value) for name, values in self._values.items() for value in values]

    def reject_duplicates(self, *, among: Collection[str]) -> None:
        """Raise ``invalid_request`` if one of these parameters is repeated."""
        twice = [name for name in among if len(self._values.get(name, [])) > 1]
        if twice:
            raise invalid_request(f"{_listed(twice)} {_noun(twice)} must not be provided twice")

    def require(self, *names: str) -> None:
        """Raise ``invalid_request`` that names every absent parameter."""
        missing = [name for name in names if not self._values.get(name)]
        if missing:
            raise invalid_request(f"missing required {_noun(missing)} {_listed(missing)}")


def query_params(request: Request) -> Params:
    return Params(request.args.items(multi=True))


async def body_params(request: Request, *, accept_json: bool = True) -> Params:
    """Return the body's parameters. Raises ``invalid_request`` if the body can't be parsed."""
    body = await request.get_data(cache=True, as_text=False, parse_form_data=False)
    if not body or not request.mimetype:
        return Params(())
    if request.mimetype != _FORM and not (accept_json and request.mimetype == _JSON):
        raise invalid_request(
            f"only {_FORM} content-type bodies are supported on {request.method} {request.path}"
        )
    if len(body) > BODY_LIMIT_BYTES or b"\x00" in body:
        raise invalid_request("failed to parse the request body")
    try:
        text = body.decode()
        pairs = _json_pairs(json.loads(text)) if request.mimetype == _JSON else _form_pairs(text)
    except ValueError:
        raise invalid_request("failed to parse the request body") from None
    if any("\x00" in value for _, value in pairs):
        raise invalid_request("failed to parse the request body")
    return Params(pairs)


def _form_pairs(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True)


def _json_pairs(body: Any) -> list[tuple[str, str]]:
    if not isinstance(body, Mapping):
        raise ValueError("not an object")  # noqa: TRY004 - the caller handles ValueError
    pairs = []
    for name, value in body.items():
        values = value if isinstance(value, list) else [value]
        pairs += [(name, item if isinstance(item, str) else json.dumps(item)) for item in values]
    return pairs


def _noun(names: list[str]) -> str:
    return "parameter" if len(names) == 1 else "parameters"


def _listed(names: list[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    if len(quoted) <= 2:
        return " and ".join(quoted)
    return f"{', '.join(quoted[:-1])}, and {quoted[-1]}"

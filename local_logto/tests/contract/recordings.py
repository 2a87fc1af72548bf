"""Comparison of a reply with what a running Logto 1.42.0 answered to the same request.

Values that name something (ids, times, tokens, names) may differ; statuses, headers, member names, JSON
types, scopes and the texts that clients branch on may not. ``recordings/`` holds the answers as recorded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from yarl import URL

from contract.client import Reply, decode

FOLDER = Path(__file__).parent / "recordings"
RECORDED_ENDPOINT = "http://localhost:3001"

COMPARED_HEADERS = ("Content-Type", "Cache-Control", "WWW-Authenticate")
CONSTANT = {"code", "message", "error", "error_description", "error_uri", "token_type", "expires_in"}
CONSTANT |= {"tenantId", "type", "status", "interactionEvent", "alg", "typ", "iss", "accessTokenTtl"}
OPEN_OBJECTS = {"customData", "identities", "branding", "color"}  # what was stored, whatever its shape

Replacements = Mapping[str, str]


def load(name: str) -> dict[str, Any]:
    recording: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return recording


def assert_like_recording(name: str, reply: Reply, replacing: Replacements | None = None) -> None:
    """Fail with the first difference between ``reply`` and the recording ``name``.

    ``replacing`` maps texts of this run to how they read in the recording; the endpoint is mapped anyway.
    """
    recording = load(name)
    expected = recording["response"]
    translate = _translator(reply, replacing or {})
    assert reply.status == expected["status"], f"{name}: {reply.status} {reply.body!r}"
    _compare_headers(name, expected["headers"], reply, translate)
    body = translate(reply.body)
    if reply.status >= 400:
        assert _with_scope_set(body) == _with_scope_set(expected["body"]), name
    elif not _is_page(expected):
        _compare(name, "" if expected["body"] is None else expected["body"], body)
    if "decoded" in recording:
        _compare_tokens(name, recording["decoded"], reply.body, translate)


def assert_chain_like_recording(
    name: str, hops: Sequence[Reply], replacing: Replacements | None = None, *, cookies: bool = True
) -> None:
    """Fail unless the hops of a sign-in have the recorded statuses, targets, cookies and bodies.

    Recordings from 300 on are of a build that sets other cookies: it lacks Logto's patches of the OIDC
    library.
    """
    recorded = load(name)["chain"]
    assert [hop.status for hop in hops] == [hop["status"] for hop in recorded], name
    for number, (expected, hop) in enumerate(zip(recorded, hops, strict=True)):
        where = f"{name}, hop {number} ({expected['note']})"
        translate = _translator(hop, replacing or {})
        assert hop.method == expected["method"], where
        assert _page(translate(hop.url)) == _page(expected["url"]), where
        if expected["location"]:
            target = _target(hop.headers["Location"], translate)
            assert target == _target(expected["location"]), f"{where}: {target}"
        names = {cookie for cookie in expected["set_cookie_names"] if cookie.startswith("_")}
        assert not cookies or hop.cookie_names == names, where
        if expected["body"] is not None:
            _compare(where, expected["body"], translate(hop.body))


def _translator(reply: Reply, replacing: Replacements) -> Any:
    origin = str(URL(reply.url).origin())

    def translate(value: Any) -> Any:
        if isinstance(value, str):
            for ours, recorded in {**replacing, origin: RECORDED_ENDPOINT}.items():
                value = value.replace(ours, recorded)
            return value
        if isinstance(value, list):
            return [translate(item) for item in value]
        if isinstance(value, Mapping):
            return {translate(name): translate(item) for name, item in value.items()}
        return value

    return translate


def _compare_headers(name: str, expected: Mapping[str, str], reply: Reply, translate: Any) -> None:
    recorded = {header.lower(): value for header, value in expected.items()}
    for header in COMPARED_HEADERS:
        ours = reply.headers.get(header)
        assert translate(ours) == recorded.get(header.lower()), f"{name}: {header} is {ours!r}"
    total = reply.headers.get("Total-Number")
    assert (total is None) == ("total-number" not in recorded), f"{name}: Total-Number is {total!r}"
    assert total is None or total.isdecimal(), f"{name}: Total-Number is {total!r}"
    if "location" in recorded:
        target = _target(reply.headers["Location"], translate)
        assert target == _target(recorded["location"]), f"{name}: {target}"


def _is_page(expected: Mapping[str, Any]) -> bool:
    return str(expected["headers"].get("Content-Type", "")).startswith("text/html")


def _with_scope_set(body: Any) -> Any:
    if isinstance(body, Mapping) and "scope" in body:
        return {**body, "scope": set(str(body["scope"]).split())}
    return body


def _compare(where: str, expected: Any, ours: Any) -> None:
    """Fail unless all JSON types, member names and constants are the same."""
    assert _kind(ours) == _kind(expected), f"{where}: {ours!r} is not like {expected!r}"
    if isinstance(expected, dict):
        assert sorted(ours) == sorted(expected), f"{where}: members {sorted(ours)}, not {sorted(expected)}"
        for member, value in expected.items():
            _compare_member(f"{where}.{member}", member, value, ours[member])
    elif isinstance(expected, list) and expected:
        assert ours, f"{where}: empty"
        for index, item in enumerate(ours):
            _compare_to_any(f"{where}[{index}]", expected, item)


def _compare_member(where: str, member: str, expected: Any, ours: Any) -> None:
    if member == "scope" and isinstance(expected, str):
        assert set(ours.split()) == set(expected.split()), f"{where}: {ours!r}, not {expected!r}"
    elif member in CONSTANT and not isinstance(expected, dict | list):
        assert ours == expected, f"{where}: {ours!r}, not {expected!r}"
    elif isinstance(expected, bool):
        assert ours is expected, f"{where}: {ours!r}, not {expected!r}"
    elif member in OPEN_OBJECTS:
        assert _kind(ours) == _kind(expected), f"{where}: {ours!r}"
    else:
        _compare(where, expected, ours)


def _compare_to_any(where: str, candidates: Sequence[Any], ours: Any) -> None:
    """Fail with the last difference unless an item of a list is like one of the recorded items."""
    for candidate in candidates[:-1]:
        try:
            _compare(where, candidate, ours)
        except AssertionError:
            continue
        return
    _compare(where, candidates[-1], ours)


def _kind(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return str(type(value).__name__)
    return "number" if isinstance(value, int | float) else type(value).__name__


def _compare_tokens(name: str, recorded: Mapping[str, Any], body: Any, translate: Any) -> None:
    for kind, expected in recorded.items():
        token = body[kind]
        if expected.get("opaque"):
            assert len(token) == expected["length"], f"{name}: {kind} has {len(token)} characters"
            assert "." not in token, f"{name}: {kind} is no opaque token"
            continue
        ours = decode(token)
        _compare(f"{name}: {kind} header", expected["header"], ours.header)
        _compare(f"{name}: {kind}", expected["claims"], translate(ours.claims))


def _page(url: str) -> str:
    """Return the path without the interaction's random id."""
    path = urlsplit(url).path
    return "/oidc/auth/<interaction>" if path.startswith("/oidc/auth/") else path


def _target(url: str, translate: Any = str) -> tuple[str, str, dict[str, str]]:
    """Return a redirect's target. Only the presence of a code and of a state matters."""
    origin, _, _ = url.partition("?")
    query = {name: translate(value) for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
    for name in ("code", "state"):
        if name in query:
            query[name] = f"<{name}>"
    address = urlsplit(translate(origin))
    return f"{address.scheme}://{address.netloc}", _page(translate(url)), query

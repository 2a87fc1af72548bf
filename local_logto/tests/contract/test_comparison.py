"""The comparison with recordings: which differences it accepts, and which it reports."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from contract.client import Form, Reply
from contract.recordings import FOLDER, assert_like_recording, load

USER = "202-user-create-una"
DENIED = "21-error-org-not-member"
PAGE = "204-members-search"


def replayed(name: str, **headers: str) -> Reply:
    """Return a reply that equals the recording, with these headers changed."""
    recorded = copy.deepcopy(load(name)["response"])
    sent = CIMultiDict(recorded["headers"])
    sent.update(headers)
    url = load(name)["request"]["url"]
    return Reply("GET", url, recorded["status"], CIMultiDictProxy(sent), (), recorded["body"])


@pytest.mark.parametrize(
    "name", [USER, DENIED, PAGE, "12-userinfo", "211-resources", "448-discovery-released"]
)
def test_recording_is_like_itself(name: str) -> None:
    assert_like_recording(name, replayed(name))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "somebodyelse", "username": "otto", "createdAt": 1, "name": "Otto"},
        {"customData": {"any": ["shape"]}},
    ],
)
def test_different_values_are_accepted(changes: dict[str, Any]) -> None:
    reply = replayed(USER)
    reply.body.update(changes)
    assert_like_recording(USER, reply)


@pytest.mark.parametrize(
    "changes",
    [
        {"extra": 1},
        {"name": None},
        {"avatar": ""},
        {"createdAt": "2026-11-21"},
        {"isSuspended": True},
        {"hasPassword": None},
        {"profile": []},
    ],
    ids=str,
)
def test_different_members_types_and_flags_are_reported(changes: dict[str, Any]) -> None:
    reply = replayed(USER)
    reply.body.update(changes)
    with pytest.raises(AssertionError):
        assert_like_recording(USER, reply)


def test_missing_member_is_reported() -> None:
    reply = replayed(USER)
    del reply.body["avatar"]
    with pytest.raises(AssertionError, match="members"):
        assert_like_recording(USER, reply)


@pytest.mark.parametrize("member", ["code", "message", "error", "error_description"])
def test_different_text_of_an_error_is_reported(member: str) -> None:
    reply = replayed(DENIED)
    reply.body[member] = "something else"
    with pytest.raises(AssertionError):
        assert_like_recording(DENIED, reply)


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        (DENIED, {"Cache-Control": "private"}),
        (DENIED, {"WWW-Authenticate": "Bearer"}),
        (USER, {"Content-Type": "application/json"}),
        (USER, {"Total-Number": "1"}),
        (PAGE, {"Total-Number": "many"}),
    ],
)
def test_different_headers_are_reported(name: str, headers: dict[str, str]) -> None:
    with pytest.raises(AssertionError, match="|".join(headers)):
        assert_like_recording(name, replayed(name, **headers))


def test_different_scopes_are_reported() -> None:
    reply = replayed("13-org-token-globex")
    reply.body["scope"] = "read:members delete:org"
    with pytest.raises(AssertionError, match="scope"):
        assert_like_recording("13-org-token-globex", reply)


def test_empty_list_in_place_of_a_filled_one_is_reported() -> None:
    reply = replayed(PAGE)
    reply.body.clear()
    with pytest.raises(AssertionError, match="empty"):
        assert_like_recording(PAGE, reply)


def test_form_of_a_page_is_parsed() -> None:
    form = Form('<form action="/go"><input name="a" value="1"><input name="b"></form>')
    assert (form.action, form.fields, form.submits_itself) == ("/go", {"a": "1", "b": ""}, False)


@pytest.mark.parametrize("member", ["cimdClientId", "urn:logto:scope:trusted_devices"])
def test_recordings_contain_nothing_that_only_a_later_version_sends(member: str) -> None:
    quoted = re.compile(rf'{member}\\?"')  # the note of a recording may name it, its body may not
    assert [path.name for path in FOLDER.iterdir() if quoted.search(path.read_text("utf-8"))] == []

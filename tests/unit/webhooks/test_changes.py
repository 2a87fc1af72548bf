"""Reading a webhook delivery: its event, its ids and its signature."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from saas_app.errors import BadRequest
from saas_app.webhooks.api import is_signed
from saas_app.webhooks.bodies import read_event
from saas_app.webhooks.changes.deliveries import _HANDLERS
from saas_app.webhooks.events import WebhookEvent


def test_every_registered_event_has_a_handler() -> None:
    assert set(_HANDLERS) == set(WebhookEvent)


def test_an_event_is_read_with_its_time_and_its_ids() -> None:
    body = {
        "event": "User.Deleted",
        "createdAt": "2026-11-21T11:10:23.264Z",
        "params": {"userId": "wl1log3kju2v"},
        "data": {"id": "../x"},
    }

    event = read_event(json.dumps(body).encode())

    assert event.name == "User.Deleted"
    assert event.created_at == datetime(2026, 11, 21, 11, 10, 23, 264000, tzinfo=UTC)
    assert event.find_id("params", "userId") == "wl1log3kju2v"
    assert event.find_id("data", "id") is None
    assert event.find_id("event", "deeper") is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"{}",
        b"\xff\xfe",
        b'{"event":"User.Deleted"}',
        b'{"event":"User.Deleted","createdAt":7}',
        b'{"event":"User.Deleted","createdAt":"yesterday"}',
        b'{"event":"User.Deleted","createdAt":"2026-11-21T11:10:23"}',
        b'{"event":7,"createdAt":"2026-11-21T11:10:23Z"}',
        b'{"event":"User.Deleted","createdAt":"0001-01-01T00:00:00+14:00"}',
        b'{"event":"User.Deleted","createdAt":"9999-12-31T23:59:59-14:00"}',
        b'{"event":"User.Deleted","createdAt":"2026-11-21T11:10:23Z","matchedRoute":7}',
        b'{"event":"User.Deleted","createdAt":"2026-11-21T11:10:23Z","matchedRoute":["/users/:userId"]}',
        b'{"event":"User.Deleted","createdAt":"2026-11-21T11:10:23Z","params":"x"}',
        b'{"event":"User.Deleted","createdAt":"2026-11-21T11:10:23Z","params":{"userId":{"a":1}}}',
        b'{"event":"User.Deleted","createdAt":"2026-11-21T11:10:23Z","data":"x"}',
        b'{"event":"Organization.Membership.Updated","createdAt":"2026-11-21T11:10:23Z","organizationId":{}}',
        b'{"event":"Organization.Data.Updated","createdAt":"2026-11-21T11:10:23Z","data":{"id":"a","name":7}}',
        b'{"event":"Organization.Data.Updated","createdAt":"2026-11-21T11:10:23Z","data":{"id":"a"}}',
        b'{"event":"User.Data.Updated","createdAt":"2026-11-21T11:10:23Z","data":{"id":"a","name":{}}}',
        b'{"event":"User.SuspensionStatus.Updated","createdAt":"2026-11-21T11:10:23Z",'
        b'"data":{"id":"a","isSuspended":"no"}}',
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_not_an_event_is_rejected(content: bytes) -> None:
    with pytest.raises(BadRequest):
        read_event(content)


def test_the_texts_of_an_event_are_cleaned() -> None:
    body = {
        "event": "Organization.Data.Updated",
        "createdAt": "2026-11-21T11:10:23.264Z",
        "data": {"id": "abc", "name": "Ac\x00me\ud800", "description": None},
    }

    assert read_event(json.dumps(body).encode()).data["name"] == "Acme"


def test_custom_data_of_a_person_may_have_any_shape() -> None:
    body = {
        "event": "User.Data.Updated",
        "createdAt": "2026-11-21T11:10:23.264Z",
        "matchedRoute": "/users/:userId/custom-data",
        "data": {"name": {"not": "a name"}},
    }

    assert read_event(json.dumps(body).encode()).name == "User.Data.Updated"


KEY = SecretStr("k" * 32)
# echo -n '{"a":1}' | openssl dgst -sha256 -hmac kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk
SIGNATURE = "1d3154043cab846e480d276b293ac8d8443514ce52ccd43a7c118d42f9bc5b5b"


def test_a_signature_of_the_exact_bytes_is_accepted() -> None:
    assert is_signed(b'{"a":1}', SIGNATURE, KEY)


@pytest.mark.parametrize(
    ("body", "signature", "key"),
    [
        (b'{"a": 1}', SIGNATURE, KEY),
        (b'{"a":1}', SIGNATURE.upper(), KEY),
        (b'{"a":1}', "", KEY),
        (b'{"a":1}', "é\udcff", KEY),
        (b'{"a":1}', SIGNATURE, SecretStr("another")),
    ],
    ids=["other bytes", "upper case", "empty", "not ASCII", "another key"],
)
def test_any_other_signature_is_rejected(body: bytes, signature: str, key: SecretStr) -> None:
    assert not is_signed(body, signature, key)

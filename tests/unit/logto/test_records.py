"""Logto's responses as records: our field names, null as absent, malformed ones rejected."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from saas_app.errors import LogtoUnavailable
from saas_app.logto import (
    ApplicationSecret,
    BrowserSession,
    Connector,
    Hook,
    LogtoUser,
    MemberInfo,
    OrganizationInfo,
    OrganizationMembership,
    OrganizationRole,
    SsoConnector,
)
from saas_app.logto.records import Record

USER: dict[str, Any] = {
    "id": "u1",
    "username": "carol",
    "primaryEmail": "carol@example.com",
    "primaryPhone": None,
    "name": " ",
    "avatar": None,
    "isSuspended": False,
    "createdAt": 1_700_000_000_123,
    "identities": {
        "google": {"userId": "g", "details": {"email": "carol@gmail.example"}},
        "naver": {"userId": "n", "details": None},
        "odd": {"userId": "o", "details": {"email": 7}},
    },
    "customData": {"not": "ours"},
}
ROLES = [{"id": "r1", "name": "editor"}, {"id": "r2", "name": "viewer"}]


def test_a_user_has_our_field_names_and_only_the_fields_we_use() -> None:
    user = LogtoUser.read(USER)

    assert (user.id, user.username, user.email, user.phone) == ("u1", "carol", "carol@example.com", None)
    assert user.name is None
    assert user.created_at == datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=UTC)
    assert user.linked_emails == {"carol@gmail.example"}
    assert not hasattr(user, "custom_data")


def test_a_member_is_a_user_with_roles() -> None:
    member = MemberInfo.read({**USER, "organizationRoles": ROLES})

    assert member.user == LogtoUser.read(USER)
    assert member.role_names == {"editor", "viewer"}


@pytest.mark.parametrize("name", ["", " ", "\u200b"])
def test_an_organization_with_an_invisible_name_is_named_by_its_id(name: str) -> None:
    membership = OrganizationMembership.read({"id": "o1", "name": name, "organizationRoles": []})

    assert OrganizationInfo.read({"id": "o1", "name": name}).name == "o1"
    assert membership.organization_name == "o1"


def test_null_counts_as_absent() -> None:
    role = OrganizationRole.read(
        {"id": "r", "name": "n", "description": None, "type": None, "scopes": None, "resourceScopes": None}
    )
    browser = BrowserSession.read(
        {
            "payload": {"uid": "s", "loginTs": None, "authorizations": None},
            "lastSubmission": {"signInContext": {"ip": None}},
        }
    )

    assert (role.type, role.scope_ids, role.resource_scope_names) == ("User", frozenset(), frozenset())
    assert (browser.signed_in_at, browser.address, browser.user_agent) == (None, "", "")
    assert (browser.sids, browser.grant_ids) == ({}, frozenset())


@pytest.mark.parametrize("records", [None, {}, "none", [{"type": "EnterpriseSso", "connectorId": "c"}]])
def test_records_that_say_too_little_explain_no_sign_in(records: object) -> None:
    submission = {"verificationRecords": records}

    browser = BrowserSession.read({"payload": {"uid": "s"}, "lastSubmission": submission})

    assert (browser.sso, browser.is_explained) == (None, False)


def test_a_browser_session_is_read_from_its_payload_and_last_submission() -> None:
    browser = BrowserSession.read(
        {
            "payload": {
                "uid": "s1",
                "loginTs": 1_700_000_000,
                "authorizations": {"app": {"sid": "sid-1", "grantId": "g1"}, "other": {"grantId": "g2"}},
            },
            "lastSubmission": {"signInContext": {"ip": "::ffff:192.0.2.7", "userAgent": "Firefox"}},
        }
    )

    assert browser.signed_in_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert (browser.address, browser.user_agent) == ("192.0.2.7", "Firefox")
    assert (browser.sids, browser.grant_ids) == ({"app": "sid-1"}, {"g1", "g2"})


@pytest.mark.parametrize(
    ("record", "entry"),
    [
        (LogtoUser, None),
        (LogtoUser, []),
        (LogtoUser, "Created"),
        (LogtoUser, {**USER, "id": None}),
        (LogtoUser, {**USER, "id": 7}),
        (LogtoUser, {**USER, "identities": []}),
        (LogtoUser, {**USER, "createdAt": 10**30}),
        (MemberInfo, []),
        (MemberInfo, USER),
        (MemberInfo, {**USER, "organizationRoles": None}),
        (MemberInfo, {**USER, "organizationRoles": [None]}),
        (MemberInfo, {**USER, "organizationRoles": [{"id": "r1"}]}),
        (MemberInfo, {**USER, "organizationRoles": "admin"}),
        (OrganizationInfo, {"id": "o1", "name": {}}),
        (Hook, {"id": "h", "name": "n", "enabled": True, "signingKey": "k", "config": []}),
        (BrowserSession, {"payload": None}),
        (BrowserSession, {"payload": {"uid": "s", "authorizations": {"app": "sid"}}}),
        (SsoConnector, {"id": "c", "connectorName": "n", "config": {"issuer": 7}}),
    ],
)
def test_a_malformed_answer_is_logto_unavailable(record: type[Record], entry: Any) -> None:
    with pytest.raises(LogtoUnavailable, match="could not be read"):
        record.read(entry)


@pytest.mark.parametrize("entries", [None, {}, "Created", [USER, None]])
def test_a_malformed_list_is_logto_unavailable(entries: Any) -> None:
    with pytest.raises(LogtoUnavailable, match="could not be read"):
        LogtoUser.read_all(entries)


def test_no_secret_is_shown_by_a_record_or_an_error() -> None:
    secret = ApplicationSecret.read({"name": "one", "value": "hush", "expiresAt": None})
    connector = Connector.read(
        {"id": "c", "connectorId": "f", "type": "Email", "target": "t", "config": {"key": "hush"}}
    )

    assert "hush" not in f"{secret!r} {secret} {connector!r} {connector}"
    with pytest.raises(LogtoUnavailable) as unreadable:
        ApplicationSecret.read({"value": "hush"})
    assert "hush" not in str(unreadable.value)
    assert unreadable.value.__cause__ is None

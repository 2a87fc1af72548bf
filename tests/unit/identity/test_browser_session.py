"""A browser session as a credential: what proves it, what is denied, and what is renewed."""

from __future__ import annotations

from typing import Any, cast

import pytest

from saas_app.errors import PermissionDenied, SignInRequired
from saas_app.identity.credentials.browser_session import BrowserSessions, SessionCaller
from saas_app.identity.renewal import RenewalRequired, StepUpRequired
from saas_app.identity.session_access import SessionAccess
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Permission, Role
from saas_app.rbac.policy import decide
from tests.unit.identity.values import access, tenant

JUST_NOW, LONG_AGO = 5.0, 90.0  # seconds; the minimum interval between two round trips lies between them
MAX_AGE = 600


class Sessions:
    """A stand-in for the stored sessions: one session, and the organizations in which it was seen."""

    def __init__(self, session: SessionAccess) -> None:
        self.session = session
        self.seen: list[str | None] = []

    async def find_access(self, cookie: str, organization_id: str | None) -> SessionAccess | None:
        return self.session if cookie == "genuine" else None

    async def touch(self, session: SessionAccess, organization_id: str | None) -> None:
        self.seen.append(organization_id)


@pytest.fixture
def sessions() -> Sessions:
    return Sessions(access())


@pytest.fixture
def policy(sessions: Sessions) -> BrowserSessions:
    return BrowserSessions(cast(Any, sessions), cast(Any, None), fresh_sign_in_max_age=MAX_AGE)


def caller(session: SessionAccess) -> SessionCaller:
    return SessionCaller(session, cast(Any, None), MAX_AGE)


@pytest.mark.parametrize("cookie", ["", "forged"])
async def test_a_cookie_without_a_session_requires_sign_in(policy: BrowserSessions, cookie: str) -> None:
    with pytest.raises(SignInRequired):
        await policy.prove(cookie, "acme")


async def test_the_owner_of_the_session_is_the_caller(policy: BrowserSessions, sessions: Sessions) -> None:
    proved = await policy.prove("genuine", "acme")
    assert proved.principal == sessions.session.principal


async def test_outside_an_organization_the_session_is_marked_as_seen(
    policy: BrowserSessions, sessions: Sessions
) -> None:
    await policy.prove("genuine")
    assert sessions.seen == [None]


async def test_inside_an_organization_the_session_is_marked_as_seen_only_with_its_tenant(
    policy: BrowserSessions, sessions: Sessions
) -> None:
    await policy.prove("genuine", "acme")
    assert sessions.seen == []


def test_a_permission_that_the_roles_lack_is_denied() -> None:
    session = access()
    viewer = tenant(session, Role.VIEWER)
    decision = decide(viewer.facts, Permission.PROJECTS_DELETE)

    denial = caller(session).denial(viewer, decision)

    assert isinstance(denial, PermissionDenied)
    assert denial.decision is decision


def test_a_permission_that_only_the_token_lacks_is_renewed() -> None:
    session = access()
    promoted = tenant(session, Role.EDITOR, granted=frozenset())
    decision = decide(promoted.facts, Permission.PROJECTS_WRITE)

    denial = caller(session).denial(promoted, decision)

    assert isinstance(denial, RenewalRequired)
    assert denial.purpose == "acme projects:write"
    assert denial.decision is decision


@pytest.mark.parametrize(
    ("last", "error"),
    [
        (("acme projects:write", JUST_NOW), PermissionDenied),
        (("acme projects:write", LONG_AGO), RenewalRequired),
        (("acme projects:delete", JUST_NOW), RenewalRequired),
    ],
    ids=["the same just now", "the same long ago", "another just now"],
)
def test_a_renewal_that_changed_nothing_is_not_repeated_immediately(
    last: tuple[str, float], error: type[Exception]
) -> None:
    session = access(round_trip=last)
    promoted = tenant(session, Role.EDITOR, granted=frozenset())

    denial = caller(session).denial(promoted, decide(promoted.facts, Permission.PROJECTS_WRITE))

    assert isinstance(denial, error)


def test_a_denial_after_a_failed_renewal_says_how_the_operator_can_fix_it() -> None:
    session = access(round_trip=("acme projects:write", JUST_NOW))
    promoted = tenant(session, Role.EDITOR, granted=frozenset())
    denial = caller(session).denial(promoted, decide(promoted.facts, Permission.PROJECTS_WRITE))
    assert "saas-app provision --check" in str(denial)


async def test_tokens_that_lack_permissions_of_the_roles_are_renewed() -> None:
    session = access()
    partly = tenant(session, Role.EDITOR, granted=frozenset({Permission.PROJECTS_READ}))
    with pytest.raises(RenewalRequired) as required:
        await caller(session).complete(partly)
    assert required.value.purpose == "acme all"


async def test_complete_tokens_are_used_unchanged() -> None:
    session = access()
    editor = tenant(session, Role.EDITOR)
    assert await caller(session).complete(editor) is editor


async def test_tokens_that_a_renewal_did_not_complete_are_used_unchanged() -> None:
    session = access(round_trip=("acme all", JUST_NOW))
    partly = tenant(session, Role.EDITOR, granted=frozenset())
    completed = await caller(session).complete(partly)
    assert completed.granted == frozenset() != ROLE_PERMISSIONS[Role.EDITOR]


def test_a_recent_sign_in_counts_as_fresh() -> None:
    session = access(signed_in_ago=MAX_AGE - 1)
    caller(session).require_fresh_sign_in(tenant(session, Role.ADMIN))


@pytest.mark.parametrize("signed_in_ago", [MAX_AGE + 1.0, None], ids=["too old", "unknown"])
def test_an_old_or_undated_sign_in_has_to_be_repeated(signed_in_ago: float | None) -> None:
    session = access(signed_in_ago=signed_in_ago)
    with pytest.raises(StepUpRequired) as required:
        caller(session).require_fresh_sign_in(tenant(session, Role.ADMIN))
    assert (required.value.purpose, required.value.just_made) == ("acme fresh", False)
    assert required.value.max_age == MAX_AGE


def test_a_sign_in_that_logto_did_not_confirm_is_reported_as_just_made() -> None:
    session = access(round_trip=("acme fresh", JUST_NOW))
    with pytest.raises(StepUpRequired) as required:
        caller(session).require_fresh_sign_in(tenant(session, Role.ADMIN))
    assert required.value.just_made

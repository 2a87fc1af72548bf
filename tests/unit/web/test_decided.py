"""What the ladder signals about each way in which it can end."""

from __future__ import annotations

import contextlib

import pytest

from saas_app import signals
from saas_app.errors import (
    FreshSignInRequired,
    LogtoUnavailable,
    MfaRequired,
    NotFound,
    PermissionDenied,
    SsoRequired,
)
from saas_app.identity.renewal import RenewalRequired, StepUpRequired
from saas_app.rbac.decision import Decision, Step, StepResult
from saas_app.rbac.permissions import Permission
from saas_app.text.translation import Sentence
from saas_app.web.decided import Deciding

DENIAL = Decision(False, (StepResult(Step.PERMISSION, False, Sentence("No.")),), Permission.PROJECTS_READ)


def decided(
    error: Exception | None, permission: Permission | None = Permission.PROJECTS_READ
) -> list[object]:
    """Return what is signaled when the steps of a route end in this error, or without one."""
    seen: list[object] = []
    with (
        signals.access_decided.connected_to(lambda _sender, **labels: seen.append(labels)),
        contextlib.suppress(Exception),
        Deciding(permission),
    ):
        if error is not None:
            raise error
    return seen


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "allowed"),
        (NotFound(), "not a member"),
        (PermissionDenied(DENIAL), "denied"),
        (MfaRequired(), "second factor"),
        (
            SsoRequired(
                Sentence("No."),
                connector_id="c",
                provider="Okta",
                organization_id="acme",
                organization="Acme",
            ),
            "single sign-on",
        ),
        (RenewalRequired("acme"), "renewal"),
        (StepUpRequired("acme", just_made=False, max_age=600), "step-up"),
        (FreshSignInRequired("Sign in.", max_age=600), "step-up"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_each_end_of_the_ladder_has_an_outcome(error: Exception | None, outcome: str) -> None:
    assert decided(error) == [{"permission": "projects:read", "outcome": outcome}]


def test_an_outage_is_no_decision() -> None:
    assert decided(LogtoUnavailable()) == []


def test_a_route_for_every_member_has_a_name_of_its_own() -> None:
    assert decided(None, None) == [{"permission": "member", "outcome": "allowed"}]

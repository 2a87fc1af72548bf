"""Refusals by Logto, as recorded, and the errors that people read instead."""

from __future__ import annotations

import pytest

from saas_app.errors import (
    AppError,
    BadRequest,
    Conflict,
    Invalid,
    LogtoUnavailable,
    NotFound,
    RateLimited,
)
from saas_app.logto import ManagementError, explained

INPUT = "Input is invalid. "


@pytest.mark.parametrize(
    ("status", "code", "message", "kind", "part"),
    [
        (501, "connector.not_found", "No connector.", Conflict, "no email connector"),
        (400, "connector.general", "It failed.", Conflict, "Nothing was changed"),
        (400, "request.invalid_input", f"{INPUT}The value of `expiresAt` must be in the future.",
         Invalid, "in the future"),
        (422, "request.invalid_input", f"{INPUT}The invitee is already a member of the organization.",
         Conflict, "already a member of the organization"),
        (422, "request.invalid_input",
         f"{INPUT}The accepted user must have the same email as the invitee.",
         Conflict, "different email address"),
        (422, "request.invalid_input",
         f"{INPUT}The status of the invitation cannot be changed anymore.", Conflict, "has expired"),
        (422, "organization.role_names_not_found", "Invalid role names detected: nope.", Conflict, "role"),
        (422, "organization.require_membership", "The user must be a member.", NotFound, "no longer"),
        (422, "entity.db_constraint_violated", "Database constraint violated.", Invalid, "API clients"),
        (422, "entity.relation_foreign_key_not_found", "Cannot find keys.", NotFound, "no longer exists"),
        (422, "entity.unique_integrity_violation", "The entity already exists.", Conflict, "already"),
        (400, "guard.invalid_input", "The request body is invalid.", Invalid, "does not accept"),
        (404, "entity.not_found", "The resource does not exist.", NotFound, "does not exist"),
        (404, "entity.not_exists", "The organization does not exist.", NotFound, "does not exist"),
        (422, "something.new", "Whatever.", Conflict, "does not currently allow this"),
        (400, "something.new", "Whatever.", BadRequest, "did not accept"),
    ],
)  # fmt: skip
def test_a_refusal_becomes_an_error_with_a_sentence_for_people(
    status: int, code: str, message: str, kind: type[AppError], part: str
) -> None:
    error = explained(ManagementError(status, code, message))

    assert type(error) is kind
    assert part in error.detail
    assert message not in error.detail


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "auth.unauthorized"),
        (403, "auth.forbidden"),
        (401, "oidc.invalid_client"),
        (400, "oidc.invalid_client"),
        (400, "oidc.invalid_target"),
    ],
)
def test_a_problem_with_our_own_credentials_is_reported_as_unavailable(status: int, code: str) -> None:
    error = explained(ManagementError(status, code, "invalid client m-secret-app"))

    assert isinstance(error, LogtoUnavailable)
    assert error.status == 503
    assert "m-secret-app" not in error.detail


@pytest.mark.parametrize(("retry_after", "expected"), [(7, 7), (None, 60)])
def test_a_rate_limit_of_logto_says_when_to_retry(retry_after: int | None, expected: int) -> None:
    error = explained(
        ManagementError(429, "request.message_rate_limited", "Too many.", retry_after=retry_after)
    )

    assert isinstance(error, RateLimited)
    assert (error.status, error.retry_after) == (429, expected)


@pytest.mark.parametrize("code", ["subscription.limit_exceeded", "system_limit.limit_exceeded"])
def test_a_limit_of_the_plan_is_a_conflict(code: str) -> None:
    error = explained(ManagementError(403, code, "Quota exceeded."))

    assert isinstance(error, Conflict)
    assert "has been reached" in error.detail

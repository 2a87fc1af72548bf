"""What people read when their company's provider does not sign them in."""

from __future__ import annotations

import pytest

from saas_app.single_sign_on.broker.provider_errors import client_error, token_error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("access_denied", "You cancelled"),
        ("login_required", "wants to ask you something"),
        ("interaction_required", "wants to ask you something"),
        ("consent_required", "wants to ask you something"),
        ("server_error", "Try again later"),
        ("temporarily_unavailable", "Try again later"),
        ("invalid_scope", "scopes"),
        ("invalid_request", "redirect URI"),
        ("unauthorized_client", "check the client"),
    ],
)
def test_an_error_in_the_answer_is_explained(error: str, reason: str) -> None:
    refused = client_error(error)

    assert (refused.kind, str(refused)) == (error, refused.reason)
    assert reason in refused.reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("invalid_client", "client ID or client secret"),
        ("unauthorized_client", "client ID or client secret"),
        ("invalid_grant", "Start again"),
        ("invalid_request", "redirect URI"),
        ("server_error", "Try again later"),
    ],
)
def test_an_error_of_the_token_endpoint_is_explained(error: str, reason: str) -> None:
    refused = token_error(error, 400)

    assert refused.kind == f"token endpoint: {error}"
    assert reason in refused.reason


@pytest.mark.parametrize("error", [None, "", 7, ["invalid_client"], {}])
def test_an_error_without_a_name_is_temporary(error: object) -> None:
    refused = token_error(error, 503)

    assert refused.kind == "token endpoint: status 503"
    assert "Try again later" in refused.reason


@pytest.mark.parametrize("refuse", [client_error, lambda error: token_error(error, 400)])
def test_an_unknown_error_is_shown_on_one_short_line(refuse: object) -> None:
    assert callable(refuse)

    refused = refuse("so\nmuch\x00 to\u202e say" + "!" * 10_000)

    assert "“so much to say!!!" in refused.reason
    assert len(refused.reason) < 150
    assert "unknown error" in refused.kind
    assert "say" not in refused.kind


def test_an_unknown_error_from_right_to_left_is_isolated() -> None:
    assert "“\u2068שגיאה\u2069”" in client_error("שגיאה").reason.shown


def test_an_error_that_nobody_can_see_is_named() -> None:
    assert "(blank name)" in client_error("\u200b").reason

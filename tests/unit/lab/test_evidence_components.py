"""The components that show evidence: tokens side by side, exchanges with Logto, requests to the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from quart import Quart

from saas_app.identity.wire import Exchange
from saas_app.lab.evidence import ApiRequest, Comparison, Side, TokenShown
from saas_app.text.translation import _
from saas_app.web.templating import environment_of

pytestmark = pytest.mark.usefixtures("request_of_a_reader")

HEADER = {"alg": "ES384", "typ": "at+jwt", "kid": "key-1"}


@pytest.fixture
async def request_of_a_reader() -> AsyncIterator[None]:
    async with Quart(__name__).test_request_context("/"):
        yield


def rendered(file: str, macro: str, *arguments: Any, **named: Any) -> str:
    module: Any = environment_of("en").get_template(f"lab/{file}").module
    return str(getattr(module, macro)(*arguments, **named))


def pair(left: dict[str, Any] | None, right: dict[str, Any] | None) -> Comparison:
    sides = [None if claims is None else TokenShown(HEADER, claims) for claims in (left, right)]
    return Comparison(Side(_("Before"), sides[0]), Side(_("After"), sides[1]))


def exchanged(**answer: Any) -> Exchange:
    form = (
        ("grant_type", "refresh_token"),
        ("client_secret", "‹client secret›"),
        ("organization_id", "acme"),
    )
    return Exchange("POST", "https://logto.example/oidc/token", form, 200, answer, datetime.now(UTC))


def test_what_changed_is_marked_with_words() -> None:
    page = rendered("_tokens.html", "comparison", pair({"scope": "read"}, {"scope": "read write"}))

    assert "What changed: <code>scope</code>." in page
    assert ">Changed</span>" in page
    assert '<code>write</code><span class="mark">added</span>' in page


def test_what_differs_between_two_organizations_was_not_added() -> None:
    page = rendered("_tokens.html", "comparison", pair({"scope": "read"}, {"scope": "write"}), change=False)

    assert "What differs: <code>scope</code>." in page
    assert ">only here</span>" in page
    assert "added" not in page


def test_a_claim_that_one_token_lacks_is_said() -> None:
    page = rendered("_tokens.html", "comparison", pair({}, {"organization_id": "acme"}))

    assert "Not in this token" in page
    assert ">Added</span>" in page


def test_a_token_that_logto_refused_is_said() -> None:
    page = rendered("_tokens.html", "comparison", pair({"aud": "a"}, None))

    assert "Logto issued none." in page
    assert "What changed" not in page


def test_an_opaque_token_is_explained() -> None:
    opaque = Comparison(
        Side(_("Before"), TokenShown({}, {})), Side(_("After"), TokenShown(HEADER, {"aud": "a"}))
    )

    assert "random text that only Logto understands" in rendered("_tokens.html", "comparison", opaque)
    assert "random text that only Logto understands" in rendered(
        "_tokens.html", "one_token", TokenShown({}, {})
    )


def test_an_empty_scope_is_said() -> None:
    page = rendered("_tokens.html", "one_token", TokenShown(HEADER, {"scope": ""}))

    assert '<em class="muted">Empty</em>' in page


def test_each_field_is_explained_on_demand() -> None:
    page = rendered("_tokens.html", "one_token", TokenShown(HEADER, {"aud": "a", "department": "sales"}))

    assert page.count('<details class="explained">') == 5
    assert "Custom claim" in page


def test_a_claim_cannot_break_out_of_the_page() -> None:
    page = rendered("_tokens.html", "one_token", TokenShown(HEADER, {"<b>": "<script>", "list": ["<i>"]}))

    assert "<script>" not in page
    assert "<b>" not in page
    assert "<i>" not in page


def test_a_right_to_left_claim_is_isolated() -> None:
    page = rendered("_tokens.html", "one_token", TokenShown(HEADER, {"name": "שלום (Acme)"}))

    assert "<bdi>שלום (Acme)</bdi>" in page


def test_an_exchange_names_the_secrets_in_italics() -> None:
    page = rendered("_exchange.html", "exchange", exchanged(access_token="‹access token›", expires_in=3600))

    assert "client_secret=<em>‹client secret›</em>" in page
    assert '"access_token": <em>"‹access token›"</em>' in page
    assert "200 OK" in page


@pytest.mark.parametrize(
    ("grant_type", "says"),
    [("refresh_token", "from the sign-in"), ("client_credentials", "No person takes part")],
)
def test_what_the_application_shows_is_explained_for_each_kind(grant_type: str, says: str) -> None:
    sent = Exchange("POST", "https://x/oidc/token", (("grant_type", grant_type),), 200, {}, datetime.now(UTC))

    assert says in rendered("_exchange.html", "exchange", sent)


def test_a_request_with_a_body_shows_it_and_why_it_was_refused() -> None:
    request = ApiRequest(
        "POST", "/api/v1/x", _("old"), 401, {"detail": "Outdated."}, title=_("First"), body={"name": "New"}
    )

    page = rendered("_request.html", "api_request", request)

    assert "First: <code>POST /api/v1/x</code>" in page
    assert "Outdated.</code></summary>" in page
    assert "&#34;name&#34;: &#34;New&#34;" in page


def test_an_exchange_without_a_response_is_said() -> None:
    silent = Exchange("POST", "https://logto.example/oidc/token", (), 0, {}, datetime.now(UTC))

    assert "Logto did not respond." in rendered("_exchange.html", "exchange", silent)


def test_a_request_to_the_api_names_its_token() -> None:
    request = ApiRequest("GET", "/api/v1/me", _("your ID token"), 401, {"code": "invalid-token"})

    page = rendered("_request.html", "api_request", request)

    assert "Authorization: Bearer <em>‹your ID token›</em>" in page
    assert "401 Unauthorized" in page

"""Parameters, PKCE, settings, error bodies and redirects of the OIDC endpoints."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from local_logto.crypto.signed_cookies import CookieSigner
from local_logto.errors import OidcError, RequestError, access_denied, invalid_grant
from local_logto.oidc.authorization.response import with_members
from local_logto.oidc.request_params import Params
from local_logto.oidc.token.authorization_code import check_pkce
from local_logto.settings import Settings

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # the example of RFC 7636, appendix B
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_empty_parameter_counts_as_absent() -> None:
    params = Params([("scope", ""), ("resource", "a"), ("resource", ""), ("resource", "b")])
    assert params.get("scope") is None
    assert params.all("resource") == ["a", "b"]


def test_missing_and_repeated_parameters_are_named() -> None:
    params = Params([("state", "a"), ("state", "b")])
    with pytest.raises(OidcError, match=r"missing required parameter 'code'$"):
        params.require("code")
    with pytest.raises(OidcError, match=r"missing required parameters 'code' and 'redirect_uri'$"):
        params.require("code", "redirect_uri")
    with pytest.raises(OidcError, match=r"'state' parameter must not be provided twice$"):
        params.reject_duplicates(among=("scope", "state"))


def test_pkce_accepts_the_verifier_of_the_challenge() -> None:
    check_pkce(VERIFIER, CHALLENGE)
    check_pkce(None, None)


@pytest.mark.parametrize(
    ("verifier", "challenge"), [("x" * 43, CHALLENGE), (None, CHALLENGE), (VERIFIER, None)]
)
def test_pkce_refuses_a_wrong_or_missing_verifier(verifier: str | None, challenge: str | None) -> None:
    with pytest.raises(OidcError) as refusal:
        check_pkce(verifier, challenge)
    assert refusal.value.error == "invalid_grant"


def test_pkce_refuses_a_malformed_verifier() -> None:
    with pytest.raises(OidcError, match="minimum length of 43 characters"):
        check_pkce("short", CHALLENGE)


def test_oidc_error_body_has_logtos_members() -> None:
    assert invalid_grant().body() == {
        "code": "oidc.invalid_grant",
        "message": "Grant request is invalid.",
        "error_uri": "https://openid.sh/debug/invalid_grant",
        "error": "invalid_grant",
        "error_description": "grant request is invalid",
    }
    assert access_denied("no").status == 403
    assert OidcError(400, "invalid_scope", "x", scope="a b").body(parsed=False) == {
        "error": "invalid_scope",
        "error_description": "x",
        "scope": "a b",
    }


def test_request_error_omits_missing_members() -> None:
    assert RequestError(404, "entity.not_found", "Not found.").body() == {
        "code": "entity.not_found",
        "message": "Not found.",
    }


@pytest.mark.parametrize(
    ("redirect_uri", "mode", "location"),
    [
        ("http://a/cb", "query", "http://a/cb?code=x&iss=http%3A%2F%2Fb%2Foidc"),
        ("http://a/cb?y=1", "query", "http://a/cb?y=1&code=x&iss=http%3A%2F%2Fb%2Foidc"),
        ("http://a/cb", "fragment", "http://a/cb#code=x&iss=http%3A%2F%2Fb%2Foidc"),
    ],
)
def test_response_is_added_to_the_redirect_uri(redirect_uri: str, mode: str, location: str) -> None:
    assert with_members(redirect_uri, mode, {"code": "x", "iss": "http://b/oidc"}) == location


def test_cookie_signature_covers_name_and_value() -> None:
    signer = CookieSigner(b"secret")
    signature = signer.sign("_session", "abc")
    assert signer.is_valid("_session", "abc", signature)
    assert not signer.is_valid("_session", "abd", signature)
    assert not signer.is_valid("_interaction", "abc", signature)
    assert not CookieSigner(b"other").is_valid("_session", "abc", signature)


def test_issuer_follows_the_port_and_drops_a_trailing_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_LOGTO_ENDPOINT", raising=False)
    assert Settings(port=3101).issuer == "http://localhost:3101/oidc"
    assert Settings(endpoint="https://id.example.test/").issuer == "https://id.example.test/oidc"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_loopback_addresses_are_accepted(host: str, tmp_path: Path) -> None:
    assert Settings(host=host, data_dir=tmp_path).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.test"])  # noqa: S104 - refused
def test_other_addresses_must_be_allowed_explicitly(host: str) -> None:
    with pytest.raises(ValidationError, match="will not listen on"):
        Settings(host=host)
    assert Settings(host=host, allow_non_loopback=True).host == host

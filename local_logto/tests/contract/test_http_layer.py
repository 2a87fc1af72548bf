"""Logto's HTTP layer: headers of every reply, caching, compression, bodies, and refused tokens."""

from __future__ import annotations

import pytest

from contract.client import decode
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc

HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Strict-Transport-Security": "max-age=15552000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
}


@pytest.mark.parametrize("path", ["/api/status", "/api/organizations", "/oidc/jwks", "/oidc/me"])
async def test_every_reply_has_the_security_headers(oidc: Oidc, path: str) -> None:
    reply = await oidc.send("GET", path)
    assert {name: reply.headers.get(name) for name in HEADERS} == HEADERS
    assert reply.headers["Logto-Core-Request-Id"]


async def test_unchanged_reply_is_not_sent_again(oidc: Oidc) -> None:
    first = await oidc.send("GET", "/oidc/jwks")
    again = await oidc.send("GET", "/oidc/jwks", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status == 304


async def test_long_replies_are_compressed(oidc: Oidc) -> None:
    reply = await oidc.send(
        "GET", "/oidc/.well-known/openid-configuration", headers={"Accept-Encoding": "gzip"}
    )
    assert reply.headers["Content-Encoding"] == "gzip"
    assert reply.body["issuer"] == oidc.issuer


async def test_unknown_path_is_refused_in_plain_text(oidc: Oidc) -> None:
    reply = (await oidc.send("GET", "/api/nowhere")).expect(404)
    assert (reply.headers["Content-Type"], reply.body) == ("text/plain; charset=utf-8", "Not Found")


async def test_form_is_accepted_in_place_of_json(api: ManagementApi, oidc: Oidc, workshop: Workshop) -> None:
    headers = {"Authorization": f"Bearer {api.token}"}
    name = workshop.unique("by_form")
    reply = (await oidc.send("POST", "/api/organizations", headers=headers, data={"name": name})).expect(201)
    workshop.will_delete(f"/organizations/{reply.body['id']}")
    assert reply.body["name"] == name


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("garbage", "ERR_JWS_INVALID"),
        ("{header}.{claims}.AAAA", "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"),
        ("eyJhbGciOiJub25lIn0.{claims}.", "ERR_JOSE_NOT_SUPPORTED"),
        ("eyJhbGciOiJFUzM4NCIsImtpZCI6Im5vcGUifQ.{claims}.AAAA", "ERR_JWKS_NO_MATCHING_KEY"),
    ],
)
async def test_refusal_of_a_token_says_why(api: ManagementApi, oidc: Oidc, token: str, code: str) -> None:
    header, claims, _ = api.token.split(".")
    forged = token.format(header=header, claims=claims)
    reply = await oidc.send("GET", "/api/users", headers={"Authorization": f"Bearer {forged}"})
    assert (reply.status, reply.body["data"]["code"]) == (401, code)


async def test_refusal_of_a_token_for_another_resource_names_the_claim(
    oidc: Oidc, workshop: Workshop
) -> None:
    machine, resource = await workshop.application("MachineToMachine"), await workshop.resource()
    issued = await oidc.token(
        machine, "post", grant_type="client_credentials", resource=resource["indicator"]
    )
    token = issued.expect(200).body["access_token"]
    reply = await oidc.send("GET", "/api/users", headers={"Authorization": f"Bearer {token}"})
    assert reply.expect(401).body["data"]["claim"] == "aud"
    assert reply.body["data"]["payload"] == decode(token).claims


@pytest.mark.parametrize(
    ("headers", "query", "description"),
    [
        ({}, "?access_token=x", "access tokens must not be provided via query parameter"),
        ({"Authorization": "Bearer"}, "", "invalid authorization header value format"),
        ({"Authorization": "Basic abc"}, "", "authorization header scheme must be `Bearer`"),
    ],
)
async def test_malformed_userinfo_request_gets_a_challenge(
    oidc: Oidc, headers: dict[str, str], query: str, description: str
) -> None:
    reply = (await oidc.send("GET", f"/oidc/me{query}", headers=headers)).expect(400)
    assert reply.body["error_description"] == description
    assert f'error_description="{description}"' in reply.headers["WWW-Authenticate"]

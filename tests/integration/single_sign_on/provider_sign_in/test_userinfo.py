"""What a company's userinfo endpoint adds to an ID token."""

from __future__ import annotations

import pytest

from saas_app.single_sign_on.broker.provider_sign_in import IssuerRefused
from tests.integration.single_sign_on.provider_sign_in.conftest import Journey

pytestmark = pytest.mark.one_database


async def test_userinfo_replaces_what_the_id_token_says_of_the_person(journey: Journey) -> None:
    journey.provider.id_token = {"name": "M.", "department": "Research"}
    journey.provider.userinfo = {"name": "Maria", "groups": ["staff"]}

    claims = await journey.finish()

    assert (claims["name"], claims["department"], claims["groups"]) == ("Maria", "Research", ["staff"])


async def test_userinfo_replaces_nothing_else(journey: Journey) -> None:
    names = ("iss", "aud", "azp", "exp", "iat", "nbf", "nonce", "auth_time", "acr", "sid")
    journey.provider.userinfo = dict.fromkeys(names, "x")

    claims = await journey.finish()

    assert "x" not in claims.values()
    assert claims["iss"] == journey.provider.issuer


@pytest.mark.parametrize("subject", ["boss", "", "MARIA", None, 7, ["maria"]])
async def test_userinfo_of_somebody_else_is_refused(journey: Journey, subject: object) -> None:
    journey.provider.userinfo = {"sub": subject}

    refused = await journey.refuse()

    assert refused.kind == "userinfo of another person"
    assert "two different people" in refused.reason


async def test_the_id_token_counts_alone_if_there_is_no_userinfo(journey: Journey) -> None:
    journey.provider.metadata = {"userinfo_endpoint": None}
    journey.provider.tokens = {"access_token": None, "token_type": None}

    claims = await journey.finish()

    assert claims["email"] == "maria@corp.example"
    assert "/me" not in journey.paths


async def test_the_id_token_counts_alone_if_userinfo_is_signed(journey: Journey) -> None:
    journey.provider.userinfo = {"name": "Somebody else"}
    journey.provider.signs_userinfo = True

    assert (await journey.finish())["name"] == "Maria"


@pytest.mark.parametrize("status", [302, 401, 403, 404, 503])
async def test_a_userinfo_endpoint_that_fails_ends_the_sign_in(journey: Journey, status: int) -> None:
    journey.provider.refuse(status, {"sub": "maria"}, path="/me")

    refused = await journey.refuse()

    assert refused.kind == "unreadable userinfo"
    assert "Try again later" in refused.reason


@pytest.mark.parametrize("body", ["", "<html>", "[]", '"maria"', "eyJ.e30."])
async def test_userinfo_is_a_json_object(journey: Journey, body: str) -> None:
    journey.provider.refuse(200, body, path="/me")

    assert (await journey.refuse()).kind == "unreadable userinfo"


async def test_a_userinfo_endpoint_that_closes_the_connection_ends_the_sign_in(journey: Journey) -> None:
    returned = await journey.go()
    journey.provider.drop_connections(path="/me")

    with pytest.raises(IssuerRefused, match="could not be reached"):
        await journey.sign_in.come_back(journey.client, returned)


@pytest.mark.parametrize(
    "tokens",
    [
        {"access_token": None},
        {"access_token": 7},
        {"access_token": ""},
        {"access_token": "a\r\nX-Evil: 1"},
        {"access_token": "a b"},
        {"access_token": "ä"},
        {"token_type": None},
        {"token_type": "DPoP"},
        {"token_type": ["Bearer"]},
    ],
)
async def test_an_access_token_that_cannot_be_sent_is_not_sent(
    journey: Journey, tokens: dict[str, object]
) -> None:
    journey.provider.tokens = tokens

    assert (await journey.refuse()).kind.startswith("unreadable")
    assert "/me" not in journey.paths


async def test_the_type_of_an_access_token_is_in_any_case(journey: Journey) -> None:
    journey.provider.tokens = {"token_type": "bEARER"}

    assert (await journey.finish())["sub"] == "maria"


# --- The address and whether it is verified belong together


@pytest.mark.parametrize(
    ("id_token", "userinfo", "email", "is_verified"),
    [
        (("a@corp.example", True), ("b@corp.example", None), "b@corp.example", False),
        (("a@corp.example", True), ("b@corp.example", False), "b@corp.example", False),
        (("a@corp.example", None), ("b@corp.example", True), "b@corp.example", True),
        (("a@corp.example", True), ("a@corp.example", None), "a@corp.example", True),
        (("a@corp.example", True), ("a@corp.example", False), "a@corp.example", False),
        (("a@corp.example", None), ("a@corp.example", True), "a@corp.example", True),
        (("a@corp.example", False), (None, True), "a@corp.example", False),
        (("a@corp.example", None), (None, True), "a@corp.example", None),
        (("a@corp.example", True), (None, None), "a@corp.example", True),
        ((None, True), ("b@corp.example", None), "b@corp.example", False),
        ((None, None), ("b@corp.example", True), "b@corp.example", True),
    ],
)
async def test_no_address_is_verified_by_what_is_said_of_another(
    journey: Journey,
    id_token: tuple[str | None, bool | None],
    userinfo: tuple[str | None, bool | None],
    email: str,
    is_verified: bool | None,
) -> None:
    journey.provider.id_token = dict(zip(("email", "email_verified"), id_token, strict=True))
    journey.provider.userinfo = dict(zip(("email", "email_verified"), userinfo, strict=True))

    claims = await journey.finish()

    assert (claims["email"], claims.get("email_verified")) == (email, is_verified)

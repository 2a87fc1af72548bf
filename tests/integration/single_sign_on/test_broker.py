"""Workroom between Logto and a company's identity provider: read this first.

Logto asks Workroom, Workroom asks the company's provider, and tells Logto what it believes. Each of the two
has a client, a state and a nonce of its own.
"""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import jwt
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from pydantic import SecretStr

from saas_app.config import Settings
from saas_app.models import SignInAttemptRow
from saas_app.runtime import Runtime
from saas_app.single_sign_on.values import Stage
from tests.clients import Browser, Person
from tests.conftest import OpenApp, OpenBrowser, runtime_of
from tests.integration.single_sign_on.company import Company
from tests.integration.single_sign_on.interaction import Interaction
from tests.integration.single_sign_on.passage import NONCE, STATE, Passage, query_of


async def test_a_sign_in_step_by_step(
    passage: Passage, carol: Person, connection_on: Company, browser: Browser, settings: Settings
) -> None:
    connector_id, provider = passage.connector_id, connection_on.provider
    connection_on.asserts(connection_on.address(carol.username), sub="carol-at-the-company")
    interaction = await Interaction.begin(browser)

    # Logto sends the browser to Workroom
    way = await interaction.depart(connector_id)
    asked = query_of(way["authorizationUri"])
    assert way["authorizationUri"].startswith(f"{settings.app_url}{passage.path}/authorize?")
    assert asked["client_id"] == connector_id
    assert asked["redirect_uri"] == way["redirectUri"] == passage.logto_callback
    assert asked["state"] == way["state"]

    # Workroom sends it to the company's provider, as a client of its own
    parts = urlsplit(way["authorizationUri"])
    left = (await browser.get(f"{parts.path}?{parts.query}", 303)).headers["Location"]
    asks = query_of(left)
    assert left.startswith(f"{provider.base_url}/auth?")
    assert asks["client_id"] == provider.client_id
    assert asks["redirect_uri"] == f"{settings.app_url}{passage.path}/callback"
    assert asks["code_challenge_method"] == "S256"
    assert {asks["state"], asks["nonce"]}.isdisjoint({asked["state"], asked["nonce"]})

    # The provider sends it back, and Workroom sends it on to Logto, with a code of its own
    back = await passage.visit(left)
    answer = query_of(await passage.come_back(back))
    assert answer["state"] == way["state"]
    assert answer["iss"] == f"{settings.app_url}{passage.path}"
    assert answer["code"] != query_of(back)["code"]

    # Logto redeems that code, and finds Carol's account by her address
    proof = await interaction.verify(connector_id, way, answer["code"])
    await interaction.identify(proof["verificationId"])
    await browser.get(await interaction.submit(), 303)
    assert await connection_on.sessions_here(carol.id) == [connector_id]

    # It has never heard how the company calls her
    account = await connection_on.management.get_user_with_sso(carol.id)
    (identity,) = account.sso_identities
    assert identity.issuer == f"{settings.app_url}{passage.path}"
    assert identity.identity_id != "carol-at-the-company"


async def test_logto_learns_what_it_needs_and_nothing_else(passage: Passage, settings: Settings) -> None:
    company = passage.company
    company.asserts(
        company.address("carol"),
        name=" Carol\nDoe ",
        picture="https://pictures.example/carol.png",
        phone_number="+15550100",
        phone_number_verified=True,
        Email="victor@elsewhere.example",
        ID="victor",
        groups=["staff"],
    )
    before = int(time.time())

    claims = await passage.claims()

    issued = claims.pop("iat")
    assert before <= issued <= time.time()
    assert claims.pop("exp") == issued + 300
    assert len(claims.pop("sub")) == 32
    assert claims == {
        "iss": f"{settings.app_url}{passage.path}",
        "aud": passage.connector_id,
        "nonce": NONCE,
        "email": company.address("carol"),
        "email_verified": True,
        "since": (await company.connection()).since,
        "name": "Carol Doe",
        "picture": "https://pictures.example/carol.png",
    }


async def test_the_answer_with_the_token_is_not_kept(passage: Passage) -> None:
    answer = await passage.redeem(await passage.code())

    assert answer.headers["Cache-Control"] == "no-store"
    body = await answer.get_json()
    assert body.keys() == {"id_token", "access_token", "token_type", "expires_in"}
    assert body["access_token"] == "none"  # there is no userinfo endpoint


async def test_name_picture_and_groups_reach_logto(company: Company, browser: Browser) -> None:
    await company.connect(Stage.ON, group_claim="member_of")
    picture = "https://pictures.example/carol.png"
    email = company.address("carol")
    company.asserts(email, name="Carol", picture=picture, member_of=["staff", "Bosses"])

    await company.arrive(browser)

    account = await company.account(email)
    assert account is not None
    (session,) = await company.management.list_user_sessions(account.id)
    assert session.sso is not None
    assert session.sso.claims["groups"] == ["Bosses", "staff"]
    assert (account.name, account.avatar) == ("Carol", picture)


async def test_what_is_published_to_logto(passage: Passage, settings: Settings) -> None:
    answer = await passage.browser.get(f"{passage.path}/.well-known/openid-configuration")

    issuer = f"{settings.app_url}{passage.path}"
    metadata = await answer.get_json()
    assert metadata["issuer"] == issuer
    assert metadata["authorization_endpoint"] == f"{issuer}/authorize"
    assert metadata["token_endpoint"] == f"{issuer}/token"
    assert metadata["jwks_uri"] == f"{settings.app_url}/sso/keys"
    assert metadata["response_types_supported"] == ["code"]
    assert metadata["id_token_signing_alg_values_supported"] == ["ES256"]
    assert "userinfo_endpoint" not in metadata


async def test_a_connector_that_does_not_exist_is_published_like_any_other(passage: Passage) -> None:
    there = await passage.browser.text(f"{passage.path}/.well-known/openid-configuration")

    nowhere = await passage.browser.text("/sso/nowhere/.well-known/openid-configuration")

    assert nowhere == there.replace(passage.connector_id, "nowhere")


async def test_only_public_keys_are_published(browser: Browser) -> None:
    (key,) = (await (await browser.get("/sso/keys")).get_json())["keys"]

    assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}


@pytest.mark.parametrize("prompt", ["none", "login", "consent", "select_account"])
async def test_a_known_prompt_is_passed_on(passage: Passage, prompt: str) -> None:
    assert query_of(await passage.leave(prompt=prompt))["prompt"] == prompt


@pytest.mark.parametrize("prompt", [None, "", "create", "login consent", "LOGIN", "login&scope=admin"])
async def test_no_other_prompt_is_passed_on(passage: Passage, prompt: str | None) -> None:
    asks = query_of(await passage.leave(prompt=prompt))

    assert "prompt" not in asks
    assert asks["scope"] == "openid profile email"


async def test_two_ways_of_one_browser_do_not_disturb_each_other(passage: Passage) -> None:
    first = await passage.depart(state="first")
    second = await passage.depart(state="second")

    answers = [query_of(await passage.come_back(back)) for back in (second, first)]

    assert [answer["state"] for answer in answers] == ["second", "first"]


@pytest.fixture
async def rotated(passage: Passage, open_app: OpenApp, settings: Settings) -> tuple[Passage, Runtime]:
    """The same browser at a worker with a new first key, and its services. The old key still decrypts."""
    new = SecretStr(Fernet.generate_key().decode())
    app = await open_app(encryption_keys=(new, *settings.encryption_keys))
    company = passage.company
    return await Passage.begin(company, passage.browser.at(app)), runtime_of(app)


async def test_a_way_that_began_before_a_key_was_rotated_ends_after_it(
    passage: Passage, rotated: tuple[Passage, Runtime]
) -> None:
    there, services = rotated
    back = await passage.depart()

    claims = await there.claims(await there.code(back))

    old = passage.company.runtime.registration.secret(passage.connector_id)
    assert claims["email"] == passage.company.address("carol")
    assert services.registration.secret(passage.connector_id) != old  # which Logto still presents


async def test_a_new_key_signs_and_the_old_one_is_still_published(
    passage: Passage, rotated: tuple[Passage, Runtime]
) -> None:
    there, _services = rotated
    before = (await (await passage.redeem(await passage.code())).get_json())["id_token"]

    after = (await (await there.redeem(await there.code())).get_json())["id_token"]

    assert jwt.get_unverified_header(before)["kid"] != jwt.get_unverified_header(after)["kid"]
    assert (await there.read(before))["email"] == (await there.read(after))["email"]


async def test_nothing_of_a_way_can_be_read_in_the_database(passage: Passage, runtime: Runtime) -> None:
    await passage.code()
    await passage.depart()

    async with runtime.jobs.reading() as db:
        payloads = list(await db.scalars(sa.select(SignInAttemptRow.payload)))

    assert len(payloads) >= 2
    for secret in (passage.company.domain, passage.connector_id, STATE):
        assert secret.encode() not in b"".join(payloads)


async def test_where_single_sign_on_is_not_offered_nothing_is_published(
    open_app: OpenApp, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(at=await open_app(single_sign_on=False))

    for path in ("/sso/keys", "/sso/any/.well-known/openid-configuration", "/sso/any/authorize"):
        await browser.get(path, 404)

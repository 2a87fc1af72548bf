"""Providers and browsers that lie: what an enterprise sign-in refuses, and what it accepts as Logto does."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from joserfc.jwk import OctKey

from local_logto.fakes.openid import OpenIdPerson, fake_openid, new_key
from local_logto.second_factors import new_totp_secret, totp_factor
from local_logto.store import now_ms
from unit.company_app import CONNECTOR, DOMAIN, MARIA, SSO, CompanyApp, company_app
from unit.experience_calls import prove_password

OTHER_ISSUER = "https://login.victim.example"
FAILED = (500, "connector.authorization_failed")
UNKNOWN = (404, "user.sso_identity_not_exist")


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[CompanyApp]:
    async with company_app(tmp_path) as running:
        yield running


async def refusal_of_return(app: CompanyApp) -> tuple[int, str]:
    """Sign in at the provider. Returns the status and code with which its answer is refused."""
    status, answer = await app.verify(*await app.depart())
    return status, answer["code"]


# --- ID tokens


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": OTHER_ISSUER},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": None},
        {"exp": 1},
        {"nbf": 4_000_000_000},
        {"iat": None},
        pytest.param({"iat": int(time.time()) - 3_600}, id="iat=an hour ago"),
        {"nonce": "of another sign-in"},
        {"sub": None},
        {"email_verified": "true"},
    ],
    ids=lambda claims: "{}={}".format(*next(iter(claims.items()))),
)
async def test_id_token_with_a_wrong_claim_is_refused(app: CompanyApp, claims: dict[str, object]) -> None:
    app.provider.id_token = claims
    assert await refusal_of_return(app) == FAILED


async def test_id_token_for_several_audiences_is_accepted(app: CompanyApp) -> None:
    app.provider.id_token = {"aud": ["another-client", app.provider.client_id]}
    assert (await app.verify(*await app.depart()))[0] == 200


async def test_id_token_of_an_unpublished_key_is_refused(app: CompanyApp) -> None:
    app.provider.signs_with = new_key()
    assert await refusal_of_return(app) == FAILED


async def test_id_token_that_names_no_published_key_is_refused(app: CompanyApp) -> None:
    app.provider.token_header = {"kid": "unpublished"}
    assert await refusal_of_return(app) == FAILED


async def test_id_token_without_a_key_name_is_accepted_if_one_key_fits(app: CompanyApp) -> None:
    app.provider.token_header = {"kid": None}
    assert (await app.verify(*await app.depart()))[0] == 200


async def test_id_token_signed_with_the_client_secret_is_refused(app: CompanyApp) -> None:
    app.provider.token_header = {"alg": "HS256"}
    app.provider.signs_with = OctKey.import_key(app.provider.client_secret)
    assert await refusal_of_return(app) == FAILED


async def test_id_token_without_a_signature_is_refused(app: CompanyApp) -> None:
    app.provider.token_header = {"alg": "none"}
    assert await refusal_of_return(app) == FAILED


async def test_malformed_answers_are_refused(app: CompanyApp) -> None:
    departed = await app.depart()
    app.provider.answer_malformed(path="/token")
    status, answer = await app.verify(*departed)
    assert (status, answer["code"]) == FAILED


# --- codes


async def test_code_is_used_once(app: CompanyApp) -> None:
    verification_id, code = await app.depart()
    assert (await app.verify(verification_id, code))[0] == 200
    status, answer = await app.verify(verification_id, code)
    assert (status, answer["code"]) == (400, "session.connector_validation_session_not_found")


async def test_code_of_another_sign_in_is_refused(app: CompanyApp) -> None:
    """The ID token that it stands for has another nonce."""
    _, foreign = await app.depart()
    verification_id, _ = await app.depart()
    status, answer = await app.verify(verification_id, foreign)
    assert (status, answer["code"]) == FAILED
    assert answer["data"]["message"] == "nonce does not match"


async def test_refused_code_uses_up_the_departure(app: CompanyApp) -> None:
    verification_id, code = await app.depart()
    assert (await app.verify(verification_id, "wrong"))[0] == 500
    assert (await app.verify(verification_id, code))[0] == 400


async def test_unverified_proof_identifies_nobody(app: CompanyApp) -> None:
    verification_id, _ = await app.depart()
    status, answer = await app.identify(verification_id)
    assert (status, answer["code"]) == (400, "session.verification_failed")


async def test_errors_and_the_interaction_show_no_secret(app: CompanyApp) -> None:
    verification_id, code = await app.depart()
    _, refused = await app.verify(verification_id, "wrong")
    _, shown = await app.logto.call("GET", "/interaction")
    for text in (str(refused), str(shown)):
        assert app.provider.client_secret not in text
        assert code not in text


# --- issuers


async def test_metadata_of_another_issuer_are_accepted_as_in_logto(app: CompanyApp) -> None:
    """The identity is stored under the configured issuer, so it is nobody's at the other one."""
    victim = await app.logto.add_user("victim")
    app.link(victim, MARIA, issuer=OTHER_ISSUER)
    app.provider.metadata = {"issuer": OTHER_ISSUER}
    app.provider.id_token = {"iss": OTHER_ISSUER}
    status, answer = await app.sign_in()
    assert (status, answer["code"]) == UNKNOWN


async def test_id_token_must_be_of_the_issuer_in_the_metadata(app: CompanyApp) -> None:
    app.provider.metadata = {"issuer": OTHER_ISSUER}
    assert await refusal_of_return(app) == FAILED


async def test_same_id_at_another_provider_is_another_person(app: CompanyApp) -> None:
    app.link(await app.logto.add_user("maria"), MARIA)
    async with fake_openid() as stranger:
        stranger.person = OpenIdPerson(MARIA.id)
        other = CompanyApp(app.logto, stranger)
        await other.add_connector("other0000001", domains=["other.example"])
        status, answer = await other.sign_in(connector_id="other0000001")
    assert (status, answer["code"]) == UNKNOWN


async def test_proof_of_one_connector_is_unknown_to_another(app: CompanyApp) -> None:
    await app.add_connector("other0000001")
    verification_id, code = await app.depart()
    status, answer = await app.verify(verification_id, code, "other0000001")
    assert (status, answer["code"]) == (404, "session.verification_session_not_found")


async def test_connector_without_a_configuration_cannot_be_visited(app: CompanyApp) -> None:
    await app.add_connector("later0000001", config={})
    await app.logto.call("PUT", "", {"interactionEvent": "SignIn"})
    status, answer = await app.call("authorization-uri", "later0000001", state="s", redirectUri="http://x")
    assert (status, answer["code"]) == (500, "connector.invalid_config")


# --- addresses


async def test_unverified_address_of_somebody_else_links_nothing(app: CompanyApp) -> None:
    await app.logto.add_user("bob", primary_email=f"bob@{DOMAIN}")
    app.provider.person = OpenIdPerson("mallory", {"email": f"bob@{DOMAIN}", "email_verified": False})
    status, answer = await app.sign_in()
    assert (status, answer["code"]) == UNKNOWN
    assert (await app.sign_in("Register"))[0] == 201
    assert [issuer for _, issuer, _ in app.identities()] == [app.provider.issuer]


async def test_verified_address_outside_the_domains_links_an_account_as_in_logto(app: CompanyApp) -> None:
    """A company's provider is trusted for every address. A product must check that itself."""
    bob = await app.logto.add_user("bob", primary_email="bob@elsewhere.example")
    app.provider.person = OpenIdPerson("mallory", {"email": "bob@elsewhere.example", "email_verified": True})
    assert await app.sign_in() == (204, None)
    assert (await app.logto.call("POST", "/submit"))[0] == 200
    assert [owner for owner, _, _ in app.identities()] == [bob]


async def test_known_identity_counts_more_than_its_address(app: CompanyApp) -> None:
    maria = await app.logto.add_user("maria")
    app.link(maria, MARIA)
    await app.logto.add_user("bob", primary_email=MARIA.claims["email"])
    assert await app.sign_in() == (204, None)
    _, shown = await app.logto.call("GET", "/interaction")
    assert shown["userId"] == maria


async def test_address_of_an_account_cannot_be_registered_again(app: CompanyApp) -> None:
    await app.logto.add_user("maria", primary_email=MARIA.claims["email"])
    status, answer = await app.sign_in("Register")
    assert (status, answer["code"]) == (422, "user.email_already_in_use")


async def test_known_identity_cannot_be_registered_again(app: CompanyApp) -> None:
    app.link(await app.logto.add_user("maria"), MARIA)
    status, answer = await app.sign_in("Register")
    assert (status, answer["code"]) == (422, "user.identity_already_in_use")


async def test_blocked_address_cannot_sign_up(app: CompanyApp) -> None:
    await app.logto.configure(**SSO, emailBlocklistPolicy={"customBlocklist": [f"@{DOMAIN}"]})
    status, answer = await app.sign_in("Register")
    assert (status, answer["code"]) == (422, "session.email_blocklist.email_not_allowed")


# --- second factors and passwords


async def test_own_provider_does_not_replace_the_second_factor_of_somebody_else(app: CompanyApp) -> None:
    """In Logto, any verified enterprise identity does, whoever is identified."""
    factor = totp_factor(new_totp_secret(), now_ms())
    bob = await app.logto.add_user("bob", mfa_verifications=[factor])
    await app.logto.configure(**SSO, mfa={"factors": ["Totp"], "policy": "UserControlled"})
    app.link(await app.logto.add_user("maria"), MARIA)
    await app.prove()
    proof = await prove_password(app.logto, "bob")
    assert await app.identify(proof) == (204, None)
    status, answer = await app.logto.call("POST", "/submit")
    assert (status, answer["code"]) == (403, "session.mfa.require_mfa_verification")
    assert await app.logto.signed_in_user() != bob


async def test_second_identity_conflicts_with_the_first(app: CompanyApp) -> None:
    app.link(await app.logto.add_user("maria"), MARIA)
    await app.logto.add_user("bob")
    proof = await app.prove()
    assert (await app.identify(await prove_password(app.logto, "bob")))[0] == 204
    status, answer = await app.identify(proof)
    assert (status, answer["code"]) == (409, "session.identity_conflict")


async def test_password_is_not_reset_through_the_provider(app: CompanyApp) -> None:
    app.link(await app.logto.add_user("maria"), MARIA)
    status, answer = await app.sign_in("ForgotPassword")
    assert (status, answer["code"]) == (422, "session.not_supported_for_forgot_password")


async def test_state_of_the_api_is_not_accepted_by_the_callback_page(app: CompanyApp) -> None:
    _, code = await app.depart()
    page = await app.come_back(f"/callback/{CONNECTOR}?code={code}&state=s")
    assert page.status_code == 403

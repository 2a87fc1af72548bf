"""Addresses whose domain has an enterprise connector, in every other way to sign in or up."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from local_logto.connectors.enterprise import sso_connectors
from local_logto.store import now_ms
from unit.experience_app import CODES_AND_PASSWORDS, ExperienceApp
from unit.experience_calls import begin, email, identify, last_code, prove_code, refusal
from unit.page_reading import leads_to
from unit.social_app import CALLBACK, NO_REQUIREMENT, OFFERED, SocialApp

DOMAIN = "naver.example"  # also that of Sujin's address at Naver
MARIA = f"maria@{DOMAIN}"
REFUSED = (422, "session.sso_enabled")
SETTINGS: dict[str, object] = {
    **CODES_AND_PASSWORDS,
    "signUp": {"identifiers": ["email"], "password": False, "verify": True},
    "singleSignOnEnabled": True,
}


def add_connector(logto: ExperienceApp) -> None:
    values = {
        "id": "corp00000001",
        "provider_name": "OIDC",
        "connector_name": "Corp",
        "config": {"clientId": "c", "clientSecret": "s", "issuer": "https://login.corp.example"},
        "domains": [DOMAIN],
        "created_at": now_ms(),
    }
    with logto.store.begin() as connection:
        connection.execute(sso_connectors.insert().values(**values))


@pytest.fixture
async def logto(logto: ExperienceApp) -> ExperienceApp:
    add_connector(logto)
    await logto.configure(**SETTINGS)
    return logto


@pytest.fixture
async def social(app: SocialApp) -> SocialApp:
    add_connector(app.logto)
    await app.logto.configure(**OFFERED, **NO_REQUIREMENT, singleSignOnEnabled=True)
    return app


async def test_code_registers_no_account(logto: ExperienceApp) -> None:
    await begin(logto, "Register")
    proof = {"verificationId": await prove_code(logto, MARIA, "Register")}
    assert await refusal(logto, "POST", "/identification", proof) == REFUSED


async def test_unverified_code_is_refused_for_the_same_reason(logto: ExperienceApp) -> None:
    await begin(logto, "Register")
    body = {"identifier": email(MARIA), "interactionEvent": "Register"}
    _, sent = await logto.call("POST", "/verification/verification-code", body)
    assert await refusal(logto, "POST", "/identification", sent) == REFUSED


async def test_address_is_not_added_to_an_account(logto: ExperienceApp) -> None:
    await logto.add_user("maria")
    await identify(logto, "maria")
    proof = {"type": "email", "verificationId": await prove_code(logto, MARIA, "SignIn")}
    assert await refusal(logto, "POST", "/profile", proof) == REFUSED


async def test_password_can_be_reset_with_a_code(logto: ExperienceApp) -> None:
    await logto.add_user("maria", primary_email=MARIA)
    await begin(logto, "ForgotPassword")
    proof = {"verificationId": await prove_code(logto, MARIA, "ForgotPassword")}
    assert await logto.call("POST", "/identification", proof) == (204, None)


async def test_everything_works_while_single_sign_on_is_off(logto: ExperienceApp) -> None:
    await logto.configure(**{**SETTINGS, "singleSignOnEnabled": False})
    await begin(logto, "Register")
    proof = {"verificationId": await prove_code(logto, MARIA, "Register")}
    assert (await logto.call("POST", "/identification", proof))[0] == 201


async def test_social_identity_with_such_an_address_neither_signs_in_nor_up(social: SocialApp) -> None:
    for event in ("SignIn", "Register"):
        status, answer = await social.identify(await social.prove(event))
        assert (status, answer["code"]) == REFUSED


async def test_social_identity_with_such_an_address_is_not_linked(social: SocialApp) -> None:
    await social.logto.add_user("sujin")
    await identify(social.logto, "sujin")
    _, departure = await social.call("authorization-uri", state="s", redirectUri=CALLBACK)
    verification_id = departure["verificationId"]
    back = await social.agree(departure["authorizationUri"])
    data = {"code": parse_qs(urlsplit(back).query)["code"][0], "redirectUri": CALLBACK}
    status, _ = await social.call("verify", connectorData=data, verificationId=verification_id)
    assert status == 200
    body = {"type": "social", "verificationId": verification_id}
    assert await refusal(social.logto, "POST", "/profile", body) == REFUSED


async def test_page_leads_from_the_social_provider_to_the_company(social: SocialApp) -> None:
    response = await social.round_trip()
    assert leads_to(response) == "/single-sign-on/connectors?app_id=client"
    assert await social.logto.signed_in_user() is None


async def test_page_leads_from_a_code_for_a_new_account_to_the_company(logto: ExperienceApp) -> None:
    """The domain was added after the code was sent."""
    await logto.configure(**{**SETTINGS, "singleSignOnEnabled": False})
    await logto.post("/register?app_id=client", {"identifier": MARIA})
    await logto.configure(**SETTINGS)
    path = "/register/verification-code?app_id=client"
    response = await logto.post(path, {"code": await last_code(logto)})
    assert leads_to(response) == "/single-sign-on/connectors?app_id=client"

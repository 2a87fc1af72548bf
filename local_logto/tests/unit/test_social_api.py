"""The Experience API for social sign-in: statuses, error codes and bodies like Logto's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from local_logto.connectors.registry import connectors
from local_logto.fakes.naver import CLIENT_ID, NaverAccount
from local_logto.store import now_ms
from unit.experience_calls import prove_password, refusal
from unit.social_app import CALLBACK, CONNECTOR, NO_REQUIREMENT, OFFERED, SUJIN, SocialApp, social_app

BY_EMAIL_AND_PASSWORD = {"identifiers": ["email"], "password": True, "verify": True}
LINKED = {"naver": {"userId": "naver-sujin", "details": {"id": "naver-sujin"}}}


@pytest.fixture
async def app(app: SocialApp) -> SocialApp:
    await app.logto.configure(**OFFERED, **NO_REQUIREMENT)
    return app


@pytest.fixture
async def syncing(tmp_path: Path) -> AsyncIterator[SocialApp]:
    async with social_app(tmp_path, sync_profile=True) as running:
        yield running


async def begin(app: SocialApp, event: str = "SignIn") -> None:
    assert await app.logto.call("PUT", "", {"interactionEvent": event}) == (204, None)


async def depart(app: SocialApp) -> str:
    """Request Naver's URL. Returns the verification id."""
    status, departure = await app.call("authorization-uri", state="s", redirectUri=CALLBACK)
    assert status == 200
    return str(departure["verificationId"])


async def submit(app: SocialApp) -> int:
    return (await app.logto.call("POST", "/submit"))[0]


async def test_authorization_uri_is_navers_with_the_callers_parameters(app: SocialApp) -> None:
    await begin(app)
    status, answer = await app.call("authorization-uri", state="mine", redirectUri=CALLBACK)
    asked = {"client_id": CLIENT_ID, "redirect_uri": CALLBACK, "response_type": "code", "state": "mine"}
    assert status == 200
    assert set(answer) == {"authorizationUri", "verificationId"}
    assert answer["authorizationUri"] == f"{app.naver.base_url}/oauth2.0/authorize?{urlencode(asked)}"


async def test_calls_before_an_event_is_set_are_refused(app: SocialApp) -> None:
    status, answer = await app.call("authorization-uri", state="s", redirectUri=CALLBACK)
    assert (status, answer["code"]) == (404, "session.interaction_not_found")


@pytest.mark.parametrize(
    ("connector_id", "body", "status", "code"),
    [
        ("unknown", {"state": "s", "redirectUri": CALLBACK}, 404, "entity.not_found"),
        ("mail00000001", {"state": "s", "redirectUri": CALLBACK}, 400, "connector.unexpected_type"),
        (CONNECTOR, {"state": "", "redirectUri": CALLBACK}, 400, "session.insufficient_info"),
        (CONNECTOR, {"redirectUri": CALLBACK}, 400, "guard.invalid_input"),
    ],
)
async def test_impossible_departure_is_refused(
    app: SocialApp, connector_id: str, body: dict[str, str], status: int, code: str
) -> None:
    mail = {"id": "mail00000001", "connector_id": "mailgun-email", "type": "Email"}
    with app.logto.store.begin() as connection:
        connection.execute(connectors.insert().values(**mail, target="mailgun-email", created_at=now_ms()))
    await begin(app)
    refused, answer = await app.call("authorization-uri", connector_id, **body)
    assert (refused, answer["code"]) == (status, code)


@pytest.mark.parametrize(
    ("connector_id", "verification_id", "status", "code"),
    [
        ("unknown", None, 422, "session.invalid_connector_id"),
        (CONNECTOR, "unknown", 404, "session.verification_session_not_found"),
        (CONNECTOR, "", 404, "session.verification_session_not_found"),
    ],
)
async def test_impossible_return_is_refused(
    app: SocialApp, connector_id: str, verification_id: str | None, status: int, code: str
) -> None:
    await begin(app)
    departure = await depart(app)
    body = {"connectorData": {"code": "c", "redirectUri": CALLBACK}}
    body |= {"verificationId": departure if verification_id is None else verification_id}
    refused, answer = await app.call("verify", connector_id, **body)
    assert (refused, answer["code"]) == (status, code)
    assert app.naver.received == []


async def test_proof_of_one_connector_is_unknown_to_another(app: SocialApp) -> None:
    other = {"id": "other0000001", "connector_id": "naver-universal", "type": "Social", "target": "other"}
    with app.logto.store.begin() as connection:
        connection.execute(connectors.insert().values(**other, created_at=now_ms()))
    await begin(app)
    body = {"connectorData": {"code": "c", "redirectUri": CALLBACK}, "verificationId": await depart(app)}
    status, answer = await app.call("verify", other["id"], **body)
    assert (status, answer["code"]) == (404, "session.verification_session_not_found")


async def test_refusal_at_the_provider_is_an_error_of_the_connector(app: SocialApp) -> None:
    await begin(app)
    data = {"error": "access_denied", "redirectUri": CALLBACK}
    status, answer = await app.call("verify", connectorData=data, verificationId=await depart(app))
    assert (status, answer["code"]) == (400, "connector.general")


async def test_interaction_shows_the_identity_and_no_state(app: SocialApp) -> None:
    verification_id = await app.prove()
    _, shown = await app.logto.call("GET", "/interaction")
    assert shown["verificationRecords"] == [
        {
            "id": verification_id,
            "connectorId": CONNECTOR,
            "type": "Social",
            "socialUserInfo": {
                "id": "naver-sujin",
                "avatar": "https://images.example/sujin.png",
                "email": "sujin@naver.example",
                "name": "Sujin",
                "rawData": {"resultcode": "00", "message": "success", "response": SUJIN.profile},
            },
        }
    ]


async def test_known_identity_signs_in(app: SocialApp) -> None:
    user_id = await app.logto.add_user("sujin", identities=LINKED, name="Su")
    assert await app.identify(await app.prove()) == (204, None)
    assert await submit(app) == 200
    account = await app.signed_in()
    assert (account["id"], account["name"], account["identities"]) == (user_id, "Su", LINKED)


async def test_syncing_connector_updates_name_and_picture_and_no_address(syncing: SocialApp) -> None:
    await syncing.logto.add_user("sujin", identities=LINKED, name="Su", primary_email="su@work.test")
    await syncing.identify(await syncing.prove())
    _, shown = await syncing.logto.call("GET", "/interaction")
    assert shown["profile"] == {"avatar": "https://images.example/sujin.png", "name": "Sujin"}
    assert await submit(syncing) == 200
    account = await syncing.signed_in()
    assert (account["name"], account["primary_email"]) == ("Sujin", "su@work.test")
    assert account["avatar"] == "https://images.example/sujin.png"


async def test_unknown_identity_is_refused(app: SocialApp) -> None:
    status, answer = await app.identify(await app.prove())
    assert (status, answer["code"], answer["data"]) == (404, "user.identity_not_exist", {})


async def test_refusal_of_an_unknown_identity_names_the_account_with_its_address(app: SocialApp) -> None:
    await app.logto.add_user("sujin", primary_email="SUJIN@naver.example")
    status, answer = await app.identify(await app.prove())
    assert (status, answer["code"]) == (404, "user.identity_not_exist")
    assert answer["data"] == {"relatedUser": {"type": "email", "value": "sujin@naver.example"}}


async def test_identity_is_linked_to_the_related_account_on_submission(app: SocialApp) -> None:
    user_id = await app.logto.add_user("sujin", primary_email="sujin@naver.example")
    assert await app.identify(await app.prove(), linkSocialIdentity=True) == (204, None)
    _, shown = await app.logto.call("GET", "/interaction")
    assert shown["profile"]["socialIdentity"]["target"] == "naver"
    assert (await app.logto.user(user_id))["identities"] == {}
    assert await submit(app) == 200
    assert (await app.logto.user(user_id))["identities"]["naver"]["userId"] == "naver-sujin"


async def test_linking_without_a_related_account_is_refused(app: SocialApp) -> None:
    status, answer = await app.identify(await app.prove(), linkSocialIdentity=True)
    assert (status, answer["code"]) == (404, "user.identity_not_exist")
    assert "data" not in answer


async def test_new_account_gets_the_name_and_address_of_the_identity(app: SocialApp) -> None:
    assert await app.identify(await app.prove("Register")) == (201, "Created")
    assert await submit(app) == 200
    account = await app.signed_in()
    assert (account["primary_email"], account["name"]) == ("sujin@naver.example", "Sujin")


async def test_address_of_another_account_is_not_stored_again(app: SocialApp) -> None:
    await app.logto.add_user("sujin", primary_email="sujin@naver.example")
    assert (await app.identify(await app.prove("Register")))[0] == 201
    assert await submit(app) == 200
    assert (await app.signed_in())["primary_email"] is None


async def test_identity_of_an_account_cannot_register_another(app: SocialApp) -> None:
    await app.logto.add_user("sujin", identities=LINKED)
    status, answer = await app.identify(await app.prove("Register"))
    assert (status, answer["code"]) == (422, "user.identity_already_in_use")


async def test_registration_is_refused_where_it_is_closed(app: SocialApp) -> None:
    await app.logto.configure(**OFFERED, **NO_REQUIREMENT, signInMode="SignIn")
    status, answer = await app.identify(await app.prove("Register"))
    assert (status, answer["code"]) == (403, "auth.forbidden")


async def test_registration_without_the_required_address_is_refused(app: SocialApp) -> None:
    app.naver.account = NaverAccount("naver-quiet")
    await app.logto.configure(**OFFERED, signUp=BY_EMAIL_AND_PASSWORD)
    status, answer = await app.identify(await app.prove("Register"))
    assert (status, answer["code"]) == (422, "user.missing_profile")
    assert answer["data"] == {"missingProfile": ["email"]}


async def test_required_address_can_be_waived(app: SocialApp) -> None:
    app.naver.account = NaverAccount("naver-quiet")
    waived = {"skipRequiredIdentifiers": True}
    await app.logto.configure(**OFFERED, signUp=BY_EMAIL_AND_PASSWORD, socialSignIn=waived)
    assert (await app.identify(await app.prove("Register")))[0] == 201


@pytest.mark.parametrize("event", ["SignIn", "Register"])
async def test_unverified_proof_identifies_nobody(app: SocialApp, event: str) -> None:
    await app.logto.add_user("sujin", identities=LINKED)
    await begin(app, event)
    status, answer = await app.identify(await depart(app))
    assert (status, answer["code"]) == (400, "session.verification_failed")


async def test_social_proof_cannot_reset_a_password(app: SocialApp) -> None:
    await app.logto.add_user("sujin", identities=LINKED)
    status, answer = await app.identify(await app.prove("ForgotPassword"))
    assert (status, answer["code"]) == (422, "session.not_supported_for_forgot_password")


async def test_identified_person_adds_an_identity(app: SocialApp) -> None:
    user_id = await app.logto.add_user("alice", name="Alice")
    social_id = await app.prove()
    await app.identify(await prove_password(app.logto, "alice"))
    body = {"type": "social", "verificationId": social_id}
    assert await app.logto.call("POST", "/profile", body) == (204, None)
    assert await submit(app) == 200
    account = await app.logto.user(user_id)
    assert account["identities"]["naver"]["userId"] == "naver-sujin"
    assert (account["name"], account["primary_email"]) == ("Alice", None)


async def test_identity_of_another_account_is_not_added(app: SocialApp) -> None:
    await app.logto.add_user("sujin", identities=LINKED)
    await app.logto.add_user("alice")
    social_id = await app.prove()
    await app.identify(await prove_password(app.logto, "alice"))
    status, answer = await app.logto.call("POST", "/profile", {"type": "social", "verificationId": social_id})
    assert (status, answer["code"]) == (422, "user.identity_already_in_use")


async def test_identity_that_another_account_got_meanwhile_is_refused_on_submission(app: SocialApp) -> None:
    user_id = await app.logto.add_user("sujin", primary_email="sujin@naver.example")
    await app.identify(await app.prove(), linkSocialIdentity=True)
    await app.logto.add_user("other", identities=LINKED)
    status, answer = await app.logto.call("POST", "/submit")
    assert (status, answer["code"]) == (422, "user.identity_already_in_use")
    assert (await app.logto.user(user_id))["identities"] == {}


async def test_password_proof_is_not_a_social_proof(app: SocialApp) -> None:
    await app.logto.add_user("alice")
    await begin(app)
    proof = await prove_password(app.logto, "alice")
    await app.logto.configure()
    await app.identify(proof)
    body = {"type": "social", "verificationId": proof}
    refused = await refusal(app.logto, "POST", "/profile", body)
    assert refused == (404, "session.verification_session_not_found")

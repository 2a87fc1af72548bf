"""What single sign-on replaces, and what it does not."""

from __future__ import annotations

from contract.client import LogtoBrowser, Reply
from contract.conftest import Server
from contract.enterprise.company import (
    Begin,
    Company,
    CompanyVisit,
    account_of,
    assert_like_chain,
    follow,
)
from contract.fixtures import LikeRecording, NewBrowser
from contract.mailbox import EmailRecord, MessagesPage
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc
from contract.people import App, Person
from contract.recordings import load
from contract.second_factors import TOTP_ONLY, Settings, VisitOf

BY_CODE = {
    "methods": [
        {"identifier": "email", "password": True, "verificationCode": True, "isPasswordPrimary": True}
    ]
}

# --- other ways to sign in with such an address


async def test_password_of_such_an_address_is_refused_as_recorded(
    begin: Begin, app: App, company: Company, old: Person
) -> None:
    visit = await begin()
    proof = (await visit.browser.offer_password(old, "email")).expect(200)
    visit.verification_id = proof.body["verificationId"]
    refused = await visit.identify()
    await visit.submit()
    assert_like_chain("353-password-for-sso-domain", visit, app)
    [shown] = refused.body["data"]["ssoConnectors"]
    assert shown["id"] == company.connector_id
    assert shown["config"]["clientSecret"] == company.provider.client_secret


async def test_code_for_such_an_address_is_refused_as_recorded(
    begin: Begin,
    app: App,
    settings: Settings,
    oidc: Oidc,
    server: Server,
    message_connectors: None,
    old: Person,
) -> None:
    """One flow: each reply was recorded in this order."""
    await settings(signIn=BY_CODE)
    mailbox = MessagesPage(oidc) if server.started_here else EmailRecord()
    visit = await begin()
    sent = await send_code(visit, old.email, "SignIn")
    visit.verification_id = sent.body["verificationId"]
    known = {"identifier": {"type": "email", "value": old.email}, "verificationId": visit.verification_id}
    body = {**known, "code": await mailbox.code_for(old.email)}
    (await visit.browser.experience("POST", "/verification/verification-code/verify", body)).expect(200)
    await visit.identify()
    assert_like_chain("353-code-for-sso-domain", visit, app)


async def test_code_for_a_new_address_is_sent_as_recorded(
    begin: Begin, app: App, company: Company, settings: Settings, message_connectors: None
) -> None:
    await settings(signIn=BY_CODE, signUp={"identifiers": ["email"], "password": False, "verify": True})
    visit = await begin("Register")
    await send_code(visit, company.email("fresh"), "Register")
    assert_like_chain("353-register-for-sso-domain", visit, app)


async def send_code(visit: CompanyVisit, email: str, event: str) -> Reply:
    body = {"identifier": {"type": "email", "value": email}, "interactionEvent": event}
    return (await visit.browser.experience("POST", "/verification/verification-code", body)).expect(200)


async def test_username_gets_past_single_sign_on_as_recorded(begin: Begin, app: App, old: Person) -> None:
    visit = await begin()
    proof = (await visit.browser.offer_password(old)).expect(200)
    visit.verification_id = proof.body["verificationId"]
    await visit.identify()
    await visit.submit()
    assert_like_chain("353-username-for-sso-domain", visit, app)


async def test_one_time_token_gets_past_single_sign_on_as_recorded(
    new_browser: NewBrowser, company: Company, api: ManagementApi, app: App, old: Person
) -> None:
    token = (await api.post("/one-time-tokens", {"email": old.email})).expect(201).body["token"]
    visit = CompanyVisit(new_browser(), company)
    await visit.browser.begin(app, one_time_token=token, login_hint=old.email)
    body = {"identifier": {"type": "email", "value": old.email}, "token": token}
    verified = await visit.browser.experience("POST", "/verification/one-time-token/verify", body)
    visit.verification_id = verified.expect(200).body["verificationId"]
    await visit.identify()
    recorded = load("353-one-time-token-for-sso-domain")["chain"]
    assert [hop.status for hop in visit.browser.hops] == [hop["status"] for hop in recorded]


# --- rules


async def test_domain_rule_does_not_count_as_recorded(
    begin: Begin, company: Company, api: ManagementApi, workshop: Workshop, app: App
) -> None:
    organization = await workshop.organization()
    path = f"/organizations/{organization}/jit/email-domains"
    (await api.post(path, {"emailDomain": company.domain})).expect(201)
    company.signs_in("new")
    visit = await begin()
    await visit.prove()
    await visit.sign_up()
    await follow(visit, await visit.submit(), app)
    assert_like_chain("357-sign-up-domain-rule", visit, app)
    account = await account_of(api, workshop, company.email("new"))
    assert (await api.get(f"/users/{account['id']}/organizations")).body == []


async def test_removed_member_is_not_added_again_as_recorded(
    begin: Begin,
    company: Company,
    api: ManagementApi,
    app: App,
    old: Person,
    organization: str,
    like_recording: LikeRecording,
) -> None:
    company.signs_in("old")
    first = await begin()
    await first.prove()
    (await first.identify()).expect(204)
    (await first.submit()).expect(200)
    (await api.delete(f"/organizations/{organization}/users/{old.id}")).expect(204)
    visit = await begin()
    await visit.connectors()
    await visit.prove()
    await visit.identify()
    await follow(visit, await visit.submit(), app)
    assert_like_chain("357-sign-in-after-removal", visit, app)
    joined = await api.get(f"/users/{old.id}/organizations")
    like_recording("357-organizations-after-removal", joined)
    assert joined.body == []


async def test_sign_up_is_refused_while_closed_as_recorded(
    begin: Begin, app: App, company: Company, settings: Settings
) -> None:
    """One flow: each reply was recorded in this order."""
    await settings(signInMode="SignIn")
    company.signs_in("new")
    visit = await begin()
    await visit.connectors()
    await visit.prove()
    await visit.identify()
    await visit.change_event()
    await visit.identify()
    await visit.submit()
    assert_like_chain("357-sign-up-when-closed", visit, app)


async def test_second_factor_is_not_asked_for_as_recorded(
    begin: Begin, app: App, company: Company, settings: Settings, old: Person, visit: VisitOf
) -> None:
    await settings(mfa=TOTP_ONLY)
    by_username = await visit(old)
    await by_username.new_totp()
    (await by_username.submit()).expect(200)
    await settings(mfa={**TOTP_ONLY, "policy": "Mandatory"})
    company.signs_in("old")
    by_company = await begin()
    await by_company.prove()
    await by_company.identify()
    await by_company.submit()
    assert_like_chain("357-sso-second-factor", by_company, app)


async def test_sign_up_may_lack_what_is_required(
    begin: Begin, company: Company, settings: Settings, api: ManagementApi, workshop: Workshop
) -> None:
    sign_up = {"identifiers": ["username"], "password": True, "verify": False}
    await settings(signUp=sign_up, mfa={**TOTP_ONLY, "policy": "Mandatory"})
    company.signs_in("new")
    visit = await begin()
    await visit.prove()
    await visit.sign_up()
    (await visit.submit()).expect(200)
    account = await account_of(api, workshop, company.email("new"))
    assert (account["username"], account["hasPassword"]) == (None, False)


async def test_application_can_send_the_browser_to_the_connector_as_recorded(
    browser: LogtoBrowser, company: Company, app: App, like_recording: LikeRecording
) -> None:
    reply = await browser.authorize(app, direct_sign_in=f"sso:{company.connector_id}", nonce=None)
    replacing = {company.connector_id: "a8w6lyirmjjq", app.id: "nrhmgy4quj0s8ldzda667"}
    like_recording("357-direct-sign-in", reply, replacing)


async def test_identities_go_with_the_connector_as_recorded(
    begin: Begin,
    company: Company,
    api: ManagementApi,
    workshop: Workshop,
    app: App,
    like_recording: LikeRecording,
) -> None:
    company.signs_in("new", name="New Person", picture="https://x.test/p.png")
    visit = await begin()
    await visit.prove()
    await visit.sign_up()
    await follow(visit, await visit.submit(), app)
    account = await account_of(api, workshop, company.email("new"))
    like_recording("358-connector-delete", await api.delete(company.path))
    left = await api.get(f"/users/{account['id']}", includeSsoIdentities="true")
    like_recording("358-user-after-connector-delete", left)
    assert (left.body["ssoIdentities"], left.body["hasPassword"]) == ([], False)


async def test_identities_are_read_by_connector_and_all_together(
    begin: Begin, company: Company, api: ManagementApi, old: Person
) -> None:
    company.signs_in("old")
    visit = await begin()
    await visit.prove()
    (await visit.identify()).expect(204)
    (await visit.submit()).expect(200)
    one = (await api.get(f"/users/{old.id}/sso-identities/{company.connector_id}")).expect(200).body
    assert one["ssoIdentity"]["userId"] == old.id
    all_of_them = (await api.get(f"/users/{old.id}/all-identities")).expect(200).body
    expected = {"ssoConnectorId": company.connector_id, **one}
    assert all_of_them == {"socialIdentities": [], "ssoIdentities": [expected]}
    missing = await api.get(f"/users/{old.id}/sso-identities/nosuch")
    assert missing.refusal == (404, "user.enterprise_sso_identity_not_exists")

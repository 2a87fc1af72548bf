"""What a browser session remembers of a sign-in through a company's provider.

The claims are those of Logto 1.42's source (``OidcConnector.getUserInfo``); no recording shows them.
"""

from __future__ import annotations

from typing import Any

import pytest

from contract.enterprise.company import Begin, Company, CompanyVisit, account_of, follow, new_company
from contract.fixtures import NewBrowser
from contract.management import ManagementApi, Workshop
from contract.people import App, Person


async def records_of(api: ManagementApi, user_id: str) -> list[dict[str, Any]]:
    """Return the verification records of the only browser session of an account."""
    [session] = (await api.get(f"/users/{user_id}/sessions")).expect(200).body["sessions"]
    assert session["lastSubmission"]["userId"] == user_id
    found: list[dict[str, Any]] = session["lastSubmission"]["verificationRecords"]
    return found


async def sign_in(visit: CompanyVisit, app: App) -> None:
    """Identify the person who came back, and return to the application."""
    (await visit.identify()).expect(204)
    await follow(visit, await visit.submit(), app)


async def test_session_has_the_identity_with_every_claim_in_camel_case(
    begin: Begin, company: Company, api: ManagementApi, app: App, old: Person
) -> None:
    claims = {"name": "Old Person", "picture": "https://x.test/p.png", "groups": ["staff", "admins"]}
    person = company.signs_in("old", **claims, member_of={"a_b": 1}, **{"urn:x.y": None})
    visit = await begin()
    await visit.prove()
    await sign_in(visit, app)
    [record] = await records_of(api, old.id)
    assert record == {
        "id": record["id"],
        "type": "EnterpriseSso",
        "connectorId": company.connector_id,
        "issuer": company.provider.issuer,
        "enterpriseSsoUserInfo": {
            "id": person.id,
            "name": "Old Person",
            "avatar": "https://x.test/p.png",
            "email": company.email("old"),
            "groups": ["staff", "admins"],
            "memberOf": {"a_b": 1},
            "urn:xY": None,
        },
    }
    [identity] = (await account_of_old(api, old))["ssoIdentities"]
    assert identity["detail"] == record["enterpriseSsoUserInfo"]


async def account_of_old(api: ManagementApi, old: Person) -> dict[str, Any]:
    found: dict[str, Any] = (await api.get(f"/users/{old.id}", includeSsoIdentities="true")).expect(200).body
    return found


async def test_claims_of_a_later_sign_in_replace_the_earlier_ones(
    begin: Begin, company: Company, api: ManagementApi, app: App, old: Person
) -> None:
    person = company.signs_in("old", groups=["staff"])
    first = await begin()
    await first.prove()
    (await first.identify()).expect(204)
    (await first.submit()).expect(200)
    company.provider.person = type(person)(person.id, {**person.claims, "groups": ["guests"]})
    visit = await begin()
    await visit.prove()
    await sign_in(visit, app)
    [record] = await records_of(api, old.id)
    assert record["enterpriseSsoUserInfo"]["groups"] == ["guests"]
    assert (await account_of_old(api, old))["ssoIdentities"][0]["detail"]["groups"] == ["guests"]


@pytest.mark.parametrize("says", [{"email_verified": False}, {"email_verified": None}, {"email": None}])
async def test_address_that_is_not_verified_is_no_part_of_it(
    begin: Begin, company: Company, api: ManagementApi, app: App, old: Person, says: dict[str, object]
) -> None:
    person = company.signs_in("old")
    first = await begin()
    await first.prove()
    (await first.identify()).expect(204)
    (await first.submit()).expect(200)
    company.provider.person = type(person)(person.id, {**person.claims, **says})
    visit = await begin()
    await visit.prove()
    await sign_in(visit, app)
    [record] = await records_of(api, old.id)
    assert "email" not in record["enterpriseSsoUserInfo"]


async def test_claim_with_the_same_name_in_camel_case_replaces_the_checked_one(
    begin: Begin, company: Company, api: ManagementApi, app: App, old: Person
) -> None:
    company.signs_in("new", email_verified=False, Email=old.email, ID="another")
    visit = await begin()
    await visit.prove()
    await sign_in(visit, app)
    [record] = await records_of(api, old.id)
    assert record["enterpriseSsoUserInfo"] == {"id": "another", "email": old.email}


async def test_visit_without_a_return_leaves_a_record_without_an_identity(
    begin: Begin, company: Company, api: ManagementApi, app: App, old: Person
) -> None:
    visit = await begin()
    await visit.leave()
    proof = (await visit.browser.offer_password(old)).expect(200)
    visit.verification_id = proof.body["verificationId"]
    await sign_in(visit, app)
    records = {record["type"]: record for record in await records_of(api, old.id)}
    assert records.keys() == {"Password", "EnterpriseSso"}
    assert records["EnterpriseSso"].keys() == {"id", "type", "connectorId"}


async def test_proof_stays_if_a_password_identifies_somebody_else(
    begin: Begin, company: Company, api: ManagementApi, app: App, old: Person
) -> None:
    mallory = company.signs_in("mallory")
    visit = await begin()
    await visit.prove()
    proof = (await visit.browser.offer_password(old)).expect(200)
    visit.verification_id = proof.body["verificationId"]
    await sign_in(visit, app)
    records = {record["type"]: record for record in await records_of(api, old.id)}
    assert records["EnterpriseSso"]["enterpriseSsoUserInfo"]["id"] == mallory.id
    assert (await account_of_old(api, old))["ssoIdentities"] == []


# --- two connectors


async def test_two_connectors_of_an_issuer_share_their_identities(
    begin: Begin,
    new_browser: NewBrowser,
    company: Company,
    api: ManagementApi,
    workshop: Workshop,
    app: App,
    organization: str,
) -> None:
    """The identity stays the first connector's, and the organization of the second is not joined."""
    second = await new_company(workshop, company.provider, company.endpoint)
    joining = f"/organizations/{await workshop.organization()}/jit/sso-connectors"
    (await api.post(joining, {"ssoConnectorIds": [second.connector_id]})).expect(201)
    company.signs_in("new")
    first = await begin()
    await first.prove()
    await first.sign_up()
    (await first.submit()).expect(200)
    account = await account_of(api, workshop, company.email("new"))
    browser = new_browser()
    await browser.begin(app)
    visit = CompanyVisit(browser, second)
    await visit.prove()
    await sign_in(visit, app)
    [record] = await records_of(api, account["id"])
    assert record["connectorId"] == second.connector_id
    [identity] = (await account_of(api, workshop, company.email("new")))["ssoIdentities"]
    assert identity["ssoConnectorId"] == company.connector_id
    joined = (await api.get(f"/users/{account['id']}/organizations")).expect(200).body
    assert [one["id"] for one in joined] == [organization]

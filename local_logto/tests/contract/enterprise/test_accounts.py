"""Accounts of people who sign in through their company: new, known and linked ones."""

from __future__ import annotations

from typing import Any

import pytest

from contract.client import authorization_request, decode
from contract.enterprise.company import (
    Begin,
    Company,
    CompanyVisit,
    account_of,
    assert_like_chain,
    follow,
)
from contract.fixtures import LikeRecording, NewBrowser
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc
from contract.people import App, Person
from contract.recordings import load
from contract.world import ORGANIZATION_ROLES_SCOPE, ORGANIZATIONS_SCOPE


async def test_first_sign_in_creates_an_account_as_recorded(
    begin: Begin,
    company: Company,
    api: ManagementApi,
    oidc: Oidc,
    workshop: Workshop,
    app: App,
    organization: str,
    like_recording: LikeRecording,
) -> None:
    """One flow: the sign-up and the account that it created were recorded together."""
    person = company.signs_in("new", name="New Person", picture="https://x.test/p.png")
    visit = await begin()
    await visit.connectors()
    await visit.prove()
    await visit.sign_up()
    await follow(visit, await visit.submit(), app)
    assert_like_chain("354-sign-up-new", visit, app)
    account = await account_of(api, workshop, company.email("new"))
    like_recording("354-user-new", await api.get(f"/users/{account['id']}", includeSsoIdentities="true"))
    [identity] = account["ssoIdentities"]
    assert (identity["issuer"], identity["identityId"]) == (company.provider.issuer, person.id)
    assert identity["ssoConnectorId"] == company.connector_id
    detail = {"id": person.id, "name": "New Person", "avatar": "https://x.test/p.png"}
    assert identity["detail"] == {**detail, "email": company.email("new")}
    joined = await api.get(f"/users/{account['id']}/organizations")
    like_recording("354-organizations-new", joined)
    assert [one["id"] for one in joined.body] == [organization]
    assert [role["name"].split("_")[0] for role in joined.body[0]["organizationRoles"]] == ["default"]


async def test_first_id_token_names_the_organization(
    new_browser: NewBrowser,
    company: Company,
    oidc: Oidc,
    api: ManagementApi,
    workshop: Workshop,
    app: App,
    organization: str,
) -> None:
    company.signs_in("new", name="New Person", picture="https://x.test/p.png")
    browser = new_browser()
    asked = f"openid profile email {ORGANIZATIONS_SCOPE} {ORGANIZATION_ROLES_SCOPE}"
    request = authorization_request(browser.endpoint, app, {"scope": asked, "nonce": None})
    await browser.send("GET", request.url)
    (await browser.experience("PUT", "", {"interactionEvent": "SignIn"})).expect(204)
    visit = CompanyVisit(browser, company)
    await visit.prove()
    await visit.sign_up()
    told = await follow(visit, await visit.submit(), app)
    await account_of(api, workshop, company.email("new"))
    form = {"grant_type": "authorization_code", "code": told["code"], "redirect_uri": app.redirect_uri}
    reply = await oidc.token(app, **form, code_verifier=request.code_verifier)
    claims = decode(reply.expect(200).body["id_token"]).claims
    assert set(claims) - {"at_hash"} == set(load("354-id-token-new")["decoded"]["id_token"]["claims"])
    assert claims["organizations"] == [organization]
    assert claims["email_verified"] is True


async def test_second_sign_in_finds_the_account_as_recorded(
    begin: Begin, company: Company, api: ManagementApi, workshop: Workshop, app: App
) -> None:
    """The name at the provider changed, but the connector does not sync it."""
    person = company.signs_in("new", name="New Person")
    first = await begin()
    await first.prove()
    await first.sign_up()
    (await first.submit()).expect(200)
    account = await account_of(api, workshop, company.email("new"))
    company.provider.person = type(person)(person.id, {**person.claims, "name": "Renamed"})
    visit = await begin()
    await visit.connectors()
    await visit.prove()
    await visit.identify()
    await follow(visit, await visit.submit(), app)
    assert_like_chain("354-sign-in-again", visit, app)
    again = await account_of(api, workshop, company.email("new"))
    assert (again["id"], again["name"]) == (account["id"], "New Person")
    assert again["ssoIdentities"][0]["detail"]["name"] == "Renamed"


async def test_connector_may_sync_the_profile(
    begin: Begin, company: Company, api: ManagementApi, workshop: Workshop, old: Person
) -> None:
    (await api.patch(company.path, {"syncProfile": True})).expect(200)
    company.signs_in("old", name="Old Person")
    visit = await begin()
    await visit.prove()
    (await visit.identify()).expect(204)
    (await visit.submit()).expect(200)
    assert (await account_of(api, workshop, old.email))["name"] == "Old Person"


async def test_account_with_the_address_is_linked_as_recorded(
    begin: Begin,
    company: Company,
    api: ManagementApi,
    app: App,
    old: Person,
    organization: str,
    like_recording: LikeRecording,
) -> None:
    """One flow: the sign-in and the account that it linked were recorded together."""
    company.signs_in("old", name="Old Person")
    visit = await begin()
    await visit.connectors()
    await visit.prove()
    await visit.identify()
    await follow(visit, await visit.submit(), app)
    assert_like_chain("355-sign-in-existing-email", visit, app)
    like_recording("355-user-existing", await api.get(f"/users/{old.id}", includeSsoIdentities="true"))
    joined = await api.get(f"/users/{old.id}/organizations")
    like_recording("355-organizations-existing", joined)
    assert [one["id"] for one in joined.body] == [organization]


async def become_a_member(
    begin: Begin, api: ManagementApi, workshop: Workshop, app: App, organization: str, recording: str
) -> dict[str, Any]:
    """Sign up as recorded. Returns the only member of the organization."""
    visit = await begin()
    await visit.connectors()
    await visit.prove()
    await visit.sign_up()
    await follow(visit, await visit.submit(), app)
    assert_like_chain(recording, visit, app)
    [member] = (await api.get(f"/organizations/{organization}/users")).expect(200).body
    workshop.will_delete(f"/users/{member['id']}")
    found: dict[str, Any] = member
    return found


async def test_person_with_an_unverified_address_joins_without_it_as_recorded(
    begin: Begin, company: Company, api: ManagementApi, workshop: Workshop, app: App, organization: str
) -> None:
    company.signs_in("new", email_verified=False)
    name = "355-sign-up-unverified-email"
    member = await become_a_member(begin, api, workshop, app, organization, name)
    assert member["primaryEmail"] is None


async def test_person_with_an_address_elsewhere_joins_with_it_as_recorded(
    begin: Begin, company: Company, api: ManagementApi, workshop: Workshop, app: App, organization: str
) -> None:
    elsewhere = workshop.email("stranger")
    company.signs_in("new", email=elsewhere)
    name = "355-sign-up-other-domain"
    member = await become_a_member(begin, api, workshop, app, organization, name)
    assert member["primaryEmail"] == elsewhere


async def test_unverified_address_links_no_account(begin: Begin, company: Company, old: Person) -> None:
    company.signs_in("old", email_verified=False)
    visit = await begin()
    await visit.prove()
    assert (await visit.identify()).refusal == (404, "user.sso_identity_not_exist")


@pytest.mark.parametrize(("trusts", "status"), [(True, 204), (False, 404)])
async def test_connector_may_trust_addresses_of_which_the_provider_says_nothing(
    begin: Begin, company: Company, api: ManagementApi, old: Person, trusts: bool, status: int
) -> None:
    config = {**company.provider.config, "trustUnverifiedEmail": trusts}
    (await api.patch(company.path, {"config": config})).expect(200)
    company.signs_in("old", email_verified=None)
    visit = await begin()
    await visit.prove()
    assert (await visit.identify()).status == status


async def test_suspended_person_is_refused(
    begin: Begin, company: Company, api: ManagementApi, old: Person
) -> None:
    (await api.patch(f"/users/{old.id}/is-suspended", {"isSuspended": True})).expect(200)
    company.signs_in("old")
    visit = await begin()
    await visit.prove()
    assert (await visit.identify()).refusal == (401, "user.suspended")

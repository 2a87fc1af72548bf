"""Which connectors an address has, and what the sign-in page gets of them."""

from __future__ import annotations

import pytest

from contract.client import LogtoBrowser
from contract.enterprise.company import (
    Begin,
    Company,
    CompanyVisit,
    assert_like_chain,
    new_company,
)
from contract.fixtures import LikeRecording
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc
from contract.people import App
from contract.recordings import load
from contract.second_factors import Settings


@pytest.mark.parametrize("recording", ["352-connectors", "352-connectors-upper-case"])
async def test_address_of_the_domain_has_the_connector(
    begin: Begin, company: Company, like_recording: LikeRecording, recording: str
) -> None:
    email = company.email("who").upper() if "upper" in recording else company.email("who")
    reply = await (await begin()).connectors(email)
    like_recording(recording, reply)
    assert reply.body == {"connectorIds": [company.connector_id]}


@pytest.mark.parametrize(
    ("recording", "email"),
    [
        ("352-connectors-subdomain", "who@sub.{domain}"),
        ("352-connectors-other-domain", "who@nowhere.example.test"),
    ],
)
async def test_other_address_has_none(
    begin: Begin, company: Company, like_recording: LikeRecording, recording: str, email: str
) -> None:
    reply = await (await begin()).connectors(email.format(domain=company.domain))
    like_recording(recording, reply)
    assert reply.body == {"connectorIds": []}


async def test_malformed_address_is_refused(begin: Begin, like_recording: LikeRecording) -> None:
    like_recording("352-connectors-bad-email", await (await begin()).connectors("nope"))


async def test_address_is_required(begin: Begin, like_recording: LikeRecording) -> None:
    visit = await begin()
    reply = await visit.browser.send("GET", "/api/experience/sso-connectors")
    like_recording("352-connectors-no-email", reply)


async def test_two_connectors_of_a_domain_are_both_offered(
    begin: Begin, company: Company, workshop: Workshop, api: ManagementApi, like_recording: LikeRecording
) -> None:
    second = await new_company(workshop, company.provider, company.endpoint, domains=[company.domain])
    reply = await (await begin()).connectors()
    like_recording("352-connectors-two-for-one-domain", reply)
    assert set(reply.body["connectorIds"]) == {company.connector_id, second.connector_id}


async def test_connector_without_a_domain_is_not_offered(
    begin: Begin, api: ManagementApi, company: Company
) -> None:
    (await api.patch(company.path, {"domains": []})).expect(200)
    assert (await (await begin()).connectors()).body == {"connectorIds": []}


async def test_connector_with_a_reserved_domain_is_offered_to_nobody_else(
    begin: Begin, oidc: Oidc, company: Company, api: ManagementApi
) -> None:
    """So an application can send a browser to it for a test, before it has a domain of people."""
    (await api.patch(company.path, {"domains": [f"{company.connector_id}.sso-test.invalid"]})).expect(200)
    assert (await (await begin()).connectors()).body == {"connectorIds": []}
    shown = (await oidc.send("GET", "/api/.well-known/sign-in-exp")).expect(200).body
    assert company.connector_id in {one["id"] for one in shown["ssoConnectors"]}


@pytest.mark.parametrize("change", [{"domains": []}, {}], ids=["no domain", "no configuration"])
async def test_page_gets_no_connector_that_cannot_be_used(
    oidc: Oidc, company: Company, api: ManagementApi, workshop: Workshop, change: dict[str, object]
) -> None:
    body = {"providerName": "OIDC", "connectorName": workshop.unique("Later"), "domains": [company.domain]}
    config = {"config": company.provider.config} if change else {}
    made = (await workshop.post("/sso-connectors", {**body, **config, **change})).expect(200).body
    shown = (await oidc.send("GET", "/api/.well-known/sign-in-exp")).expect(200).body
    assert made["id"] not in {one["id"] for one in shown["ssoConnectors"]}


async def test_connectors_are_shown_only_during_a_sign_in(company: Company, browser: LogtoBrowser) -> None:
    reply = await CompanyVisit(browser, company).connectors()
    assert reply.refusal == (400, "session.not_found")


async def test_page_gets_the_connector_as_recorded(oidc: Oidc, company: Company) -> None:
    shown = (await oidc.send("GET", "/api/.well-known/sign-in-exp")).expect(200).body
    [connector] = [one for one in shown["ssoConnectors"] if one["id"] == company.connector_id]
    assert set(connector) == set(load("352-well-known")["response"]["body"]["ssoConnectors"][0])
    assert connector["connectorName"] == "Corp"


async def test_nothing_works_while_single_sign_on_is_off(
    begin: Begin, app: App, company: Company, settings: Settings, oidc: Oidc, like_recording: LikeRecording
) -> None:
    """One flow: each reply was recorded in this order."""
    await settings(singleSignOnEnabled=False)
    visit = await begin()
    offered = await visit.connectors()
    like_recording("352-connectors-sso-off", offered)
    assert offered.body == {"connectorIds": []}
    await visit.prove()
    await visit.identify()
    await visit.submit()
    assert_like_chain("352-sign-in-sso-off", visit, app)
    assert (await oidc.send("GET", "/api/.well-known/sign-in-exp")).body["ssoConnectors"] == []

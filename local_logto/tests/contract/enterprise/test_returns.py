"""The return from a company's provider."""

from __future__ import annotations

import pytest

from contract.enterprise.company import (
    Begin,
    Company,
    assert_like_chain,
    follow,
)
from contract.fixtures import LikeRecording
from contract.people import App, Person
from contract.recordings import load


@pytest.mark.parametrize(
    ("recording", "changes"),
    [
        ("356-verify-bad-state", {"state": "wrong"}),
        ("356-verify-bad-nouri", {"redirectUri": None}),
    ],
)
async def test_state_and_address_are_left_to_the_page(
    begin: Begin, company: Company, app: App, old: Person, recording: str, changes: dict[str, str | None]
) -> None:
    company.signs_in("old")
    visit = await begin()
    await visit.connectors()
    await visit.leave()
    (await visit.verify(**changes)).expect(200)
    await visit.identify()
    await follow(visit, await visit.submit(), app)
    assert_like_chain(recording, visit, app)


async def test_wrong_code_is_refused_as_recorded(begin: Begin, app: App) -> None:
    visit = await begin()
    await visit.connectors()
    await visit.leave()
    refused = await visit.verify(code="wrongcode")
    assert_like_chain("356-verify-bad-code", visit, app)
    recorded = load("356-verify-bad-code")["chain"][-1]["body"]
    assert refused.body == recorded


async def test_unknown_verification_is_refused_as_recorded(begin: Begin, app: App) -> None:
    visit = await begin()
    await visit.connectors()
    await visit.leave()
    await visit.verify("nosuchverification000")
    assert_like_chain("356-verify-bad-vid", visit, app)


async def test_return_is_verified_once(begin: Begin) -> None:
    visit = await begin()
    await visit.prove()
    assert (await visit.verify()).refusal == (400, "session.connector_validation_session_not_found")


async def test_unknown_connector_is_refused_as_recorded(begin: Begin, like_recording: LikeRecording) -> None:
    visit = await begin()
    body = {"state": "s1", "redirectUri": "http://localhost:3001/callback/nosuch"}
    path = "/verification/sso/nosuch/authorization-uri"
    like_recording("353-authorization-uri-unknown", await visit.browser.experience("POST", path, body))


async def test_provider_that_is_down_cannot_be_visited(begin: Begin, company: Company) -> None:
    visit = await begin()
    company.provider.refuse(503)
    body = {"state": "s1", "redirectUri": company.callback}
    path = f"/verification/sso/{company.connector_id}/authorization-uri"
    refused = await visit.browser.experience("POST", path, body)
    assert refused.refusal == (500, "connector.invalid_config")

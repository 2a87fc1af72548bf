"""How a browser's last sign-in is remembered, and what makes Logto 1.42 forget it.

No recording shows this. A running Logto 1.42.0 was asked: when an application that has a grant in the browser
session comes back for consent, Logto stores a note about access to the application in place of the sign-in
(``loadExistingGrant`` in its source), and shows ``lastSubmission`` as null.
"""

from __future__ import annotations

from typing import Any

import pytest

from contract.client import LogtoBrowser
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc
from contract.people import App, Person


@pytest.fixture
async def signed_in(oidc: Oidc, browser: LogtoBrowser, app: App, otto: Person) -> LogtoBrowser:
    """The browser in which Otto is signed in to the application."""
    await oidc.sign_in(browser, app, otto)
    return browser


async def session_of(api: ManagementApi, person: Person) -> dict[str, Any]:
    """Return the only browser session of a person."""
    [found] = (await api.get(f"/users/{person.id}/sessions")).expect(200).body["sessions"]
    session: dict[str, Any] = found
    return session


async def kinds_of_proofs(api: ManagementApi, person: Person) -> list[str]:
    records = (await session_of(api, person))["lastSubmission"]["verificationRecords"]
    return [record["type"] for record in records]


async def test_another_consent_makes_logto_forget_how_the_person_signed_in(
    oidc: Oidc, signed_in: LogtoBrowser, app: App, otto: Person, api: ManagementApi
) -> None:
    before = await session_of(api, otto)
    await oidc.authorize_again(signed_in, app)
    after = await session_of(api, otto)
    assert before["lastSubmission"] is not None
    assert (after["lastSubmission"], after["clientId"]) == (None, app.id)
    lasting = ("uid", "loginTs", "authorizations")
    assert [after["payload"][name] for name in lasting] == [before["payload"][name] for name in lasting]


async def test_request_that_needs_no_consent_changes_nothing(
    oidc: Oidc, signed_in: LogtoBrowser, app: App, otto: Person, api: ManagementApi
) -> None:
    await oidc.authorize_again(signed_in, app, prompt=None)
    assert await kinds_of_proofs(api, otto) == ["Password"]


async def test_consent_for_another_application_changes_nothing(
    oidc: Oidc, signed_in: LogtoBrowser, otto: Person, api: ManagementApi, workshop: Workshop
) -> None:
    await oidc.authorize_again(signed_in, await workshop.application())
    assert await kinds_of_proofs(api, otto) == ["Password"]


async def test_another_sign_in_is_remembered(
    oidc: Oidc, signed_in: LogtoBrowser, app: App, otto: Person, api: ManagementApi
) -> None:
    await oidc.authorize_again(signed_in, app)
    await oidc.sign_in(signed_in, app, otto, prompt="login consent")
    assert await kinds_of_proofs(api, otto) == ["Password"]

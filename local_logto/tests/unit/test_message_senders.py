"""Messages of invitations and codes: their variables, and what happens if they cannot be sent."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from local_logto.connectors.registry import connectors
from local_logto.fakes.mailgun import API_KEY, DOMAIN, FakeMailgun, fake_mailgun
from local_logto.oidc.tables import interactions
from local_logto.store import Store, now_ms
from local_logto.tables import applications, organizations
from local_logto.verification_codes import sent_codes
from unit.experience_app import CODES_AND_PASSWORDS, ExperienceApp, experience_app
from unit.management_app import Answer, ManagementApp, management_app

NINA = "nina@example.test"
# A template that is stored at Mailgun gets every variable.
EVERYTHING = {"template": "all", "variables": {}}
CONFIG = {
    "domain": DOMAIN,
    "apiKey": API_KEY,
    "from": "hello@mg.workroom.example",
    "deliveries": {"Generic": EVERYTHING},
}


def variables(mailgun: FakeMailgun) -> dict[str, Any]:
    """Return the variables of the newest message's template."""
    found: dict[str, Any] = json.loads(mailgun.received[-1].form["h:X-Mailgun-Variables"])
    return found


# --- invitations


@dataclass(frozen=True)
class Inviting:
    """A provider that sends by Mailgun, with an organization and a person who invites others to it."""

    api: ManagementApp
    mailgun: FakeMailgun
    organization: str
    inviter: str

    async def invite(self, payload: object, invitee: str = NINA) -> Answer:
        body = {
            "organizationId": self.organization,
            "inviterId": self.inviter,
            "invitee": invitee,
            "expiresAt": now_ms() + 60_000,
            "messagePayload": payload,
        }
        return await self.api.call("POST", "/organization-invitations", body)

    async def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.api.get("/organization-invitations")).body
        return found


@pytest.fixture
async def inviting(tmp_path: Path) -> AsyncIterator[Inviting]:
    async with (
        fake_mailgun() as mailgun,
        management_app(tmp_path, mailgun_base_url=mailgun.base_url, connector_timeout=1) as api,
    ):
        await api.made("/connectors", connectorId="mailgun-email", config=CONFIG)
        organization = await api.made("/organizations", name="Bread & Butter")
        inviter = await api.made("/users", username="ines", name="Ines", primaryEmail="ines@example.test")
        yield Inviting(api, mailgun, organization["id"], inviter["id"])


async def test_message_of_an_invitation_names_the_inviter_and_the_organization(inviting: Inviting) -> None:
    payload = {"link": "https://workroom.example/i/1", "note": {"first": "Hi"}, "locale": "es"}
    invitation = await inviting.invite(payload)
    assert invitation.status == 201
    assert inviting.mailgun.received[0].form["to"] == NINA
    said = variables(inviting.mailgun)
    assert said == {
        "organization": {"id": inviting.organization, "name": "Bread & Butter", "branding": {}},
        "inviter": {
            "id": inviting.inviter,
            "avatar": None,
            "name": "Ines",
            "primaryEmail": "ines@example.test",
            "primaryPhone": None,
            "username": "ines",
            "profile": {},
        },
        **payload,
    }
    again = await inviting.api.call(
        "POST", f"/organization-invitations/{invitation.body['id']}/message", {"link": "https://x.example/2"}
    )
    assert again.status == 204
    assert variables(inviting.mailgun) == {
        "organization": said["organization"],
        "inviter": said["inviter"],
        "link": "https://x.example/2",
    }


async def test_invitation_is_not_created_if_its_message_cannot_be_sent(inviting: Inviting) -> None:
    for day in (lambda: inviting.mailgun.refuse(401, "Forbidden"), inviting.mailgun.answer_slowly):
        day()
        refused = await inviting.invite({"link": "https://workroom.example/i/1"})
        assert refused.refusal == (400, "connector.general")
        assert await inviting.listed() == []
    inviting.mailgun.behave()
    assert (await inviting.invite({"link": "https://workroom.example/i/1"})).status == 201


async def test_eleventh_invitation_in_ten_minutes_is_refused(inviting: Inviting) -> None:
    for number in range(10):
        made = await inviting.invite({}, NINA.upper() if number % 2 else NINA)
        await inviting.api.call(
            "PUT", f"/organization-invitations/{made.body['id']}/status", {"status": "Revoked"}
        )
    refused = await inviting.invite({})
    assert refused.refusal == (429, "request.message_rate_limited")
    assert len(await inviting.listed()) == 10
    assert len(inviting.mailgun.received) == 10
    assert (await inviting.invite(False)).status == 201, "without a message there is nothing to limit"


async def test_person_can_be_invited_again_after_the_expiry(inviting: Inviting) -> None:
    with time_machine.travel(now_ms() / 1000, tick=False) as clock:
        assert (await inviting.invite(False)).status == 201
        assert (await inviting.invite(False)).code == "entity.unique_integrity_violation"
        clock.shift(timedelta(minutes=2))
        assert (await inviting.invite(False)).status == 201
        assert sorted(one["status"] for one in await inviting.listed()) == ["Expired", "Pending"]


async def test_messages_page_escapes_names(tmp_path: Path) -> None:
    async with management_app(tmp_path) as api:
        details = {
            "subject": "Join {{organization.name}}",
            "content": "<p>Welcome to {{organization.name}}</p>",
        }
        template = {"languageTag": "en", "templateType": "OrganizationInvitation", "details": details}
        await api.call("PUT", "/email-templates", {"templates": [template]})
        organization = await api.made("/organizations", name="<b>B&B</b>")
        body = {"organizationId": organization["id"], "invitee": NINA, "expiresAt": now_ms() + 60_000}
        await api.made("/organization-invitations", **body, messagePayload={"link": "https://x.example/1"})
        inbox = await (await api.client.get("/messages")).get_data(as_text=True)
        [path] = re.findall(r'href="(/messages/\w+)"', inbox)
        page = await (await api.client.get(path)).get_data(as_text=True)
        html = await (await api.client.get(f"{path}/html")).get_data(as_text=True)
    assert ">Join &lt;b&gt;B&amp;B&lt;/b&gt;</a>" in inbox
    assert 'href="https://x.example/1"' in page
    for shown in (inbox, page, html):
        assert "Welcome to &lt;b&gt;B&amp;B&lt;/b&gt;" in shown
        assert "<b>B" not in shown


# --- codes of a sign-in


@asynccontextmanager
async def signing_in(tmp_path: Path, mailgun: FakeMailgun) -> AsyncIterator[ExperienceApp]:
    """Open a sign-in at a provider that sends by Mailgun."""
    settings = {"mailgun_base_url": mailgun.base_url, "connector_timeout": 0.3}
    async with experience_app(tmp_path, **settings) as logto:
        await logto.configure(**CODES_AND_PASSWORDS)
        row = {"id": "mailgun", "connector_id": "mailgun-email", "type": "Email", "target": "mailgun-email"}
        with logto.store.begin() as connection:
            connection.execute(connectors.insert().values(**row, config=CONFIG, created_at=now_ms()))
        yield logto


async def asked_for(logto: ExperienceApp, address: str = NINA) -> tuple[int, Any]:
    await logto.call("PUT", "", {"interactionEvent": "SignIn"})
    body = {"identifier": {"type": "email", "value": address}, "interactionEvent": "SignIn"}
    return await logto.call("POST", "/verification/verification-code", body)


def count_codes(store: Store) -> int:
    with store.begin() as connection:
        count = connection.scalar(sa.select(sa.func.count()).select_from(sent_codes))
    return count or 0


async def test_message_of_a_code_names_the_application_and_the_organization(tmp_path: Path) -> None:
    async with fake_mailgun() as mailgun, signing_in(tmp_path, mailgun) as logto:
        with logto.store.begin() as connection:
            application = {"id": "client", "name": "Workroom", "type": "Traditional", "created_at": 0}
            connection.execute(applications.insert().values(**application))
            connection.execute(organizations.insert().values(id="o1", name="Acme", created_at=0))
            params = {**logto.interaction.params, "organization_id": "o1", "ui_locales": "es-MX en"}
            connection.execute(sa.update(interactions).values(params=params))
        status, _ = await asked_for(logto)
        assert status == 200
        said = variables(mailgun)
        assert len(said.pop("code")) == 6
        assert said == {
            "locale": "es",
            "uiLocales": "es-MX en",
            "application": {"id": "client", "name": "Workroom"},
            "organization": {"id": "o1", "name": "Acme", "branding": {}},
        }


async def test_code_that_cannot_be_sent_is_reported_and_not_stored(tmp_path: Path) -> None:
    async with fake_mailgun() as mailgun, signing_in(tmp_path, mailgun) as logto:
        mailgun.refuse(500, "out of order")
        for _ in range(11):
            status, body = await asked_for(logto)
            assert (status, body["code"]) == (400, "connector.general")
        assert count_codes(logto.store) == 0
        _, interaction = await logto.call("GET", "/interaction")
        assert interaction["verificationRecords"] == []
        mailgun.behave()
        assert (await asked_for(logto))[0] == 200
        assert count_codes(logto.store) == 1

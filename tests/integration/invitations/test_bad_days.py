"""Invitations while Logto has no email connector, fails, or loses its responses."""

from __future__ import annotations

import pytest

from saas_app.runtime import Runtime
from tests.clients import Person, text_of
from tests.factories import Factory, address_of, new_address
from tests.integration.faulty_logto import DOWN, LOST, Fault
from tests.integration.invitations.conftest import (
    Faulty,
    link_of,
    path_of,
)
from tests.integration.mail import Mailbox
from tests.integration.records import actions_of, pending_in

MESSAGE = r"/organization-invitations/[^/]+/message$"
CREATION = r"/organization-invitations$"
STATUS = r"/organization-invitations/[^/]+/status$"


async def test_without_an_email_connector_the_page_shows_the_links(
    faulty: Faulty, mailbox: Mailbox, runtime: Runtime
) -> None:
    faulty.gate.fail(Fault("POST", MESSAGE))
    first, second = new_address(), new_address()
    page = await faulty.acme.invite(f"{first}\n{second}", "viewer", expect=200)
    for address in (first, second):
        assert f'value="{link_of(await faulty.acme.found(address))}"' in page
        assert await mailbox.links_for(address) == []
        revoke = f"{faulty.acme.invitations}/{(await faulty.acme.found(address)).id}/revoke"
        assert f'href="{revoke}"' in page
        await faulty.acme.browser.get(revoke)
    assert page.count("Invitation created, but no email was sent. Logto has no email connector") == 2
    assert "Some invitations were not sent" not in page
    listed = await faulty.acme.browser.text(faulty.acme.invitations)
    assert link_of(await faulty.acme.found(first)) in listed
    assert await actions_of(runtime, faulty.acme.id) == ["invitation.create"] * 2


async def test_resending_without_an_email_connector_says_why_nothing_was_sent(
    faulty: Faulty, runtime: Runtime
) -> None:
    invitation = await faulty.acme.invited(new_address())
    faulty.gate.fail(Fault("POST", MESSAGE))
    answer = await faulty.acme.browser.post(f"{faulty.acme.invitations}/{invitation.id}/resend", expect=409)
    page = await text_of(answer)
    assert "No email was sent" in page
    assert "Logto has no email connector" in page
    assert await actions_of(runtime, faulty.acme.id) == ["invitation.create"]
    assert await pending_in(runtime, faulty.acme.id) == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            Fault("POST", MESSAGE, 400, {"code": "connector.general", "message": "?"}),
            "did not accept the message",
        ),
        (
            Fault("POST", MESSAGE, 429, {"code": "request.message_rate_limited", "message": "?"}),
            "how many emails",
        ),
        (
            Fault("POST", MESSAGE, **DOWN),
            "Logto did not respond. Copy the link",
        ),
    ],
)
async def test_an_invitation_whose_email_fails_still_has_its_link(
    faulty: Faulty, fault: Fault, said: str
) -> None:
    faulty.gate.fail(fault)
    address = new_address()
    page = await faulty.acme.invite(address, "viewer", expect=200)
    assert said in page
    assert f'value="{link_of(await faulty.acme.found(address))}"' in page


async def test_when_logto_fails_midway_the_remaining_addresses_stay_in_the_form(
    faulty: Faulty, runtime: Runtime
) -> None:
    addresses = [new_address() for _ in range(4)]
    await faulty.acme.invite(addresses[0], "editor")
    faulty.gate.fail(Fault("POST", CREATION, **DOWN))
    faulty.gate.calls.clear()
    page = await faulty.acme.invite("\n".join(addresses[1:]), "editor", expect=422)
    assert "it is not known whether the invitation was created" in page
    assert page.count("Not sent, because the invitation before it failed.") == 2
    assert "\n".join(addresses[1:]) + "</textarea>" in page
    assert 'value="editor" checked' in page
    assert len([call for call in faulty.gate.calls if call.startswith("POST /api/organization-inv")]) == 1
    assert len(await pending_in(runtime, faulty.acme.id)) == 1
    faulty.gate.fail()
    await faulty.acme.invite("\n".join(addresses[1:]), "editor")  # the form can be sent again


async def test_an_address_that_logto_rejects_stays_in_the_form_and_the_others_are_invited(
    faulty: Faulty, mailbox: Mailbox
) -> None:
    bad, good = new_address(), new_address()
    refusal = {"code": "guard.invalid_input", "message": "The request body is invalid."}
    faulty.gate.fail(Fault("POST", CREATION, 400, refusal, times=1))
    page = await faulty.acme.invite(f"{bad}\n{good}", "editor", expect=422)
    assert await mailbox.pages_for(good) == [link_of(await faulty.acme.found(good))]
    assert f"This address is still in the form below: {bad}." in page
    assert "Logto does not accept something you entered." in page
    assert f"{bad}</textarea>" in page
    assert 'value="editor" checked' in page


async def test_an_invitation_whose_response_was_lost_is_not_created_twice(faulty: Faulty) -> None:
    address = new_address()
    faulty.gate.fail(Fault("POST", CREATION, **LOST))
    assert "it is not known whether" in await faulty.acme.invite(address, "viewer", expect=422)
    faulty.gate.fail()
    assert "The invitation is still pending" in await faulty.acme.invite(address, "viewer", expect=200)
    assert len(await faulty.acme.management.list_invitations(faulty.acme.id)) == 1


@pytest.mark.parametrize("status", [401, 403])
async def test_when_logto_rejects_our_credentials_the_page_says_so(faulty: Faulty, status: int) -> None:
    faulty.gate.fail(Fault("POST", CREATION, status, {"code": "auth.forbidden", "message": "Forbidden."}))
    addresses = "\n".join(new_address() for _ in range(2))
    page = await faulty.acme.invite(addresses, "viewer", expect=422)
    assert "Logto is currently rejecting this application." in page
    assert addresses in page


async def test_an_acceptance_whose_response_was_lost_is_recorded_once(
    faulty: Faulty, erin: Person, make: Factory, runtime: Runtime
) -> None:
    invitation = await faulty.acme.invited(address_of(erin), "editor")
    browser = await faulty.open_browser(erin)
    faulty.gate.fail(Fault("PUT", STATUS, times=1, **LOST))
    await browser.post(f"{path_of(invitation)}/accept")
    assert await make.management.find_member_roles(faulty.acme.id, erin.id) == {"editor"}
    assert await actions_of(runtime, faulty.acme.id) == [
        "invitation.create",
        "invitation.accept",
    ]
    assert await pending_in(runtime, faulty.acme.id) == []


async def test_a_revocation_whose_response_was_lost_is_recorded(faulty: Faulty, runtime: Runtime) -> None:
    invitation = await faulty.acme.invited(new_address())
    faulty.gate.fail(Fault("PUT", STATUS, times=1, **LOST))
    await faulty.acme.browser.post(f"{faulty.acme.invitations}/{invitation.id}/revoke")
    assert (await faulty.acme.found(invitation.invitee)).status == "Revoked"
    assert (await actions_of(runtime, faulty.acme.id))[-1] == "invitation.revoke"


async def test_an_invitation_revoked_at_the_last_moment_is_not_accepted(
    faulty: Faulty, erin: Person, make: Factory, runtime: Runtime
) -> None:
    invitation = await faulty.acme.invited(address_of(erin))
    browser = await faulty.open_browser(erin)
    await browser.get(path_of(invitation))

    async def revoke_first(path: str) -> None:
        if path.endswith("/status"):
            await make.management.revoke_invitation(invitation.id)

    faulty.gate.before = revoke_first
    page = await browser.submit(f"{path_of(invitation)}/accept", expect=409)
    assert "This invitation has been revoked" in page
    assert await actions_of(runtime, faulty.acme.id) == ["invitation.create"]
    assert await pending_in(runtime, faulty.acme.id) == []


async def test_while_logto_does_not_respond_an_acceptance_stays_pending(
    faulty: Faulty, erin: Person, runtime: Runtime
) -> None:
    invitation = await faulty.acme.invited(address_of(erin))
    browser = await faulty.open_browser(erin)
    faulty.gate.fail(Fault("PUT", STATUS, **DOWN))
    answer = await browser.post(f"{path_of(invitation)}/accept", expect=503)
    assert answer.headers["Retry-After"]
    (noted,) = await pending_in(runtime, faulty.acme.id)
    assert (noted.entry["action"], noted.subjects) == ("invitation.accept", [erin.id])
    faulty.gate.fail()
    await browser.post(f"{path_of(invitation)}/accept")


async def test_organizations_are_listed_while_logto_cannot_list_invitations(
    faulty: Faulty, erin: Person
) -> None:
    await faulty.acme.invited(address_of(erin))
    browser = await faulty.open_browser(erin)
    faulty.gate.fail(Fault("GET", CREATION, **DOWN))
    page = await browser.text("/o")
    assert "You do not belong to an organization yet" in page
    assert "Pending invitations" not in page

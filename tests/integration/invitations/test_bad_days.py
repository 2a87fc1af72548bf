"""A Logto without email, one that fails, and one whose answers are lost: a real server stands in between."""

from __future__ import annotations

import pytest

from saas_app.invitations.service import list_waiting
from saas_app.runtime import Runtime
from tests.factories import Factory
from tests.integration.invitations.conftest import (
    Fault,
    Faulty,
    Mailbox,
    actions_of,
    address_of,
    link_of,
    new_address,
    path_of,
)
from tests.integration.members.conftest import pending_in, text_of

MESSAGE = r"/organization-invitations/[^/]+/message$"
CREATION = r"/organization-invitations$"
STATUS = r"/organization-invitations/[^/]+/status$"
LOST = {"status": 500, "body": {"message": "Internal server error."}, "after": True}


async def test_without_an_email_connector_the_invitation_stands_and_its_link_is_shown(
    faulty: Faulty, mailbox: Mailbox, runtime: Runtime
) -> None:
    faulty.gate.fail(Fault("POST", MESSAGE))
    first, second = new_address(), new_address()
    page = await faulty.acme.invite(f"{first}\n{second}", "viewer", expect=200)
    for address in (first, second):
        assert f'value="{link_of(await faulty.acme.found(address))}"' in page
        assert await mailbox.links_for(address) == []
        revoke = f"{faulty.acme.root}/{(await faulty.acme.found(address)).id}/revoke"
        assert f'href="{revoke}"' in page
        await faulty.acme.browser.get(revoke)
    assert page.count("Invitation created, but no email was sent. Logto has no email connector") == 2
    assert "Some invitations were not sent" not in page
    listed = await text_of(await faulty.acme.browser.get(faulty.acme.root))
    assert link_of(await faulty.acme.found(first)) in listed
    assert await actions_of(runtime, faulty.acme.id) == ["invitation.create"] * 2


async def test_sending_again_without_a_connector_says_why_nothing_is_sent(
    faulty: Faulty, runtime: Runtime
) -> None:
    invitation = await faulty.acme.invited(new_address())
    faulty.gate.fail(Fault("POST", MESSAGE))
    answer = await faulty.acme.browser.post(f"{faulty.acme.root}/{invitation.id}/resend", expect=409)
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
            Fault("POST", MESSAGE, 500, {"message": "Internal server error."}),
            "Logto did not respond. Copy the link",
        ),
    ],
)
async def test_an_email_that_fails_leaves_the_link(faulty: Faulty, fault: Fault, said: str) -> None:
    faulty.gate.fail(fault)
    address = new_address()
    page = await faulty.acme.invite(address, "viewer", expect=200)
    assert said in page
    assert f'value="{link_of(await faulty.acme.found(address))}"' in page


async def test_when_logto_fails_midway_what_is_done_is_told_and_the_rest_stays_in_the_form(
    faulty: Faulty, runtime: Runtime
) -> None:
    addresses = [new_address() for _ in range(4)]
    await faulty.acme.invite(addresses[0], "editor")
    faulty.gate.fail(Fault("POST", CREATION, 500, {"message": "Internal server error."}))
    faulty.gate.calls.clear()
    page = await faulty.acme.invite("\n".join(addresses[1:]), "editor", expect=422)
    assert "it is not known whether the invitation was created" in page
    assert page.count("Not sent, because the invitation before it failed.") == 2
    assert "\n".join(addresses[1:]) + "</textarea>" in page
    assert 'value="editor" checked' in page
    assert len([call for call in faulty.gate.calls if call.startswith("POST /api/organization-inv")]) == 1
    assert len(await pending_in(runtime, faulty.acme.id)) == 1
    faulty.gate.fail()
    await faulty.acme.invite("\n".join(addresses[1:]), "editor")


async def test_an_address_that_logto_refuses_stays_in_the_form_and_the_others_are_invited(
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


async def test_a_creation_whose_answer_is_lost_is_not_made_twice(faulty: Faulty) -> None:
    address = new_address()
    faulty.gate.fail(Fault("POST", CREATION, **LOST))
    assert "it is not known whether" in await faulty.acme.invite(address, "viewer", expect=422)
    faulty.gate.fail()
    assert "The invitation is still pending" in await faulty.acme.invite(address, "viewer", expect=200)
    assert len(await faulty.acme.management.list_invitations(faulty.acme.id)) == 1


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_are_no_business_of_who_invites(faulty: Faulty, status: int) -> None:
    faulty.gate.fail(Fault("POST", CREATION, status, {"code": "auth.forbidden", "message": "Forbidden."}))
    addresses = "\n".join(new_address() for _ in range(2))
    page = await faulty.acme.invite(addresses, "viewer", expect=422)
    assert "Logto is currently rejecting this application." in page
    assert addresses in page


async def test_an_acceptance_whose_answer_is_lost_is_found_out_and_recorded_once(
    faulty: Faulty, make: Factory, runtime: Runtime
) -> None:
    erin = await make.person("Erin")
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


async def test_a_revocation_whose_answer_is_lost_is_found_out(faulty: Faulty, runtime: Runtime) -> None:
    invitation = await faulty.acme.invited(new_address())
    faulty.gate.fail(Fault("PUT", STATUS, times=1, **LOST))
    await faulty.acme.browser.post(f"{faulty.acme.root}/{invitation.id}/revoke")
    assert (await faulty.acme.found(invitation.invitee)).status == "Revoked"
    assert (await actions_of(runtime, faulty.acme.id))[-1] == "invitation.revoke"


async def test_when_it_is_revoked_at_the_last_moment_nothing_is_recorded(
    faulty: Faulty, make: Factory, runtime: Runtime
) -> None:
    erin = await make.person("Erin")
    invitation = await faulty.acme.invited(address_of(erin))
    browser = await faulty.open_browser(erin)
    await browser.get(path_of(invitation))

    async def revoke_first(path: str) -> None:
        if path.endswith("/status"):
            await make.management.revoke_invitation(invitation.id)

    faulty.gate.before = revoke_first
    page = await text_of(await browser.post(f"{path_of(invitation)}/accept", expect=409))
    assert "This invitation has been revoked" in page
    assert await actions_of(runtime, faulty.acme.id) == ["invitation.create"]
    assert await pending_in(runtime, faulty.acme.id) == []


async def test_while_logto_does_not_answer_an_acceptance_stays_noted(
    faulty: Faulty, make: Factory, runtime: Runtime
) -> None:
    erin = await make.person("Erin")
    invitation = await faulty.acme.invited(address_of(erin))
    browser = await faulty.open_browser(erin)
    faulty.gate.fail(Fault("PUT", STATUS, 500, {"message": "Internal server error."}))
    answer = await browser.post(f"{path_of(invitation)}/accept", expect=503)
    assert answer.headers["Retry-After"]
    (noted,) = await pending_in(runtime, faulty.acme.id)
    assert (noted.entry["action"], noted.subjects) == ("invitation.accept", [erin.id])
    faulty.gate.fail()
    await browser.post(f"{path_of(invitation)}/accept")


async def test_ones_organizations_are_shown_while_logto_cannot_tell_what_waits(
    faulty: Faulty, make: Factory
) -> None:
    erin = await make.person("Erin")
    await faulty.acme.invited(address_of(erin))
    browser = await faulty.open_browser(erin)
    faulty.gate.fail(Fault("GET", CREATION, 500, {"message": "Internal server error."}))
    page = await text_of(await browser.get("/o"))
    assert "You do not belong to an organization yet" in page
    assert "Pending invitations" not in page


async def test_an_address_that_is_not_verified_is_asked_about_nothing(runtime: Runtime) -> None:
    assert runtime.management is not None
    for claims in ({}, {"email": "jo@example.test"}, {"email": "jo@example.test", "email_verified": False}):
        assert await list_waiting(runtime.management, claims) == ()
